import pytest

from muscle_study.publishing.numbers import Number
from muscle_study.report.errors import ReportError
from muscle_study.report.project import is_described, is_synthetic, nest, numbers_table


def test_dotted_names_become_branches():
    assert nest({"a.b.c": "1", "a.b.d": "2", "e": "3"}) == {
        "a": {"b": {"c": "1", "d": "2"}},
        "e": "3",
    }


@pytest.mark.parametrize("names", [["a", "a.b"], ["a.b", "a"]])
def test_a_number_beneath_another_is_refused(names):
    with pytest.raises(ReportError, match="beneath"):
        nest(dict.fromkeys(names, "1"))


@pytest.mark.parametrize(("kind", "synthetic"), [("synthetic", True), ("real", False)])
def test_kind_of_the_study(kind, synthetic):
    assert is_synthetic({"study.kind": Number(kind, None, "numbers")}) is synthetic


@pytest.mark.parametrize("numbers", [{}, {"study.kind": Number("other", None, "numbers")}])
def test_an_unknown_kind_is_refused(numbers):
    with pytest.raises(ReportError, match=r"study\.kind is (missing|other)"):
        is_synthetic(numbers)


@pytest.mark.parametrize(
    ("men", "women", "described"), [(37.9, 24.5, True), (None, 24.5, True), (None, None, False)]
)
def test_a_run_is_described_where_a_sex_has_a_mean(men, women, described):
    numbers = {
        "csa.mean_men": Number("as printed", men, "measures"),
        "csa.mean_women": Number("as printed", women, "measures"),
    }
    assert is_described(numbers) is described


def test_every_number_is_listed_with_its_result():
    table = numbers_table({"dice.psoas": Number("0.93", 0.93, "dice")}, [])
    assert "| `dice.psoas` | 0.93 | [dice](notebooks/05_statistics.html) |" in table

"""Formatting of numbers, and uniqueness of their names."""

import pytest

from muscle_study.protocol.files import write_json
from muscle_study.publishing.numbers import Numbers, format_number, format_p, read_numbers


@pytest.mark.parametrize(
    ("value", "digits", "unit", "text"),
    [
        (27805, 0, "", "27,805"),
        (3.3841, 3, "L", "3.384\u00a0L"),
        (-0.0512, 2, "cm²", "\u22120.05\u00a0cm²"),
        (-0.004, 2, "", "0.00"),
        (1234.5, 1, "mL", "1,234.5\u00a0mL"),
    ],
)
def test_format(value, digits, unit, text):
    assert format_number(value, digits, unit) == text


def test_nan_is_no_number():
    with pytest.raises(ValueError, match="NaN"):
        format_number(float("nan"))


@pytest.mark.parametrize(("p", "text"), [(0.0421, "0.042"), (0.001, "0.001"), (9e-4, "<0.001")])
def test_p(p, text):
    assert format_p(p) == text


def test_nan_and_intervals_are_words():
    numbers = Numbers()
    numbers.number("few", float("nan"), otherwise="suppressed")
    numbers.limits("ci", -0.5, 1.25, 2, "cm²", before="95 % CI ")
    numbers.p("p", 1e-9)
    numbers.p("none", float("nan"))
    found = {name: (number.text, number.value) for name, number in numbers.items()}
    assert found == {
        "few": ("suppressed", None),
        "ci": ("95 % CI −0.50 to 1.25\u00a0cm²", None),
        "p": ("<0.001", 1e-9),
        "none": ("not estimable", None),
    }


def test_a_name_is_used_once(tmp_path):
    numbers = Numbers()
    numbers.number("a", 1)
    with pytest.raises(ValueError, match="'a' is there already"):
        numbers.word("a", "1")
    for name in ("one", "two"):
        write_json({"a": {"text": "1", "value": 1.0, "cell": "x"}}, tmp_path / f"{name}.json")
    with pytest.raises(ValueError, match="'a' is in two files"):
        read_numbers(tmp_path)

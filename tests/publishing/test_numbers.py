"""CellNumbers are written one way, and a name is used once."""

import pytest

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.numbers import format_number, format_p, read_numbers


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


def test_numbers_come_back_with_their_cell(tmp_path):
    numbers = CellNumbers()
    numbers.add("dice.psoas", 0.9213, "tbl-dice", 3)
    numbers.add_text("csa.p", "<0.001", "tbl-tests", 1e-9)
    numbers.write(tmp_path / "statistics.json")
    read = read_numbers(tmp_path)
    assert read["dice.psoas"].text == "0.921"
    assert read["dice.psoas"].cell == "tbl-dice"
    assert read["csa.p"].value == 1e-9


def test_a_name_is_used_once(tmp_path):
    numbers = CellNumbers()
    numbers.add("a", 1, "cell")
    with pytest.raises(ValueError, match="'a' is there already"):
        numbers.add_text("a", "1", "cell")
    for name in ("one", "two"):
        numbers.write(tmp_path / f"{name}.json")
    with pytest.raises(ValueError, match="'a' is in two files"):
        read_numbers(tmp_path)

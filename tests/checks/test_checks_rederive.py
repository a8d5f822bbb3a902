import pandas as pd
import pytest

from muscle_study.checks.rederive import compare
from muscle_study.protocol.files import write_json, write_table

TABLE = pd.DataFrame(
    {"participant_id": ["100129", "100130"], "sex": ["male", None], "csa": [38.0, 24.5]}
)
NUMBERS = {"csa.mean": {"text": "31.3", "value": 31.25, "cell": "tbl-a"},
           "csa.word": {"text": "none", "value": None, "cell": "tbl-a"},
           "model.minutes": {"text": "1", "value": 1.0, "cell": "tbl-a"}}  # fmt: skip


def compared(tmp_path, table=TABLE, numbers=NUMBERS):
    own, again = tmp_path / "own", tmp_path / "again"
    write_table(TABLE, own / "a.csv")
    write_table(table, again / "a.csv")
    write_json(NUMBERS, own / "n.json")
    write_json(numbers, again / "n.json")
    return compare([(own / name, again / name) for name in ("a.csv", "n.json")], tmp_path)


def test_the_same_bytes_are_as_they_should_be(tmp_path):
    checked = compared(tmp_path)
    assert (checked.files, checked.problems, checked.notes) == (2, [], [])


def test_another_order_of_sums_is_noted_and_is_not_off(tmp_path):
    checked = compared(tmp_path, TABLE.assign(csa=[38.0, 24.5 * (1 + 1e-8)]))
    assert checked.problems == []
    assert checked.notes == [
        "own/a.csv: not the same bytes, each value within 1e-06 of its own size"
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (TABLE.assign(csa=[38.0, 24.6]), "csa, 1 values off; row 3: 24.5, derived again 24.6"),
        (TABLE.assign(sex=["male", "male"]), "sex, 1 values off"),
        (TABLE.iloc[:1], "2 rows and 3 columns; derived again, 1 and 3"),
    ],
)
def test_a_table_that_is_off_is_named_with_the_value(tmp_path, table, words):
    (problem,) = compared(tmp_path, table).problems
    assert problem.startswith("own/a.csv: ") and words in problem


def test_numbers_are_compared_by_name_and_times_are_not(tmp_path):
    other = {
        "csa.mean": NUMBERS["csa.mean"] | {"value": 31.5},
        "csa.word": NUMBERS["csa.word"] | {"text": "some"},
        "model.minutes": NUMBERS["model.minutes"] | {"value": 2.0},
    }
    assert compared(tmp_path, numbers=other).problems == [
        "own/n.json: csa.mean: 31.25, derived again 31.5",
        "own/n.json: csa.word: none, derived again some",
    ]


def test_what_is_missing_is_said(tmp_path):
    write_table(TABLE, tmp_path / "a.csv")
    checked = compare([(tmp_path / "a.csv", tmp_path / "gone.csv")], tmp_path)
    assert checked.problems == ["a.csv: not derived again"]

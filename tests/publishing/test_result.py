"""Publication of results: files, index and numbers, without those of an earlier run."""

import pandas as pd
import pytest

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.numbers import Numbers, read_numbers
from muscle_study.publishing.result import Absent, Publisher, Result, anchor, read_indexes
from muscle_study.publishing.table import Table

TABLE = Table(pd.DataFrame({"a": [1.5]}), pd.DataFrame({"A": ["1.5"]}), "Caption.")


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    return RunPaths("tiny")


def result(name: str, number: str = "n") -> Result:
    numbers = Numbers()
    numbers.number(number, 2.0)
    return Result(name, TABLE, numbers=numbers, json={"k": 1})


def test_a_result_is_written_under_its_name_and_listed(paths):
    Publisher(paths, "statistics", show=False)(result("dice"), Absent("faults", "none here"))
    files = [f"tables/dice{ending}" for ending in (".csv", ".md", ".caption.md", ".json")]
    assert read_indexes(paths) == {"dice": {"files": files}, "faults": {"absent": "none here"}}
    assert all((paths.reports / file).is_file() for file in files)
    assert read_json(paths.tables / "dice.json") == {"k": 1}
    assert read_numbers(paths.numbers)["n"].cell == "dice"


def test_what_a_stage_published_before_is_gone(paths):
    Publisher(paths, "statistics", show=False)(result("old"))
    Publisher(paths, "extensions", show=False)(result("other", "m"))
    Publisher(paths, "statistics", show=False)(result("new"))
    assert {path.name.partition(".")[0] for path in paths.tables.iterdir()} == {"new", "other"}
    assert set(read_indexes(paths)) == {"new", "other"}


def test_names_are_used_once(paths):
    publish = Publisher(paths, "statistics", show=False)
    publish(result("a"))
    with pytest.raises(ValueError, match="two results are called 'a'"):
        publish(result("a", "m"))
    with pytest.raises(ValueError, match="two numbers are called 'n'"):
        publish(result("b"))
    Publisher(paths, "extensions", show=False)(Absent("a", "here too"))
    with pytest.raises(ValueError, match="another stage has published 'a'"):
        read_indexes(paths)


def test_a_shown_result_leaves_its_anchor(paths, monkeypatch):
    shown = []
    monkeypatch.setattr("muscle_study.publishing.result.display", shown.append)
    Publisher(paths, "statistics")(result("measures_by_age"))
    assert shown[0].data == f'<span id="{anchor("measures_by_age")}"></span>'
    assert anchor("measures_by_age") == "result-measures-by-age"
    assert shown[1] is TABLE

import numpy as np
import pandas as pd
import pytest

from muscle_study.numbers import read_numbers
from muscle_study.paths import RunPaths
from muscle_study.statistics.replicates import KEYS, Plan, replicate, run, summarise

PLAN = Plan(replicates=3, n=600, seed=4)


@pytest.fixture(scope="module")
def one():
    """The first replicate."""
    return replicate(PLAN, 0)


def test_every_reported_estimate_is_judged(one):
    counts = one.groupby("kind").size()
    # both outcomes: all with three terms, each sex with two; six correlations
    assert counts["regression"] == counts["standardised"] == 14
    assert counts["correlation"] == 6
    assert counts["level"] == counts["centile"] == 20
    judged = one[one["kind"] != "centile"]["found"]
    assert set(judged) <= {0.0, 1.0}


def test_a_replicate_does_not_depend_on_others(one):
    again = replicate(PLAN, 0)
    pd.testing.assert_frame_equal(one, again)
    assert not replicate(PLAN, 1)["found"].equals(one["found"])


def test_most_intervals_hold_the_truth(one):
    """Of 34 intervals, under 25 would have a chance of less than one in a million."""
    covered = one[one["kind"].isin(["regression", "standardised", "correlation"])]
    assert covered["found"].sum() >= 25


def test_the_error_is_that_of_a_share():
    rows = [("level", "csa", "male", "two groups", found) for found in [1.0] * 5 + [0.0] * 95]
    row = summarise(pd.DataFrame(rows, columns=[*KEYS, "found"])).iloc[0]
    assert (row["nominal"], row["found"], row["replicates"]) == (5, 5, 100)
    assert row["error"] == pytest.approx(100 * np.sqrt(0.05 * 0.95 / 99))


def test_tables_and_numbers_are_written(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    table = run(Plan(replicates=2, n=400, seed=1), paths)
    assert len(table) == 74
    assert {path.name for path in paths.tables.iterdir()} == {
        "replicates.csv", "replicates.md", "replicates.caption.md"
    }  # fmt: skip
    numbers = read_numbers(paths.numbers)
    assert numbers["replicates.count"].text == "2"
    assert numbers["replicates.coverage_estimates"].text == "34"

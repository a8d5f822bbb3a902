import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from muscle_study.checks import replicates
from muscle_study.checks.replicates import (
    Plan,
    draw,
    estimates,
    replicate,
    run,
    true_values,
)
from muscle_study.cohort.population.truth import coefficient_table
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.numbers import read_numbers
from muscle_study.statistics.analyses.extensions.replicates import INTERVALS, KEYS, summarise

#: A small replicate study.
PLAN = Plan(3, 600, section("statistics", min_cell_count=5, seed=4))


@pytest.fixture(scope="module")
def true():
    """True values, from fewer people than the study takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replicates, "PEOPLE_FOR_TRUTH", 20_000)
        return true_values(PLAN)


@pytest.fixture(scope="module")
def one(true):
    """The first replicate."""
    return replicate(PLAN, 0, true)


def test_every_reported_estimate_is_judged(one):
    counts = one.groupby("kind").size()
    # both outcomes: all with three terms, each sex with two; six correlations
    assert counts["regression"] == counts["standardised"] == 14
    assert counts["correlation"] == counts["interaction"] == 6
    assert counts["allometry"] == 2 * (3 + 3 + 4 + 3 + 2)
    assert counts["secondary"] == 4 * 7
    # men and women, and in each sex three contrasts; age and BMI groups
    assert counts["difference"] == counts["cohen_d"] == 2 * (1 + 2 * 3)
    assert counts["eta_squared"] == 2 * 2 * 2
    assert counts["level"] == counts["centile"] == 20
    judged = one[one["kind"] != "centile"]["found"]
    assert set(judged) <= {0.0, 1.0}


def test_true_values_are_in_closed_form_where_there_is_one(true):
    exact = coefficient_table().set_index(KEYS)["value"]
    for kind in ("regression", "standardised", "correlation"):
        ours = true[true.index.get_level_values("kind") == kind]
        pd.testing.assert_series_equal(ours, exact[ours.index], check_names=False)


def test_closed_form_and_many_people_agree():
    """That of the population is within four standard errors of 20,000 people's."""
    many = estimates(draw(PLAN, 20_000, PLAN.rng(99))).set_index(KEYS)
    exact = coefficient_table().set_index(KEYS)["value"].reindex(many.index).dropna()
    many = many.loc[exact.index]
    error = (many["high"] - many["low"]) / (2 * 1.96)
    assert (abs(many["value"] - exact) < 4 * error).all()


def test_a_replicate_does_not_depend_on_others(one, true):
    again = replicate(PLAN, 0, true)
    pd.testing.assert_frame_equal(one, again)
    assert not replicate(PLAN, 1, true)["found"].equals(one["found"])


def test_most_intervals_hold_the_truth(one):
    """Of 134 dependent intervals; each should hold it in 95 %."""
    covered = one[one["kind"].isin(list(INTERVALS))]
    assert covered["found"].mean() >= 0.8


def test_the_error_is_that_of_a_share():
    rows = [("level", "csa", "male", "two groups", found) for found in [1.0] * 5 + [0.0] * 95]
    row = summarise(pd.DataFrame(rows, columns=[*KEYS, "found"])).iloc[0]
    assert (row["nominal"], row["found"], row["replicates"]) == (5, 5, 100)
    assert row["error"] == pytest.approx(100 * np.sqrt(0.05 * 0.95 / 99))


def test_tables_and_numbers_are_written(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setattr(replicates, "PEOPLE_FOR_TRUTH", 2_000)
    paths = RunPaths("tiny")
    run(Plan(2, 400, PLAN.parameters), paths)
    assert len(read_table(paths.tables / "replicates.csv")) == 134 + 40
    assert {path.name for path in paths.tables.iterdir()} == {
        "replicates.csv", "replicates.md", "replicates.caption.md"
    }  # fmt: skip
    # a line a kind of interval, a test, a centile
    assert len((paths.tables / "replicates.md").read_text().splitlines()) == 2 + 9 + 5 + 5
    numbers = read_numbers(paths.numbers)
    assert numbers["replicates.count"].text == "2"
    assert numbers["replicates.coverage_estimates"].text == "134"

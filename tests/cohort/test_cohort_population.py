"""The drawn population agrees with the published figures."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from muscle_study.cohort.population.calibration import muscle_model
from muscle_study.cohort.population.coefficients import BMI_LIMITS_KG_M2, SEXES, SIDE_LIMITS
from muscle_study.cohort.population.draw import draw_muscles, draw_participants, expected_sizes
from muscle_study.cohort.population.marginals import findings, marginals

#: Of params/demo.yaml.
DEMO_SEED = 20260108


def draw(n, seed):
    rng = np.random.default_rng(seed)
    participants = draw_participants(n, rng)
    return participants.merge(draw_muscles(participants, rng), on="participant_id")


@pytest.fixture(scope="module")
def population():
    return draw(27_805, DEMO_SEED)


def test_demo_has_the_published_means_and_sds(population):
    table = marginals(population).set_index("quantity").loc[["csa", "gluteus"]]
    assert len(table) == 8
    assert table["difference_percent"].abs().max() < 1


def test_demo_resembles_the_cohort(population):
    table = marginals(population).set_index(["quantity", "sex", "statistic"]).sort_index()
    assert (table.loc["age", "difference_percent"] == 0).all()
    off = table["difference_percent"].abs()
    assert off.drop(index=["height"], level="quantity").max() < 2  # of shares, SE up to 1.7 %
    # SE of the fall: 13 cm / 12.4 years / sqrt(27,805) over 55 years
    assert table.loc[("height", "both", "fall"), "value"] == pytest.approx(6, abs=4 * 0.26)
    assert off.loc[("height", ["male", "female"], "mean")].max() < 0.2


def test_demo_shows_the_papers_findings(population):
    table = findings(population)
    assert len(table) == 16
    assert table["holds"].all(), table[~table["holds"]]


def test_finding_that_does_not_hold_is_marked(population):
    shrunk = population.assign(psoas_csa_total_cm2=-population["psoas_csa_total_cm2"])
    table = findings(shrunk).set_index("outcome")
    assert not table.loc["csa", "holds"].any()
    assert table.loc["gluteus", "holds"].all()


@pytest.mark.parametrize("sex", SEXES)
def test_weight_correlates_strongly_with_the_gluteus(population, sex):
    of_sex = population[population["sex"] == sex]
    assert 0.6 < of_sex["gluteus_volume_total_ml"].corr(of_sex["weight_kg"]) < 0.8


def test_table_is_consistent(population):
    assert population["participant_id"].is_unique
    bmi = population["weight_kg"] / (population["height_cm"] / 100) ** 2
    assert (population["bmi_kg_m2"] - bmi).abs().max() < 0.0051
    assert population["bmi_kg_m2"].between(*BMI_LIMITS_KG_M2).all()
    assert set(population["centre"]) == set("ABCDE")
    assert set(population["smoking"]) == {"never", "former", "current"}
    assert set(population["activity"]) == {"low", "moderate", "high"}
    assert population.notna().all(axis=None)


def test_habits_follow_age_and_bmi(population):
    active, low = (population["activity"] == level for level in ("high", "low"))
    assert population.loc[active, "bmi_kg_m2"].mean() < population.loc[low, "bmi_kg_m2"].mean()
    assert population.loc[active, "age_years"].mean() < population.loc[low, "age_years"].mean()
    ages = population.groupby("smoking")["age_years"].mean()
    assert ages["current"] < ages["never"] < ages["former"]


def test_sides_stay_within_the_limits_of_the_anatomy(population):
    columns = {"csa": "psoas_csa_{}_cm2", "gluteus": "gluteus_volume_{}_ml"}
    for measure, column in columns.items():
        sides = [population[column.format(side)] for side in ("left", "right")]
        assert all(side.between(*SIDE_LIMITS[measure]).all() for side in sides)
        pd.testing.assert_series_equal(
            sum(sides), population[column.format("total")], check_names=False
        )


@pytest.mark.parametrize("side", ["left", "right"])
def test_dominant_side_is_larger_by_a_hundredth(population, side):
    people = population[population["dominant_side"] == side]
    other = {"left": "right", "right": "left"}[side]
    difference = people[f"psoas_csa_{side}_cm2"] - people[f"psoas_csa_{other}_cm2"]
    share = 2 * difference / people["psoas_csa_total_cm2"]
    assert share.mean() == pytest.approx(0.01, abs=4 * 0.03 / np.sqrt(len(people)))
    assert share.std() == pytest.approx(0.03, rel=0.06)


def test_psoas_volume_follows_csa_and_height(population):
    ratio = population["psoas_volume_left_ml"] / (
        population["psoas_csa_left_cm2"] * population["height_cm"]
    )
    assert ratio.mean() == pytest.approx(0.10, rel=0.002)
    assert ratio.std() == pytest.approx(0.004, rel=0.03)


def test_residuals_are_correlated_as_assumed(population):
    columns = {"psoas_csa_total_cm2": "csa", "gluteus_volume_total_ml": "gluteus"}
    rest = population[list(columns)].rename(columns=columns) - expected_sizes(population)
    for sex in SEXES:
        of_sex = rest[population["sex"] == sex]
        assert of_sex["csa"].corr(of_sex["gluteus"]) == pytest.approx(0.45, abs=0.03)
        assert of_sex["csa"].std() == pytest.approx(
            muscle_model("csa", sex).residual_sd, rel=4 / np.sqrt(2 * len(of_sex))
        )


def test_fat_rises_with_age_and_bmi(population):
    for column in ("psoas_fat_fraction", "gluteus_fat_fraction"):
        assert population[column].between(0.01, 0.40).all()
        assert population[column].corr(population["age_years"]) > 0.2
        assert population[column].corr(population["bmi_kg_m2"]) > 0.2


def test_same_seed_gives_the_same_people():
    pd.testing.assert_frame_equal(draw(50, 3), draw(50, 3))
    assert not draw(50, 3).equals(draw(50, 4))


def test_participants_are_drawn_independently_of_muscles():
    assert len(draw(1, 0)) == 1
    first, second = (draw_participants(20, np.random.default_rng(5)) for _ in range(2))
    draw_muscles(first, np.random.default_rng(1))
    pd.testing.assert_frame_equal(first, second)


DRAW = """
import numpy as np
from pandas.util import hash_pandas_object
from muscle_study.cohort.population.draw import draw_muscles, draw_participants
rng = np.random.default_rng(1)
people = draw_participants(27805, rng)
muscles = draw_muscles(people, rng)
print(hash_pandas_object(people).sum(), hash_pandas_object(muscles).sum())
"""


def test_the_number_of_threads_changes_nothing():
    drawn = {
        subprocess.run(
            [sys.executable, "-c", DRAW],
            env={**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True, text=True, check=True,
        ).stdout
        for threads in ("1", "2")
    }  # fmt: skip
    assert len(drawn) == 1

"""The drawn population is the one that the published figures describe."""

import numpy as np
import pytest

from muscle_study.cohort.population import (
    MODELS,
    draw_muscles,
    draw_participants,
    residual_sd,
)


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(7)
    participants = draw_participants(27_805, rng)
    muscles = draw_muscles(participants, rng)
    participants["csa_cm2"] = muscles.filter(like="psoas_csa").sum(axis=1)
    participants["gluteus_l"] = muscles.filter(like="gluteus_volume").sum(axis=1) / 1000
    return participants


# Kiefer et al. 2026, abstract
@pytest.mark.parametrize(
    ("sex", "measure", "mean", "sd"),
    [
        ("male", "csa_cm2", 37.92, 5.80),
        ("female", "csa_cm2", 24.47, 3.65),
        ("male", "gluteus_l", 3.384, 0.528),
        ("female", "gluteus_l", 2.386, 0.408),
    ],
)
def test_published_means_and_sds_are_met(population, sex, measure, mean, sd):
    drawn = population.loc[population["sex"] == sex, measure]
    assert drawn.mean() == pytest.approx(mean, rel=0.01)
    assert drawn.std() == pytest.approx(sd, rel=0.02)


@pytest.mark.parametrize("sex", MODELS)
def test_age_and_bmi_act_as_published(population, sex):
    of_sex = population[population["sex"] == sex]
    young = of_sex["age_years"] < 30
    middle = of_sex["age_years"].between(30, 59)
    old = of_sex["age_years"] >= 60
    assert of_sex.loc[young, "csa_cm2"].mean() > of_sex.loc[~young, "csa_cm2"].mean()
    gluteus = of_sex["gluteus_l"]
    assert gluteus[middle].mean() > max(gluteus[young].mean(), gluteus[old].mean())
    heavy = of_sex["bmi_kg_m2"] > 25
    for measure in ("csa_cm2", "gluteus_l"):
        assert of_sex.loc[heavy, measure].mean() > of_sex.loc[~heavy, measure].mean()
    assert 0.6 < of_sex["gluteus_l"].corr(of_sex["weight_kg"]) < 0.8


def test_age_and_sex_follow_the_cohort(population):
    assert (population["sex"] == "male").mean() == pytest.approx(0.557, abs=0.01)
    assert population["age_years"].quantile([0.25, 0.5, 0.75]).tolist() == pytest.approx(
        [41, 49, 57], abs=1
    )
    assert population["age_years"].between(19, 74).all()


def test_table_is_consistent(population):
    assert population["participant_id"].is_unique
    bmi = population["weight_kg"] / (population["height_cm"] / 100) ** 2
    assert (population["bmi_kg_m2"] - bmi).abs().max() < 0.051


def test_residual_sd_completes_the_variance():
    assert residual_sd(5.0, 3.0) == pytest.approx(4.0)
    with pytest.raises(ValueError, match="explain more"):
        residual_sd(1.0, 0.8, 0.8)

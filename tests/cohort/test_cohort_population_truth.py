"""The exported coefficients are those that regressions return."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from muscle_study.cohort.population.calibration import terms
from muscle_study.cohort.population.coefficients import MUSCLES, SEXES
from muscle_study.cohort.population.draw import draw_muscles, draw_participants, expected_sizes
from muscle_study.cohort.population.truth import (
    coefficient_table,
    population_grid,
    population_table,
)
from muscle_study.statistics.methods.linear import fit

COLUMNS = {"csa": "psoas_csa_total_cm2", "gluteus": "gluteus_volume_total_ml"}
EVERYONE = ("both", *SEXES)
NAMES = {"age_years": "age", "bmi_kg_m2": "bmi", "male": "sex"}


@pytest.fixture(scope="module")
def truth():
    table = coefficient_table().set_index(["kind", "outcome", "sex", "term"])
    return table["value"].sort_index()


@pytest.fixture(scope="module")
def population():
    rng = np.random.default_rng(11)
    participants = draw_participants(27_805, rng)
    people = participants.merge(draw_muscles(participants, rng), on="participant_id")
    return people.assign(male=(people["sex"] == "male").astype(float))


@pytest.mark.parametrize("measure", MUSCLES)
@pytest.mark.parametrize("sex", SEXES)
def test_noise_free_values_return_the_model(truth, population, measure, sex):
    people = population[population["sex"] == sex]
    fitted = sm.OLS(expected_sizes(people)[measure], sm.add_constant(terms(people))).fit()
    stored = truth["model", measure, sex].drop("residual_sd").rename({"intercept": "const"})
    assert fitted.params.to_dict() == pytest.approx(stored.to_dict(), rel=1e-6)


@pytest.mark.parametrize("measure", MUSCLES)
@pytest.mark.parametrize("sex", EVERYONE)
def test_weighted_regression_on_the_grid_returns_the_projections(truth, measure, sex):
    people = population_grid(measure, SEXES if sex == "both" else (sex,))
    names = {"age_years": "age", "bmi_kg_m2": "bmi", **({"male": "sex"} if sex == "both" else {})}
    X = sm.add_constant(people[list(names)].astype(float))
    fitted = sm.WLS(people["outcome"], X, people["probability"]).fit()
    params = fitted.params.rename({"const": "intercept", **names})
    assert params.to_dict() == pytest.approx(truth["regression", measure, sex].to_dict(), rel=1e-6)


@pytest.mark.parametrize("measure", MUSCLES)
@pytest.mark.parametrize("sex", EVERYONE)
def test_the_reports_regression_agrees_within_its_error(truth, population, measure, sex):
    people = population if sex == "both" else population[population["sex"] == sex]
    covariates = ["age_years", "bmi_kg_m2", *(["male"] if sex == "both" else [])]
    fitted = fit(people, COLUMNS[measure], covariates, 0.9999)
    found = fitted.terms.set_index("term").rename(index=NAMES)
    for kind, prefix in (("regression", ""), ("standardised", "standardised_")):
        stored = truth[kind, measure, sex].reindex(found.index)
        assert (found[f"{prefix}low"] < stored).all()
        assert (stored < found[f"{prefix}high"]).all()
    assert fitted.r2 == pytest.approx(truth["r2", measure, sex, "r2"], abs=0.02)


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("size", ["weight_kg", "height_cm", "bmi_kg_m2"])
def test_drawn_correlations_agree_within_their_error(truth, population, size, sex):
    people = population[population["sex"] == sex]
    r = people["gluteus_volume_total_ml"].corr(people[size])
    stored = truth["correlation", "gluteus", sex, size]
    # Fisher's z has an SD of 1 / sqrt(n - 3)
    assert np.arctanh(r) == pytest.approx(np.arctanh(stored), abs=4 / np.sqrt(len(people) - 3))


def test_intervals_cover_the_truth_as_often_as_they_say(truth):
    rng = np.random.default_rng(2)
    covered = []
    for _ in range(60):
        people = draw_participants(600, rng)
        people = people.merge(draw_muscles(people, rng), on="participant_id")
        men = people[people["sex"] == "male"]
        found = fit(men, COLUMNS["csa"], ["age_years", "bmi_kg_m2"], 0.9).terms.set_index("term")
        found = found.rename(index=NAMES)
        stored = truth["regression", "csa", "male"].reindex(found.index)
        covered += list((found["low"] < stored) & (stored < found["high"]))
    # 120 intervals of 90 %: binomial SD 2.7 %
    assert np.mean(covered) == pytest.approx(0.9, abs=4 * 0.027)


def test_the_whole_population_has_every_covariate_and_the_same_projections(truth):
    """Activity moves the outcomes, centre does not, and smoking only goes with age and sex."""
    drawn = set(draw_participants(9, np.random.default_rng(1))) - {"participant_id"}
    people = population_table(drawn)
    assert drawn <= set(people)
    assert set(population_table()) == set(people) - {"dominant_side"}
    assert people["probability"].sum() == pytest.approx(1)
    X = pd.get_dummies(people[["sex", "activity", "centre"]], dtype=float)
    X = X[["sex_male", "activity_low", "activity_high", "centre_B"]].assign(
        const=1.0, age=people["age_years"], bmi=people["bmi_kg_m2"]
    )
    pooled = truth["regression", "csa", "both"]
    short = sm.WLS(people["csa"], X[["const", "age", "bmi", "sex_male"]], people["probability"])
    assert short.fit().params.tolist() == pytest.approx(
        pooled[["intercept", "age", "bmi", "sex"]].tolist(), rel=1e-9
    )
    full = sm.WLS(people["csa"], X, people["probability"]).fit().params
    assert full["activity_low"] < -0.5 < 0.5 < full["activity_high"]
    assert full["centre_B"] == pytest.approx(0, abs=1e-9)


def test_table_is_tidy(truth):
    assert truth.index.is_unique
    assert truth.notna().all()
    kinds = {"model", "residual_correlation", "regression", "standardised", "r2", "correlation"}
    assert set(truth.index.get_level_values("kind")) == kinds

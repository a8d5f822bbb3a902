"""The covariates have the published marginals, and the grid integrates over them."""

import numpy as np
import pytest
from scipy.special import ndtri

from muscle_study.cohort.population.coefficients import ACTIVITY, BMI_LIMITS_KG_M2, SEXES
from muscle_study.cohort.population.demographics import (
    age_distribution,
    bmi_curve,
    bmi_latent,
    grid,
    level_probabilities,
    mean_height_cm,
    sex_share,
)
from muscle_study.cohort.population.targets import target


def test_age_quartiles_lie_inside_their_year():
    ages, shares = age_distribution()
    assert (ages[0], ages[-1]) == (19, 74)
    assert (shares > 0).all()
    assert shares.sum() == pytest.approx(1)
    below = dict(zip(ages, shares.cumsum() - shares, strict=True))
    for statistic, share in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
        year = target("age", statistic)
        assert below[year] < share - 0.005 < share + 0.005 < below[year + 1]
    assert below[30] == pytest.approx(0.09)


@pytest.mark.parametrize("sex", SEXES)
def test_height_falls_to_the_published_mean(sex):
    ages, shares = age_distribution()
    assert shares @ mean_height_cm(sex, ages) == pytest.approx(target("height", "mean", sex))
    youngest, oldest = mean_height_cm(sex, ages[[0, -1]])
    assert youngest - oldest == pytest.approx(6)


@pytest.mark.parametrize("sex", SEXES)
def test_bmi_has_published_shares_and_sd(sex):
    ages, shares = age_distribution()
    # quantiles of the normal variable, independent of the quadrature
    quantiles = ndtri((np.arange(20_000) + 0.5) / 20_000)
    bmi = bmi_curve(sex)(bmi_latent(ages[:, None], quantiles))
    weights = np.broadcast_to(shares[:, None] / len(quantiles), bmi.shape)
    mean = np.average(bmi, weights=weights)
    sd = np.sqrt(np.average((bmi - mean) ** 2, weights=weights))
    obese = np.average(bmi >= 30, weights=weights)
    overweight = np.average((bmi >= 25) & (bmi < 30), weights=weights)
    assert 100 * obese == pytest.approx(target("obese", "share", sex), abs=0.01)
    assert 100 * overweight == pytest.approx(target("overweight", "share", sex), abs=0.01)
    assert sd == pytest.approx(target("bmi", "sd", sex), rel=1e-3)
    assert round(mean) == target("bmi", "mean", sex)  # printed in whole numbers
    assert BMI_LIMITS_KG_M2[0] < bmi.min() < bmi.max() < BMI_LIMITS_KG_M2[1]


@pytest.mark.parametrize("sex", SEXES)
def test_bmi_rises_with_its_normal_variable_and_slightly_with_age(sex):
    curve = bmi_curve(sex)
    assert (np.diff(curve(np.linspace(-6, 6, 200))) > 0).all()
    young, old = curve(bmi_latent(np.array([25.0, 65.0]), np.zeros(2)))
    assert 1 < old - young < 4


@pytest.mark.parametrize("sex", SEXES)
def test_grid_is_a_distribution(sex):
    people, probability = grid(sex), grid(sex)["probability"]
    assert (probability > 0).all()
    assert probability.sum() == pytest.approx(1)
    assert people["height_cm"] @ probability == pytest.approx(target("height", "mean", sex))
    variance = (people["bmi_kg_m2"] - people["bmi_kg_m2"] @ probability) ** 2 @ probability
    assert np.sqrt(variance) == pytest.approx(target("bmi", "sd", sex), rel=1e-9)


def test_reference_person_has_the_intercepts_odds():
    age, bmi, male = np.array([[49.0], [26.5], [0.0]])
    (probabilities,) = level_probabilities(ACTIVITY, age, bmi, male)
    odds = probabilities / probabilities[list(ACTIVITY).index("moderate")]
    assert np.log(odds) == pytest.approx([-0.70, 0, -0.40])


def test_shares_of_the_sexes_add_up_to_1():
    assert sum(map(sex_share, SEXES)) == pytest.approx(1)
    assert sex_share("male") == pytest.approx(0.557)

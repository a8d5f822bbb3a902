import numpy as np
import pandas as pd
import pytest
from scipy import stats

from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.statistics.methods.centiles import (
    AGE,
    BODY,
    Centiles,
    Curve,
    choose_knots,
    cross_validate,
    curves_of,
    fit_centiles,
)

#: Standard normal values without chance.
QUANTILES = stats.norm.ppf((np.arange(2000) + 0.5) / 2000)


def constant(m, s, skewness):
    """Return a model whose M, S and L are the same for everyone."""
    flat = Curve((), AGE)
    coefficients = np.array([np.log(m), 0.0]), np.array([np.log(s), 0.0])
    return Centiles(flat, flat, *coefficients, skewness, n=1)


def of_age(n, low=20, high=75):
    """Return people of evenly spread ages, in random order."""
    ages = np.random.default_rng(0).permutation(np.linspace(low, high, n))
    return pd.DataFrame({"age_years": ages, "height_cm": 170.0, "bmi_kg_m2": 25.0})


@pytest.fixture(scope="module")
def women():
    """4,000 women of the synthetic population, with their true measures."""
    rng = np.random.default_rng(5)
    people = draw_participants(9200, rng)
    people = people.merge(draw_muscles(people, rng), on="participant_id")
    return people[people["sex"] == "female"].iloc[:4000].reset_index(drop=True)


def test_z_and_centile_as_the_cdc_computes_them():
    """CDC growth charts, data file notes: a boy of 9.5 months, 9.7 kg: z = 0.207; 5th: 7.90 kg."""
    model = constant(9.476500305, 0.11218624, -0.1600954)
    one = of_age(1)
    assert model.z(one, np.array([9.7]))[0] == pytest.approx(0.207, abs=5e-4)
    assert model.value(one, -1.645)[0] == pytest.approx(7.90, abs=5e-3)


@pytest.mark.parametrize("skewness", [-0.8, 0.0, 5e-5, 1.0])
def test_value_and_z_are_each_others_inverse(skewness):
    model, people = constant(30.0, 0.15, skewness), of_age(1)
    for z in (-2.0, 0.0, 1.5):
        assert model.z(people, model.value(people, z))[0] == pytest.approx(z, abs=1e-6)


@pytest.mark.parametrize(
    ("values", "m", "s", "skewness"),
    [(10 * np.exp(0.2 * QUANTILES), 10, 0.2, 0.0), (10 + 1.5 * QUANTILES, 10, 0.15, 1.0)],
    ids=["log-normal", "normal"],
)
def test_the_fit_finds_known_distributions(values, m, s, skewness):
    people = of_age(len(values))
    flat = Curve((), AGE)
    found = fit_centiles(people, values, flat, flat)
    assert found.skewness == pytest.approx(skewness, abs=0.05)
    assert found.m(people).mean() == pytest.approx(m, rel=0.005)
    assert found.s(people).mean() == pytest.approx(s, rel=0.01)


def test_the_density_is_one():
    model, people = constant(10.0, 0.2, 0.5), of_age(1)
    grid = np.linspace(0.05, 40, 20_000)
    density = np.exp([model.log_density(people, np.array([value]))[0] for value in grid[::20]])
    assert np.trapezoid(density, grid[::20]) == pytest.approx(1, abs=1e-3)


def test_the_fit_is_a_maximum(women):
    values = women["psoas_csa_total_cm2"].to_numpy()
    fitted = fit_centiles(women, values, *curves_of(women, (4, 3), BODY))
    best = fitted.log_density(women, values).sum()
    for field in ("median_coefficients", "spread_coefficients"):
        for i in range(len(getattr(fitted, field))):
            for step in (-1e-3, 1e-3):
                moved = getattr(fitted, field).copy()
                moved[i] += step * max(1, abs(moved[i])) / 50
                other = Centiles(**(vars(fitted) | {field: moved}))
                assert other.log_density(women, values).sum() < best


def test_knots_follow_the_data():
    people = of_age(1500)
    straight = 50 - 0.1 * people["age_years"].to_numpy()
    noise = np.random.default_rng(1).normal(0, 3, len(people))
    assert choose_knots(people, straight + noise, seed=0) == (2, 2)
    bent = 50 - 0.02 * np.clip(people["age_years"] - 45, 0, None).to_numpy() ** 2
    assert choose_knots(people, bent + noise, seed=0)[0] > 2


def test_held_out_people_are_calibrated(women):
    values = women["gluteus_volume_total_ml"].to_numpy()
    _, z = cross_validate(women, values, (4, 2), BODY, seed=0)
    for centile in (3, 10, 50, 90, 97):
        below = (z < stats.norm.ppf(centile / 100)).mean()
        # three standard errors of a share
        error = np.sqrt(centile / 100 * (1 - centile / 100) / len(z))
        assert below == pytest.approx(centile / 100, abs=3 * error)
    # what height and BMI explain narrows the centiles
    assert (
        cross_validate(women, values, (4, 2), BODY, seed=0)[0].mean()
        > cross_validate(women, values, (4, 2), AGE, seed=0)[0].mean() + 0.1
    )

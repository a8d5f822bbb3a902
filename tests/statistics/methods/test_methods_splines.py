import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.methods.splines import fit_spline, knots_at, spline_basis

COVARIATES = {"age": "age_years", "bmi": "bmi_kg_m2"}


def people(n, curve, seed=0):
    """Return people whose outcome follows a curve of age, and BMI in a straight line."""
    generator = np.random.default_rng(seed)
    age, bmi = generator.uniform(20, 75, n), generator.normal(26, 4, n)
    outcome = curve(age) + 0.3 * bmi + generator.normal(0, 2, n)
    return pd.DataFrame({"age_years": age, "bmi_kg_m2": bmi, "outcome": outcome})


def test_the_basis_is_linear_beyond_the_outer_knots():
    knots = np.array([20.0, 35.0, 50.0, 70.0])
    for start in (0.0, 80.0):
        basis = spline_basis(start + np.arange(5.0), knots)
        assert np.diff(basis, n=2, axis=0) == pytest.approx(0, abs=1e-9)


def test_the_basis_as_harrell_defines_it():
    """Regression Modeling Strategies (2015), equations 2.25-2.27, by hand at one value.

    Knots 0, 1, 3 and the value 2: X₂ = [(2-0)³ - (2-1)³ (3-0)/(3-1) + 0] / (3-0)² = 6.5 / 9.
    """
    basis = spline_basis(np.array([2.0]), np.array([0.0, 1.0, 3.0]))
    assert basis[0].tolist() == pytest.approx([2.0, 6.5 / 9])


def test_knots_are_at_harrells_centiles():
    values = np.arange(1001.0)
    assert knots_at(values, 5).tolist() == [50, 275, 500, 725, 950]
    assert knots_at(values, 3).tolist() == [100, 500, 900]


def test_a_spline_follows_a_smooth_curve_and_knows_it_is_one():
    def curve(age):
        return 20 - 0.004 * (age - 30) ** 2

    fitted = fit_spline(people(3000, curve), "outcome", COVARIATES)
    drawn = fitted.curve("age", 0.95)
    truth = curve(drawn["at"]) + 0.3 * fitted.middle["bmi"]
    assert np.abs(drawn["mean"] - truth).max() < 0.4
    assert fitted.nonlinearity("age")["p"] < 1e-6
    assert fitted.result.rsquared > fitted.linear_r2 + 0.02


def test_the_test_for_nonlinearity_has_its_level():
    """Of 300 samples linear in age, about 15 are called curved at 5 %; at most 27 (3 SE)."""
    rejected = sum(
        fit_spline(people(300, lambda age: -0.05 * age, seed), "outcome", COVARIATES).nonlinearity(
            "age"
        )["p"]
        < 0.05
        for seed in range(300)
    )
    assert 4 <= rejected <= 27


def test_too_few_people_or_values_make_no_spline():
    assert fit_spline(people(100, lambda age: age), "outcome", COVARIATES) is None
    few_ages = people(400, lambda age: age).assign(age_years=lambda table: table.index % 2)
    assert fit_spline(few_ages, "outcome", COVARIATES) is None

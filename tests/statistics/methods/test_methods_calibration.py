"""Correction for measurement error."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.methods.calibration import (
    corrected_correlation,
    corrected_regression,
    fit_error_model,
)

#: How a made-up network measures men and women: it flattens differences, and men's more.
LINES = {"male": (12.0, 0.7), "female": (5.0, 0.85)}
SLOPES = {"age_years": -0.1, "bmi_kg_m2": 0.4, "male": 12.0}


def sample(n, generator):
    """Return people with true sizes of known slopes, and measured sizes along `LINES`."""
    male = generator.random(n) < 0.5
    sex = np.where(male, "male", "female")
    age, bmi = generator.uniform(20, 70, n), generator.normal(26, 4, n)
    true = 30 - 0.1 * age + 0.4 * bmi + 12 * male + generator.normal(0, 3, n)
    line = np.array([LINES[one] for one in sex])
    measured = line[:, 0] + line[:, 1] * true + generator.normal(0, 1.5, n)
    return pd.DataFrame(
        {"sex": sex, "male": male * 1.0, "age_years": age, "bmi_kg_m2": bmi, "true": true,
         "outcome": measured}
    )  # fmt: skip


def models_of(pairs):
    return {
        sex: fit_error_model(
            own["true"].to_numpy(),
            own["outcome"].to_numpy(),
            own[["age_years", "bmi_kg_m2"]].to_numpy(),
        )
        for sex, own in pairs.groupby("sex")
    }


def corrected(people, covariates, models):
    design = pd.DataFrame({"Intercept": 1.0, **people[covariates]})
    found = corrected_regression(people["outcome"], design, people["sex"], models, 0.95)
    return found.set_index("term")


def test_intervals_of_corrected_coefficients_hold_the_truth():
    """Of 200 intervals a term, 190 are expected to: 181 to 199 within three standard errors.

    The naive intervals of men against women hold it in none.
    """
    covariates = ["age_years", "bmi_kg_m2", "male"]
    held, naive = dict.fromkeys(SLOPES, 0), 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        people = sample(1500, generator)
        found = corrected(people, covariates, models_of(sample(80, generator)))
        for term, true in SLOPES.items():
            held[term] += found.loc[term, "low"] <= true <= found.loc[term, "high"]
        plain = np.linalg.lstsq(
            np.column_stack([np.ones(1500), people[covariates]]), people["outcome"], rcond=None
        )[0]
        naive += abs(plain[3] - 12) < 1
    assert all(181 <= count <= 199 for count in held.values()), held
    assert naive == 0


def test_one_sex_is_the_naive_coefficient_over_the_slope():
    generator = np.random.default_rng(0)
    men = sample(400, generator).query("sex == 'male'")
    model = models_of(sample(200, generator))["male"]
    found = corrected(men, ["age_years", "bmi_kg_m2"], {"male": model})
    design = np.column_stack([np.ones(len(men)), men["age_years"], men["bmi_kg_m2"]])
    naive = np.linalg.lstsq(design, men["outcome"], rcond=None)[0]
    assert found["value"].to_numpy() == pytest.approx(naive[1:] / model.slope)


def test_spearmans_correction():
    # Spearman (1904): an observed r of 0.4 with a reliability of 0.64 is a true one of 0.5
    found = corrected_correlation(0.4, 0.084, 0.64, 0.0, 0.95)
    assert found["value"] == pytest.approx(0.5)
    # a known reliability widens the error of r by its root: 0.084 / 0.8 / (1 - 0.25) in Fisher's z
    half = 1.959964 * 0.084 / 0.8 / 0.75
    assert np.arctanh(found["high"]) - np.arctanh(0.5) == pytest.approx(half)
    wider = corrected_correlation(0.4, 0.084, 0.64, 0.1, 0.95)
    assert wider["low"] < found["low"]
    assert np.isnan(corrected_correlation(0.7, 0.05, 0.4, 0.0, 0.95)["value"])


def test_an_error_that_depends_on_bmi_is_seen():
    generator = np.random.default_rng(1)
    pairs = sample(300, generator).query("sex == 'female'")
    assert models_of(pairs)["female"].differential_p > 0.05
    worse = pairs.assign(outcome=pairs["outcome"] + 0.5 * pairs["bmi_kg_m2"])
    assert models_of(worse)["female"].differential_p < 0.001


def test_what_cannot_be_corrected():
    generator = np.random.default_rng(2)
    size = generator.normal(30, 4, 60)
    nothing = np.full((60, 2), np.nan)
    assert fit_error_model(size[:10], size[:10], nothing[:10]) is None
    assert fit_error_model(size, generator.normal(30, 4, 60), nothing) is None
    good = fit_error_model(size, size + generator.normal(0, 1, 60), nothing)
    assert np.isnan(good.differential_p)
    low, high = good.slope_interval(0.95)
    assert low < 1 < high

"""Interactions, diagnostics, body size, claims and secondary outcomes."""

import numpy as np
import pandas as pd
import pytest
from statsmodels.datasets import longley
from statsmodels.stats.outliers_influence import variance_inflation_factor

from muscle_study.statistics.body_size import allometry, body_size_table
from muscle_study.statistics.claims import CORRELATION, claims, claims_table
from muscle_study.statistics.comparisons import compare
from muscle_study.statistics.correlation import correlations
from muscle_study.statistics.descriptives import sides_by_age
from muscle_study.statistics.diagnostics import diagnose, diagnostics
from muscle_study.statistics.interactions import interactions, interactions_table
from muscle_study.statistics.published import beside_published
from muscle_study.statistics.regression import fit, fit_all
from muscle_study.statistics.secondary import secondary, secondary_table


def line(n=200, seed=0, **extra):
    """Return y = 2 x + noise."""
    generator = np.random.default_rng(seed)
    x, z = generator.normal(size=(2, n))
    return pd.DataFrame({"x": x, "z": z, "y": 2 * x + generator.normal(size=n), **extra})


def test_partial_r2_is_what_a_term_adds_to_the_others():
    data = line()
    both, alone = fit(data, "y", ["x", "z"], 0.95), fit(data, "y", ["z"], 0.95)
    added = (both.r2 - alone.r2) / (1 - alone.r2)
    assert both.terms.set_index("term").loc["x", "partial_r2"] == pytest.approx(added)


def test_intervals_of_standardised_coefficients_know_the_sds_are_estimates():
    """With one covariate the coefficient is r, whose error is (1 - r²) / √n (Fisher 1915)."""
    data = line(4000)
    term = fit(data, "y", ["x"], 0.95).terms.iloc[0]
    half = (term["standardised_high"] - term["standardised_low"]) / 2
    r = term["standardised"]
    assert half == pytest.approx(1.96 * (1 - r**2) / np.sqrt(4000), rel=0.06)


def test_collinearity_as_statsmodels_has_it():
    data = longley.load_pandas().data
    found = diagnose(fit(data, "TOTEMP", ["GNPDEFL", "GNP", "UNEMP"], 0.95), min_count=1)
    design = np.column_stack([np.ones(16), data[["GNPDEFL", "GNP", "UNEMP"]]])
    largest = max(variance_inflation_factor(design, i) for i in (1, 2, 3))
    assert found["largest_vif"] == pytest.approx(largest)


def test_collinearity_of_longleys_data_as_r_has_it():
    """R: car::vif(lm(Employed ~ ., longley)); GNP has 1788.51, the largest of the six."""
    data = longley.load_pandas().data
    six = ["GNPDEFL", "GNP", "UNEMP", "ARMED", "POP", "YEAR"]
    found = diagnose(fit(data, "TOTEMP", six, 0.95), min_count=1)
    assert found["largest_vif"] == pytest.approx(1788.51, abs=0.01)


def test_diagnostics_see_what_is_wrong():
    sound = line()
    unequal = sound.assign(y=2 * sound["x"] + np.exp(sound["x"]) * sound["z"])
    skewed = sound.assign(y=2 * sound["x"] + np.exp(sound["z"]))
    found = {
        name: diagnose(fit(data, "y", ["x"], 0.95), min_count=1)
        for name, data in (("sound", sound), ("unequal", unequal), ("skewed", skewed))
    }
    assert found["sound"]["heteroscedasticity_p"] > 0.05
    assert found["unequal"]["heteroscedasticity_p"] < 0.001
    assert abs(found["sound"]["residual_skewness"]) < 0.5 < found["skewed"]["residual_skewness"]
    # a participant far off moves the slope; fewer than the threshold are not spoken of
    far = sound.copy()
    far.loc[0, ["x", "y"]] = [8.0, -30.0]
    fitted = fit(far, "y", ["x"], 0.95)
    # such a participant widens the robust error as well, so that the shift nears one of it
    assert diagnose(fitted, 1)["largest_shift_se"] > 0.8
    assert np.isnan(diagnose(fitted, 100)["largest_shift_se"])


def test_diagnostics_of_a_run(study):
    table = diagnostics(study, fit_all(study))
    assert len(table) == 6
    assert table["largest_vif"].between(1, 1.5).all()


def test_interactions_find_what_is_there_and_not_what_is_not(study):
    table = interactions(study).set_index(["outcome", "term"])
    # the made-up measures have none: of six at 5 %, three false ones have a chance of 0.002
    assert (table["p"] < 0.05).sum() < 3
    assert (table["p_holm"] >= table["p"]).all()
    steeper = study.people.assign(
        psoas_csa_total_cm2=lambda people: (
            people["psoas_csa_total_cm2"] - 0.3 * people["age_years"] * (people["sex"] == "male")
        )
    )
    study.__dict__["people"] = steeper  # a cached property
    changed = interactions(study).set_index(["outcome", "term"]).loc[("csa", "age_male")]
    assert changed["low"] < -0.3 + table.loc[("csa", "age_male"), "coefficient"] < changed["high"]
    assert changed["p_holm"] < 0.001
    assert len(interactions_table(study, interactions(study)).text) == 6


def test_allometry_finds_the_exponent_of_height(study):
    generator = np.random.default_rng(3)
    people = study.people
    size = np.exp(generator.normal(0, 0.1, len(people)))
    study.__dict__["people"] = people.assign(
        psoas_csa_total_cm2=10 * (people["height_cm"] / 100) ** 1.7 * size,
        gluteus_volume_total_ml=50 * people["weight_kg"] ** 0.8 * size,
    )
    found = allometry(study).set_index(["outcome", "size", "sex", "term"])
    exponent = found.loc[("csa", "height", "both", "exponent")]
    assert exponent["low"] < 1.7 < exponent["high"]
    exponent = found.loc[("gluteus", "weight", "both", "exponent")]
    assert exponent["low"] < 0.8 < exponent["high"]
    # size alone makes men's muscles larger: the estimated exponent leaves no difference
    assert found.loc[("csa", "none", "both", "male"), "low"] > 5
    left = found.loc[("csa", "height", "both", "male")]
    assert left["low"] < 0 < left["high"]
    text = body_size_table(study, allometry(study)).text
    assert text["Exponent (CI)"].tolist()[:2] == ["0", "2"]


def test_a_synthetic_run_is_as_calibrated_and_a_real_one_agrees(study, study_of, plan):
    judged = claims(study, compare(study), correlations(study))
    assert len(judged) == 12
    words = set(judged["verdict"])
    assert words <= {"as calibrated", "not as calibrated", "undecided"}
    men = judged[(judged["claim"] == CORRELATION) & (judged["sex"] == "male")].iloc[0]
    # made up without height, so that the correlation is weak
    assert men["value"] < 0.5
    assert men["verdict"] != "as calibrated"
    assert "no finding" in claims_table(study, judged).caption
    real = study_of(plan(synthetic=False, n=60, n_test=6, truth=False))
    judged = claims(real, compare(real), correlations(real))
    assert judged.loc[0, "verdict"] == "agrees"
    assert not judged["verdict"].str.contains("calibrated").any()


@pytest.mark.parametrize(
    ("shift", "verdict"), [(0.0, "on target"), (1.0, "above target"), (-1.0, "below target")]
)
def test_verdict_on_a_published_mean(study, shift, verdict):
    people = study.people
    men = (people["sex"] == "male").to_numpy()
    centred = people["psoas_csa_total_cm2"] - people.loc[men, "psoas_csa_total_cm2"].mean()
    study.__dict__["people"] = people.assign(psoas_csa_total_cm2=centred + 37.92 + shift)
    row = beside_published(study).set_index(["quantity", "sex"]).loc[("csa", "male")]
    assert row["verdict"] == verdict


def test_secondary_outcomes(study):
    table = secondary(study)
    assert table["outcome"].nunique() == 4
    assert len(table) == 4 * 7
    # made up without any trend: Holm's correction leaves hardly anything
    assert (table["p_holm"] < 0.05).sum() <= 1
    assert len(secondary_table(study, table).text) == 28


def test_sides_by_age(study):
    text = sides_by_age(study).text
    assert [name for name in text if "left" in name or "right" in name] == list(text.columns[3:])
    assert len(text.columns) == 7

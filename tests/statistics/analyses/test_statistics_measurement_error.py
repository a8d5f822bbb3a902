from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from muscle_study.protocol.files import read_table, write_table
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.numbers import read_numbers
from muscle_study.statistics.analyses.extensions.measurement_error import (
    corrected,
    corrected_correlation,
    corrected_regression,
    error_model_numbers,
    error_model_table,
    error_models,
    error_pairs,
    fit_error_model,
    is_here,
    measurement_error_numbers,
    measurement_error_table,
    reference_errors,
)
from muscle_study.statistics.analyses.muscle_size.correlation import correlations
from muscle_study.statistics.analyses.muscle_size.regression import coefficients, fit_all
from muscle_study.statistics.study.measures import CSA

#: How a made-up network measures men and women: it flattens differences, and men's more.
LINES = {"male": (12.0, 0.7), "female": (5.0, 0.85)}
SLOPES = {"age": -0.1, "bmi": 0.4, "sex": 12.0}


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


def test_intervals_of_corrected_coefficients_hold_the_truth():
    """Of 200 intervals a term, 190 are expected to: 181 to 199 within three standard errors.

    The naive intervals of men against women hold it in none.
    """
    covariates = ["age_years", "bmi_kg_m2", "male"]
    held, naive = dict.fromkeys(SLOPES, 0), 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        people = sample(1500, generator)
        found = corrected_regression(
            people, covariates, models_of(sample(80, generator)), 0.95
        ).set_index("term")
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
    found = corrected_regression(men, ["age_years", "bmi_kg_m2"], {"male": model}, 0.95)
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


def test_naive_and_corrected_of_a_run(study):
    models = error_models(study)
    pairs = error_pairs(study, CSA)
    assert (pairs["measured"] / pairs["true"]).mean() == pytest.approx(1 / 1.01, rel=0.01)
    table = corrected(study, coefficients(fit_all(study)), correlations(study), models)
    assert len(table) == 20
    assert table["value_corrected"].notna().all()
    # that the error model is an estimate widens each interval of a slope
    known = {
        key: replace(model, covariance=np.zeros((2, 2))) if model else None
        for key, model in models.items()
    }
    if_known = corrected(study, coefficients(fit_all(study)), correlations(study), known)
    width, width_if_known = (
        (each["high_corrected"] - each["low_corrected"])[each["kind"] == "regression"]
        for each in (table, if_known)
    )
    assert (width > width_if_known).all()
    assert CSA.unit in error_model_table(study, models).text["Noise SD"].iloc[0]
    assert len(measurement_error_table(study, table).text) == 20


def test_few_pairs_leave_the_naive_alone(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    models = error_models(study)
    assert set(models.values()) == {None}
    table = corrected(study, coefficients(fit_all(study)), correlations(study), models)
    assert table["value_corrected"].isna().all()
    assert table["value_naive"].notna().any()
    assert set(measurement_error_table(study, table).text["Corrected (CI)"]) == {"–"}


def test_a_run_without_truth_takes_the_reference_labels_for_it(study_of, plan):
    study = study_of(plan(n=300, n_test=80, truth=False, synthetic=False, seed=12))
    scores = read_table(study.paths.measurements / "segmentation_quality.csv")
    measures = study.measures.set_index("participant_id")
    one = scores["participant_id"].iloc[0]
    own = scores[scores["participant_id"] == one].set_index("structure")["csa_error"]
    reference = sum(
        measures.loc[one, f"psoas_csa_{side}_cm2"] / (1 + own[f"psoas_{side}"])
        for side in ("left", "right")
    )
    errors = reference_errors(study, CSA.column)
    total = measures.loc[one, "psoas_csa_total_cm2"]
    assert errors[one] == pytest.approx(total - reference)
    assert is_here(study)
    models = error_models(study)
    table = corrected(study, coefficients(fit_all(study)), correlations(study), models)
    assert table["value_corrected"].notna().any()
    assert table["true"].isna().all()
    assert "True" not in measurement_error_table(study, table).text
    assert "reference labels" in error_model_table(study, models).caption


def test_a_muscle_that_is_not_found_is_no_pair(study_of, plan):
    study = study_of(plan(n=300, n_test=80, truth=False, synthetic=False, seed=13))
    path = study.paths.measurements / "segmentation_quality.csv"
    before = len(error_pairs(study, CSA))
    scores = read_table(path)
    scores.loc[0, "csa_error"] = np.nan
    write_table(scores, path)
    assert len(error_pairs(study, CSA)) == before - 1


def test_the_text_counts_the_tests_that_speak_against_the_correction(study, tmp_path):
    models = error_models(study)
    p = {("csa", "male"): 0.01, ("csa", "female"): np.nan, ("gluteus", "male"): 0.2}
    models |= {key: replace(models[key], differential_p=value) for key, value in p.items()}
    models["gluteus", "female"] = None
    numbers = CellNumbers()
    error_model_numbers(study, models, numbers, "cell")
    numbers.write(tmp_path / "n.json")
    written = read_numbers(tmp_path)
    assert written["corrected.error_tests"].value == 2
    assert written["corrected.error_tests_rejected"].value == 1


def test_the_text_counts_corrections_that_come_nearer_to_the_truth(study, tmp_path):
    models = error_models(study)
    table = corrected(study, coefficients(fit_all(study)), correlations(study), models)
    better = table.assign(value_corrected=0.9 * table["true"] + 0.1 * table["value_naive"])
    better.loc[:3, "value_corrected"] = better.loc[:3, "true"] + 2 * (
        better.loc[:3, "value_naive"] - better.loc[:3, "true"]
    )
    numbers = CellNumbers()
    measurement_error_numbers(study, better, numbers, "cell")
    numbers.write(tmp_path / "n.json")
    assert read_numbers(tmp_path)["corrected.nearer"].value == 16

from dataclasses import replace

import numpy as np
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.extensions.measurement_error import (
    corrected,
    error_model,
    error_models,
    error_pairs,
    measurement_error,
    measurement_error_numbers,
    reference_errors,
)
from muscle_study.statistics.parameters import PAPER_MODELS, Model
from muscle_study.statistics.study.measures import CSA


def with_errors(study, models):
    """Return the study with these error models in place of its own."""
    study.__dict__["_found"][error_models] = models
    return study


def test_naive_and_corrected_of_a_run(study):
    pairs = error_pairs(study, CSA)
    assert (pairs["measured"] / pairs["true"]).mean() == pytest.approx(1 / 1.01, rel=0.01)
    models = error_models(study)
    table = corrected(study)
    assert len(table) == 20
    assert table["value_corrected"].notna().all()
    assert CSA.unit in error_model(study).table.text["Noise SD"].iloc[0]
    assert len(measurement_error(study).table.text) == 20
    # that the error model is an estimate widens each interval of a slope
    known = {
        key: replace(model, covariance=np.zeros((2, 2))) if model else None
        for key, model in models.items()
    }
    if_known = corrected(with_errors(study, known))
    width, width_if_known = (
        (each["high_corrected"] - each["low_corrected"])[each["kind"] == "regression"]
        for each in (table, if_known)
    )
    assert (width > width_if_known).all()


def test_the_model_beside_is_the_one_corrected(study):
    """In one sex a corrected coefficient is the naive one over the slope, in every model."""
    old = Model(
        name="old", title="Old", formula="bmi_kg_m2 + age_years", sex="male",
        subset="age_years >= 40",
    )  # fmt: skip
    parameters = study.parameters.model_copy(update={"models": [*PAPER_MODELS, old]})
    study = replace(study, parameters=parameters)
    table = corrected(study)
    own = table[(table["model"] == "old") & (table["outcome"] == "csa")]
    assert own["term"].tolist() == ["bmi", "age"]
    slope = study.once(error_models)["csa", "male"].slope
    assert own["value_corrected"].tolist() == pytest.approx((own["value_naive"] / slope).tolist())


def test_few_pairs_leave_the_naive_alone(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    assert set(error_models(study).values()) == {None}
    table = corrected(study)
    assert table["value_corrected"].isna().all()
    assert table["value_naive"].notna().any()
    assert set(measurement_error(study).table.text["Corrected (CI)"]) == {"–"}


def test_a_run_without_truth_and_too_few_references_has_no_correction(study_of, plan):
    study = study_of(plan(n=60, n_test=6, truth=False, synthetic=False))
    assert isinstance(error_model(study), Absent)
    assert isinstance(measurement_error(study), Absent)


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
    table = corrected(study)
    assert table["value_corrected"].notna().any()
    assert table["true"].isna().all()
    assert "True" not in measurement_error(study).table.text
    assert "reference labels" in error_model(study).table.caption


def test_a_muscle_that_is_not_found_is_no_pair(study_of, plan):
    study = study_of(plan(n=300, n_test=80, truth=False, synthetic=False, seed=13))
    path = study.paths.measurements / "segmentation_quality.csv"
    before = len(error_pairs(study, CSA))
    scores = read_table(path)
    scores.loc[0, "csa_error"] = np.nan
    write_example(scores, path)
    assert len(error_pairs(study, CSA)) == before - 1


def test_the_text_counts_the_tests_that_contradict_the_correction(study):
    models = error_models(study)
    p = {("csa", "male"): 0.01, ("csa", "female"): np.nan, ("gluteus", "male"): 0.2}
    models |= {key: replace(models[key], differential_p=value) for key, value in p.items()}
    models["gluteus", "female"] = None
    numbers = dict(error_model(with_errors(study, models)).numbers.items())
    assert numbers["corrected.error_tests"].value == 2
    assert numbers["corrected.error_tests_rejected"].value == 1


def test_the_text_counts_corrections_that_come_nearer_to_the_truth(study):
    table = corrected(study)
    better = table.assign(value_corrected=0.9 * table["true"] + 0.1 * table["value_naive"])
    better.loc[:3, "value_corrected"] = better.loc[:3, "true"] + 2 * (
        better.loc[:3, "value_naive"] - better.loc[:3, "true"]
    )
    numbers = dict(measurement_error_numbers(study, better).items())
    assert numbers["corrected.nearer"].value == 16
    assert numbers["corrected.csa.age"].value == better.loc[0, "value_corrected"]

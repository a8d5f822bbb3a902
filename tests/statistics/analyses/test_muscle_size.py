import pytest

from muscle_study.statistics.analyses.muscle_size.comparisons import (
    COLUMNS,
    compare,
    comparisons_table,
)
from muscle_study.statistics.analyses.muscle_size.correlation import correlations


def test_all_comparisons_of_a_run(study):
    tests = compare(study)
    assert len(tests) == 22
    assert tests["p"].notna().all()
    assert (tests["p_holm"] >= tests["p"]).all()
    sex = tests[(tests["outcome"] == "csa") & (tests["comparison"] == "sex")].iloc[0]
    means = study.people.groupby("sex")["psoas_csa_total_cm2"].mean()
    assert sex["difference"] == pytest.approx(means["male"] - means["female"])


def test_nothing_to_compare(study_of, plan):
    study = study_of(plan(n=30, demographics=False, truth=False, n_test=0))
    tests = compare(study)
    assert tests[COLUMNS].isna().all(axis=None)
    assert set(comparisons_table(study, tests).text["p"]) == {"–"}


def test_correlations_of_a_run(study):
    found = correlations(study)
    assert found[["with", "sex"]].drop_duplicates().shape[0] == len(found) == 6
    men = study.of_sex("male")
    expected = men["gluteus_volume_total_ml"].corr(men["weight_kg"])
    assert found.set_index(["with", "sex"]).loc[("weight_kg", "male"), "r"] == pytest.approx(
        expected
    )

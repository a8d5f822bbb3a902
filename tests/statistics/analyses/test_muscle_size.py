from dataclasses import replace

import matplotlib as mpl
import pytest

from muscle_study.protocol.covariates import Covariate
from muscle_study.publishing.disclosure import MARK
from muscle_study.statistics.analyses.muscle_size import (
    age_bmi,
    beside_published,
    claims,
    compare_groups,
    measures,
    measures_by_bmi,
    outcomes_by_age,
    outcomes_by_bmi,
    population,
    sides_by_age,
)
from muscle_study.statistics.analyses.muscle_size.claims import CORRELATION, judge
from muscle_study.statistics.analyses.muscle_size.comparisons import COLUMNS, compare
from muscle_study.statistics.analyses.muscle_size.correlation import correlations
from muscle_study.statistics.analyses.muscle_size.published import compare_published
from muscle_study.statistics.study.paper import published

mpl.use("Agg")


def test_population(study):
    text = population(study).table.text.set_index("Characteristic")
    men = study.of_sex("male")
    assert text.loc["Participants, n", "Men"] == str(len(men))
    n = (men["age_years"] < 30).sum()
    assert text.loc["Age <30 years, n (%)", "Men"] == f"{n} ({100 * n / len(men):.1f})"


def test_declared_covariates_are_in_the_population_by_sex(study):
    covariates = (
        Covariate(name="smoking", label="smoking", kind="categorical", levels=["never", "current"]),
        Covariate(name="grip_kg", label="grip", kind="continuous", unit="kg", digits=2),
    )
    place = study.people.groupby("sex").cumcount()
    people = study.people.assign(
        smoking=place.map(lambda i: "never" if i < 40 else None if i < 43 else "current"),
        grip_kg=place + 0.5,
    )
    text = population(
        replace(study, everyone=people, covariates=covariates, _found={})
    ).table.text.set_index("Characteristic")
    n = (people["sex"] == "male").sum()
    assert text.loc["Grip (kg), mean ± SD", "Men"].startswith(f"{n / 2:.2f}\u00a0±")
    assert text.loc["Smoking: current, n (%)", "Men"] == f"{n - 43} ({100 * (n - 43) / n:.1f})"
    # three without a level are few: both levels and the total would tell how many
    assert text.loc["Smoking: missing, n (%)", "Men"] == MARK
    assert text.loc["Smoking: never, n (%)", "Men"] == MARK


def test_measures_by_sex(study):
    table = measures(study).table
    women = study.of_sex("female")["gluteus_volume_total_ml"]
    row = table.data.query("measure == 'gluteus_volume_total_ml' and sex == 'female'").iloc[0]
    assert row["mean"] == pytest.approx(women.mean())
    assert row["sd"] == pytest.approx(women.std())
    assert "Synthetic cohort" in table.caption


def test_small_groups_are_hidden_in_every_form(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    table = measures_by_bmi(study).table
    suppressed = table.data[table.data["suppressed"]]
    assert len(suppressed)
    assert suppressed[["n", "mean", "sd", "median", "q1", "q3"]].isna().all(axis=None)
    assert (table.data["n"].dropna() >= 5).all()
    assert "not shown" in table.caption


def test_published_figures_and_the_difference():
    assert published("csa", "mean", "male") == 37.92
    assert published("participants", "n") == 27805
    with pytest.raises(KeyError):
        published("csa", "median", "male")


def test_a_synthetic_run_claims_no_finding(study, study_of, plan):
    table = beside_published(study).table
    assert "calibration and not a finding" in table.caption
    assert (table.data["difference"] == table.data["mean"] - table.data["published_mean"]).all()
    real = beside_published(study_of(plan(synthetic=False, n=60, n_test=6, truth=False))).table
    assert "calibration" not in real.caption
    assert "Synthetic" not in real.caption


def test_sides_by_age(study):
    text = sides_by_age(study).table.text
    assert [name for name in text if "left" in name or "right" in name] == list(text.columns[3:])
    assert len(text.columns) == 7


def test_all_comparisons_of_a_run(study):
    compared = compare(study)
    assert len(compared) == 22
    assert compared["p"].notna().all()
    assert (compared["p_holm"] >= compared["p"]).all()
    sex = compared[(compared["outcome"] == "csa") & (compared["comparison"] == "sex")].iloc[0]
    means = study.people.groupby("sex")["psoas_csa_total_cm2"].mean()
    assert sex["difference"] == pytest.approx(means["male"] - means["female"])


def test_nothing_to_compare(study_of, plan):
    study = study_of(plan(n=30, demographics=False, truth=False, n_test=0))
    compared = compare(study)
    assert compared[COLUMNS].isna().all(axis=None)
    assert set(compare_groups(study).table.text["p"]) == {"–"}


def test_correlations_of_a_run(study):
    found = correlations(study)
    assert found[["with", "sex"]].drop_duplicates().shape[0] == len(found) == 6
    men = study.of_sex("male")
    expected = men["gluteus_volume_total_ml"].corr(men["weight_kg"])
    assert found.set_index(["with", "sex"]).loc[("weight_kg", "male"), "r"] == pytest.approx(
        expected
    )


def test_a_synthetic_run_is_as_calibrated_and_a_real_one_agrees(study, study_of, plan):
    judged = judge(study)
    assert len(judged) == 12
    words = set(judged["verdict"])
    assert words <= {"as calibrated", "not as calibrated", "undecided"}
    men = judged[(judged["claim"] == CORRELATION) & (judged["sex"] == "male")].iloc[0]
    # made up without height, so that the correlation is weak
    assert men["value"] < 0.5
    assert men["verdict"] != "as calibrated"
    assert "no finding" in claims(study).table.caption
    real = study_of(plan(synthetic=False, n=60, n_test=6, truth=False))
    judged = judge(real)
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
    row = compare_published(study).set_index(["quantity", "sex"]).loc[("csa", "male")]
    assert row["verdict"] == verdict


def test_cells_of_age_and_bmi_show_quartiles_of_those_that_are_large(study_of, plan):
    study = study_of(plan(n=400))
    table = age_bmi(study).figure.data
    people = study.people.groupby(["sex", "age_group", "bmi_group"], observed=True)
    large = {cell for cell, n in people.size().items() if n >= 20}
    assert set(table[["sex", "age_group", "bmi_group"]].itertuples(index=False, name=None)) == large
    row = table[table["outcome"] == "csa"].iloc[0]
    cell = people.get_group((row["sex"], row["age_group"], row["bmi_group"]))
    assert row["median"] == pytest.approx(cell["psoas_csa_total_cm2"].median())


def test_the_data_behind_boxes_are_their_centiles(study_of, plan):
    study = study_of(plan(n=400))
    picture = outcomes_by_age(study).figure
    box = picture.data.query("outcome == 'csa' and sex == 'male' and group == '40–49'").iloc[0]
    men = study.of_sex("male")
    values = men.loc[men["age_group"] == "40–49", "psoas_csa_total_cm2"]
    assert box["n"] == len(values)
    assert box["quartile_low"] == pytest.approx(values.quantile(0.25))


def test_small_groups_are_not_drawn(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    picture = outcomes_by_bmi(study).figure
    shown = study.group_counts.query("grouping == 'bmi_group' and not hidden")
    assert len(picture.figure.axes[0].patches) == len(shown) < 6

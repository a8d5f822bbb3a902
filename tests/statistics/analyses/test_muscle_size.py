from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.path import Path

from muscle_study.protocol.covariates import Covariate
from muscle_study.publishing.density import SHARES
from muscle_study.publishing.disclosure import MARK
from muscle_study.statistics.analyses.muscle_size import (
    age_bmi,
    beside_published,
    claims,
    compare_groups,
    correlation,
    measures,
    measures_by_bmi,
    outcomes_by_age,
    outcomes_by_bmi,
    population,
    sides_by_age,
    weight,
)
from muscle_study.statistics.analyses.muscle_size.claims import CORRELATION, judge
from muscle_study.statistics.analyses.muscle_size.comparisons import COLUMNS, compare
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
    text = population(replace(study, everyone=people, covariates=covariates)).table.text.set_index(
        "Characteristic"
    )
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
    found = correlation(study).table.data
    assert found[["with", "sex"]].drop_duplicates().shape[0] == len(found) == 6
    men = study.of_sex("male")
    expected = men["gluteus_volume_total_ml"].corr(men["weight_kg"])
    row = found.set_index(["with", "sex"]).loc[("weight_kg", "male")]
    assert row["r"] == pytest.approx(expected)
    assert row["n"] == len(men)


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


def test_lines_of_age_and_bmi_are_the_medians_of_large_groups(study_of, plan):
    study = study_of(plan(n=400))
    picture = age_bmi(study).figure
    people = study.people.groupby(["sex", "age_group", "bmi_group"], observed=True)
    large = [cell for cell, n in people.size().items() if n >= 20]
    cells = picture.data[["sex", "age_group", "bmi_group"]].itertuples(index=False, name=None)
    assert set(cells) == set(large)
    axes = picture.figure.axes[0]  # CSA of men, a line a BMI group
    for line, bmi in zip(axes.lines, study.groupings["bmi_group"].labels, strict=True):
        drawn = [people.get_group(cell) for cell in large if cell[::2] == ("male", bmi)]
        medians = [group["psoas_csa_total_cm2"].median() for group in drawn]
        assert line.get_ydata() == pytest.approx(medians)


def test_boxes_are_the_groups_quartiles(study_of, plan):
    study = study_of(plan(n=400))
    picture = outcomes_by_age(study).figure
    labels = study.groupings["age_group"].labels
    of_group = study.people.groupby(["sex", "age_group"], observed=True)["psoas_csa_total_cm2"]
    data = picture.data[picture.data["outcome"] == "csa"].set_index(["sex", "group"])
    assert data["n"].to_dict() == of_group.count().to_dict()
    assert data["quartile_low"].to_dict() == pytest.approx(of_group.quantile(0.25).to_dict())
    # each median is drawn at its group, men on the left of it
    medians = {
        np.mean(line.get_xdata()): line.get_ydata()[0]
        for line in picture.figure.axes[0].lines
        if line.get_linewidth() == 1.2
    }
    expected = {
        labels.index(group) + (-0.21 if sex == "male" else 0.21): median
        for (sex, group), median in of_group.median().items()
    }
    assert sorted(medians) == pytest.approx(sorted(expected))
    assert [medians[at] for at in sorted(medians)] == pytest.approx(
        [expected[at] for at in sorted(expected)]
    )


def test_small_groups_are_not_drawn(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    picture = outcomes_by_bmi(study).figure
    shown = study.group_counts.query("grouping == 'bmi_group' and not hidden")
    assert len(picture.figure.axes[0].patches) == len(shown) < 6


def test_weight_has_each_sexs_regression_line_and_contours(study):
    picture = weight(study).figure
    axes = picture.figure.axes[0]
    for line, sex in zip(axes.lines, ("male", "female"), strict=True):
        people = study.of_sex(sex)
        slope, intercept = np.polyfit(
            people["weight_kg"], people["gluteus_volume_total_ml"] / 1000, 1
        )
        assert line.get_ydata() == pytest.approx(intercept + slope * line.get_xdata())
        ends = people["weight_kg"].quantile([0.05, 0.95])
        assert line.get_xdata()[[0, -1]].tolist() == pytest.approx(ends.tolist())
        r = np.corrcoef(people["weight_kg"], people["gluteus_volume_total_ml"])[0, 1]
        assert line.get_label().endswith(f"(r = {r:.2f})")
    # contours of the estimated density, which is a little broader than the points
    men = study.of_sex("male")
    points = np.column_stack([men["weight_kg"], men["gluteus_volume_total_ml"] / 1000])
    for share in SHARES:
        inside = np.zeros(len(points), bool)
        for _, corners in picture.data.query("sex == 'male' and share == @share").groupby("line"):
            contour = Path(corners[["weight_kg", "volume_l"]].to_numpy())
            inside |= contour.contains_points(points)
        assert share - 0.03 < inside.mean() < share + 0.12, share

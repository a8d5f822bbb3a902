import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.analyses.extensions import (
    body_size,
    centile_calibration,
    centile_model,
    centiles,
    nonlinearity,
    secondary,
    splines,
    surfaces,
)
from muscle_study.statistics.analyses.extensions.body_size import allometry
from muscle_study.statistics.analyses.extensions.centiles import fit_charts, limits_of
from muscle_study.statistics.analyses.extensions.splines import fit_splines

mpl.use("Agg")


def test_a_run_of_few_people_has_no_tests_for_nonlinearity(study):
    table = nonlinearity(study).table.data
    assert len(table) == 8
    assert table["p"].isna().all()


def test_curves_and_surfaces_are_the_models_means(study_of, plan):
    study = study_of(plan(n=600))
    fitted = study.once(fit_splines)["gluteus", "male"]
    curve = splines(study).figure.figure.axes[2].lines[0]  # gluteus volume by age; men first
    at = {"age": curve.get_xdata(), "bmi": np.full(80, fitted.middle["bmi"])}
    assert curve.get_ydata() == pytest.approx(fitted.predict(at, 0.95)["mean"] / 1000)
    table = surfaces(study).figure.data
    assert (table["low"] < table["mean"]).all() and (table["mean"] < table["high"]).all()
    grid = table.query("outcome == 'gluteus' and sex == 'male'").reset_index(drop=True)
    at = {name: grid[name].to_numpy() for name in ("age", "bmi")}
    assert grid["mean"].to_numpy() == pytest.approx(fitted.predict(at, 0.95)["mean"].to_numpy())
    assert (grid["age"].min(), grid["age"].max()) == fitted.shown["age"]


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
    text = body_size(study).table.text
    assert text["Exponent (CI)"].tolist()[:2] == ["0", "2"]


def test_secondary_outcomes(study):
    table = secondary(study).table.data
    assert table["outcome"].nunique() == 4
    assert len(table) == 4 * (7 + 3)  # and the intercepts
    # made up without any trend: Holm's correction leaves hardly anything
    assert (table["p_holm"] < 0.05).sum() <= 1
    assert len(secondary(study).table.text) == 28


def test_charts_end_before_single_people_do():
    ages = np.linspace(20, 75, 200)
    people = pd.DataFrame({"age_years": ages, "height_cm": 170.0, "bmi_kg_m2": 25.0})
    limits = limits_of(people, min_count=5)["age_years"]
    assert (people["age_years"] < limits[0]).sum() >= 5
    assert (people["age_years"] > limits[1]).sum() >= 5


def test_charts_of_a_run(study_of, plan):
    study = study_of(plan(n_simulated=400))
    charts = study.once(fit_charts)
    found = centiles(study)
    values = found.table.data
    assert (np.diff(values[[f"centile_{c}" for c in (3, 10, 50, 90, 97)]], axis=1) > 0).all()
    assert len(found.table.text) > 8
    calibrated = centile_calibration(study).table
    overall = calibrated.data[calibrated.data["age_group"] == "all"]
    assert overall["z_sd"].between(0.9, 1.1).all()
    assert len(calibrated.text) == 8
    # the curves drawn are the models' centiles, the middle one the thickest
    chart, axes = charts["gluteus", "male", "age"], found.figure.figure.axes[2]
    drawn = max(axes.lines, key=lambda line: line.get_linewidth())
    people = pd.DataFrame({"age_years": drawn.get_xdata()})
    assert drawn.get_ydata() == pytest.approx(chart.model.m(people) / 1000)
    assert drawn.get_xdata()[[0, -1]].tolist() == list(chart.limits["age_years"])


def test_the_coefficients_alone_give_the_same_median(study_of, plan):
    study = study_of(plan(n_simulated=400))
    written = centile_model(study).json
    assert written["synthetic"] is True
    assert len(written["models"]) == 8
    straight = [
        model for model in written["models"] if model["design"] == "age" and not model["m"]["knots"]
    ]
    assert straight
    for model in straight:
        chart = study.once(fit_charts)[model["measure"], model["sex"], "age"]
        intercept, slope = model["m"]["coefficients"]
        median = chart.model.m(pd.DataFrame({"age_years": [50.0]}))[0]
        assert np.exp(intercept + 50 * slope) == pytest.approx(median)


def test_too_few_people_have_no_chart(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    assert set(study.once(fit_charts).values()) == {None}
    assert centiles(study).table.text["50"].tolist() == ["–"]
    calibrated = centile_calibration(study)
    assert calibrated.table.data.empty
    assert dict(calibrated.numbers.items())["centiles.age_largest_miss"].text == "not estimable"

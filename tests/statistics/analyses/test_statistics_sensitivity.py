import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.paths import ROOT
from muscle_study.statistics.analyses.extensions.sensitivity import (
    COVARIATES,
    FEWEST_CENTRES,
    exclusion_weights,
    fit_terms,
    impute_and_fit,
    incomplete_people,
    sensitivity,
    sensitivity_table,
)
from muscle_study.statistics.methods.imputation import impute, imputed, pool
from muscle_study.statistics.study.measures import CSA
from muscle_study.statistics.study.study import Study

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))


def test_rubins_rules_by_hand():
    """Three estimates 1, 2, 3 of variance 1: within 1, between 1, total 1 + 4/3 · 1 = 7/3.

    Share lost 4/7; Rubin's degrees 2 / (4/7)² = 6.125, against 100 · 101/103 · 3/7 of the data.
    """
    found = pool(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1)), 100, 0.95).iloc[0]
    assert found["value"] == 2
    assert found["lost"] == pytest.approx(4 / 7)
    degrees = 1 / (1 / 6.125 + 1 / (100 * 101 / 103 * 3 / 7))
    assert degrees == pytest.approx(5.346, abs=1e-3)
    # Student's 97.5 % point on 5.346 degrees is 2.522
    assert found["high"] - 2 == pytest.approx(2.522 * np.sqrt(7 / 3), abs=2e-3)


def test_nothing_missing_changes_nothing():
    data = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 4, 5]})
    assert impute(data, np.random.default_rng(0)).equals(data)
    found = pool(np.full((5, 1), 2.0), np.ones((5, 1)), 1e6, 0.95).iloc[0]
    assert found["high"] - 2 == pytest.approx(1.96, abs=1e-3)


def test_imputation_undoes_what_complete_cases_get_wrong():
    """x is missing where y is large: complete cases give too small a slope, imputed ones do not."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, 4000)
    y = x + rng.normal(0, 1, 4000)
    data = pd.DataFrame({"x": np.where(rng.random(4000) < (y > 0.5) * 0.7, np.nan, x), "y": y})

    def slope(table):
        design = np.column_stack([np.ones(len(table)), table["x"]])
        value, rss, _, _ = np.linalg.lstsq(design, table["y"], rcond=None)
        variance = rss[0] / (len(table) - 2) * np.linalg.inv(design.T @ design)[1, 1]
        return value[1:], np.array([variance]), len(table) - 2

    complete = slope(data.dropna())[0][0]
    found = imputed(data, slope, 0.95, seed=1).iloc[0]
    assert complete < 0.93
    assert found["low"] < 1 < found["high"]
    assert 0.05 < found["lost"] < 0.5


@pytest.mark.skipif(not (REAL / "tables").is_dir(), reason=f"no real tables in {REAL}")
def test_real_people_with_missing_values_imputed():
    """NHANES: where weight is lacking of some, imputing it gives the complete table's slopes."""
    people = pd.read_csv(REAL / "tables" / "nhanes_2011_2018_dxa.csv")
    people = people[people["age_screen_yr"].between(20, 59)].dropna(subset=["lean_kg", "bmi_kgm2"])
    people = people.iloc[:3000].rename(columns={"age_screen_yr": "age_years", "lean_kg": "outcome"})
    people = people.assign(male=(people["gender"] == "Male") * 1.0).dropna(subset=["height_cm"])
    whole = impute_and_fit(people, 0.95, seed=0)
    lacking = people.assign(weight_kg=people["weight_kg"].mask(np.arange(len(people)) % 5 == 0))
    found = impute_and_fit(lacking, 0.95, seed=0)
    width = whole[:, 2] - whole[:, 1]
    assert (np.abs(found[:, 0] - whole[:, 0]) < width / 2).all()
    assert (found[:, 2] - found[:, 1] > width)[1]  # what is missing is uncertainty of BMI's slope


def test_analyses_of_a_run(study_of, plan):
    study = study_of(plan(n_simulated=400))
    table = sensitivity(study)
    # the two who were put right or flagged are too few to be left out
    assert set(table["analysis"]) == {"main", "median", "imaged"}
    for analysis, rows in table[table["outcome"] == "csa"].groupby("analysis"):
        values = rows.set_index("term")["value"]
        assert values["sex"] == pytest.approx(13.4, abs=2.5), analysis
    text = sensitivity_table(study, table).text
    assert len(text) == 6


def test_excluded_heavy_people_give_heavy_people_weight(study_of, plan):
    study = study_of(plan(n=400, n_curation_exclusions=60, seed=7))
    assert exclusion_weights(study) is not None
    path = study.paths.curated / "excluded_people.csv"
    lost = read_table(path)
    write_table(lost.assign(bmi_kg_m2=lost["bmi_kg_m2"] + 6), path)
    try:
        weights = exclusion_weights(study)
    finally:
        write_table(lost, path)
    heavy = study.imaged.people["bmi_kg_m2"].to_numpy() > 30
    assert weights[heavy].mean() > 1.2 * weights[~heavy].mean()
    assert weights.mean() == pytest.approx(1)
    assert "weighted" in set(sensitivity(study)["analysis"])


def test_people_without_weight_are_imputed(study_of, plan):
    study = study_of(plan(n=300, seed=8))
    assert incomplete_people(study, CSA).empty
    lacking = set(study.curated["participant_id"][::6])
    curated = study.curated.copy()
    curated.loc[curated["participant_id"].isin(lacking), ["weight_kg", "bmi_kg_m2"]] = np.nan
    known = study.everyone[~study.everyone["participant_id"].isin(lacking)]
    study = replace(study, curated=curated, everyone=known.reset_index(drop=True))
    assert len(incomplete_people(study, CSA)) > 40
    table = sensitivity(study).set_index(["outcome", "analysis", "term"])
    row = table.loc[("csa", "imputed", "bmi")]
    assert row["n"] == table.loc[("csa", "main", "bmi"), "n"] + len(incomplete_people(study, CSA))
    assert row["low"] < 0.25 < row["high"]


def test_scans_that_were_put_right_or_flagged_are_left_out(study_of, plan):
    study = study_of(plan(seed=9))
    names = study.people["participant_id"]
    write_table(
        pd.DataFrame({"participant_id": names[:7], "correction": "water_fat_swap", "evidence": ""}),
        study.paths.curated / "corrections.csv",
    )
    write_table(
        pd.DataFrame({"participant_id": names, "flagged": names.isin(names[-9:])}),
        study.paths.curated / "quality.csv",
    )
    looked_at = ["accepted"] * 90 + ["not_looked_at"] * (len(names) - 90)
    write_table(
        pd.DataFrame({"participant_id": names, "outcome": looked_at}),
        study.paths.curated / "review.csv",
    )
    table = sensitivity(study)
    sizes = table[table["outcome"] == "csa"].groupby("analysis")["n"].first()
    assert sizes["main"] - sizes[["swaps", "flagged"]].to_numpy() == pytest.approx([7, 9])
    assert sizes["reviewed"] == 90


def test_three_left_out_would_be_given_away_by_the_difference(study_of, plan):
    study = study_of(plan(seed=10))
    few = study.people["participant_id"][:3]
    write_table(
        pd.DataFrame({"participant_id": few, "correction": "water_fat_swap"}),
        study.paths.curated / "corrections.csv",
    )
    assert "swaps" not in set(sensitivity(study)["analysis"])


def centre_study(study: Study, bmi_by_centre: float, shift: float, n_centres: int = 6) -> Study:
    """Return the study with people of a centre heavier, and measured larger, than the last's."""
    people = study.everyone.reset_index(drop=True)
    number = people.index % n_centres
    moved = people.assign(
        centre=[f"C{i}" for i in number],
        bmi_kg_m2=people["bmi_kg_m2"] + bmi_by_centre * number,
        psoas_csa_total_cm2=people["psoas_csa_total_cm2"] + shift * number,
    )
    return replace(study, everyone=moved)


def test_centre_as_a_fixed_effect_takes_its_confounding_away(study_of, plan):
    """CSA really grows by 0.25 cm² per kg/m²; centres that measure large have heavy people."""
    study = centre_study(study_of(plan(n=600, seed=11)), bmi_by_centre=2, shift=3)
    table = sensitivity(study).set_index(["outcome", "analysis", "term"])
    main, fixed = (table.loc[("csa", name, "bmi")] for name in ("main", "centre"))
    assert main["low"] > 0.5
    # heavier by centre alone, without larger muscles for it: the fixed effect knows
    assert fixed["low"] < 0.25 < fixed["high"]


def test_clusters_need_enough_centres(study_of, plan):
    study = study_of(plan(n=600, seed=11))
    few, many = (
        set(sensitivity(centre_study(study, 0, 1, n))["analysis"]) for n in (4, FEWEST_CENTRES)
    )
    assert "centre" in few & many
    assert "clustered" in many - few


def test_errors_clustered_by_hand():
    """Liang and Zeger (1986) with the small-sample factor G/(G-1) · (n-1)/(n-k), t on G-1."""
    rng = np.random.default_rng(4)
    centre = pd.Series(np.repeat(list("abcdefgh"), 25), name="centre")
    rows = pd.DataFrame(rng.normal(0, 1, (200, 4)), columns=["outcome", *COVARIATES])
    rows["outcome"] += centre.map(dict(zip("abcdefgh", rng.normal(0, 1, 8), strict=True)))
    design = np.column_stack([np.ones(200), rows[COVARIATES]])
    bread = np.linalg.inv(design.T @ design)
    slopes = bread @ design.T @ rows["outcome"]
    scores = design * (rows["outcome"] - design @ slopes).to_numpy()[:, None]
    sums = pd.DataFrame(scores).groupby(centre).sum().to_numpy()
    covariance = 8 / 7 * 199 / 196 * bread @ sums.T @ sums @ bread
    half = stats.t.ppf(0.975, 7) * np.sqrt(np.diag(covariance))[1:]
    n, terms = fit_terms(rows, 0.95, 10, clusters=centre)
    assert n == 200
    np.testing.assert_allclose(terms, np.column_stack([slopes[1:], slopes[1:] - half,
                                                       slopes[1:] + half]), rtol=1e-9)  # fmt: skip

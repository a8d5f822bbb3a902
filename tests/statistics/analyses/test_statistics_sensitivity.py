import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import ROOT
from muscle_study.statistics.analyses.extensions.sensitivity import (
    FEWEST_CENTRES,
    analyses,
    exclusion_weights,
    impute_and_fit,
    incomplete_people,
    sensitivity,
)
from muscle_study.statistics.parameters import PAPER_MODELS, Model
from muscle_study.statistics.study.measures import CSA
from muscle_study.statistics.study.study import Study

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))


@pytest.mark.skipif(not (REAL / "tables").is_dir(), reason=f"no real tables in {REAL}")
def test_real_people_with_missing_values_imputed():
    """NHANES: where weight is lacking of some, imputing it gives the complete table's slopes."""
    people = pd.read_csv(REAL / "tables" / "nhanes_2011_2018_dxa.csv")
    people = people[people["age_screen_yr"].between(20, 59)].dropna(subset=["lean_kg", "bmi_kgm2"])
    people = people.iloc[:3000].rename(columns={"age_screen_yr": "age_years", "lean_kg": "outcome"})
    people = people.assign(male=(people["gender"] == "Male") * 1.0).dropna(subset=["height_cm"])
    known = {covariate.name: covariate for covariate in BUILT_IN}

    def terms(people):
        return np.array([*impute_and_fit(PAPER_MODELS[0], people, known, 0.95, seed=0).values()])

    whole = terms(people)
    lacking = people.assign(weight_kg=people["weight_kg"].mask(np.arange(len(people)) % 5 == 0))
    found = terms(lacking)
    width = whole[:, 2] - whole[:, 1]
    assert (np.abs(found[:, 0] - whole[:, 0]) < width / 2).all()
    assert (found[:, 2] - found[:, 1] > width)[1]  # what is missing is uncertainty of BMI's slope


def test_analyses_of_a_run(study_of, plan):
    study = study_of(plan(n_simulated=400))
    table = analyses(study)
    # the two corrected or flagged are too few to be left out
    assert set(table["analysis"]) == {"main", "median", "imaged"}
    for analysis, rows in table[table["outcome"] == "csa"].groupby("analysis"):
        values = rows.set_index("term")["value"]
        assert values["sex"] == pytest.approx(13.4, abs=2.5), analysis
    text = sensitivity(study).table.text
    assert len(text) == 6


def test_excluded_heavy_people_give_heavy_people_weight(study_of, plan):
    study = study_of(plan(n=400, n_curation_exclusions=60, seed=7))
    assert exclusion_weights(study) is not None
    path = study.paths.curated / "excluded_people.csv"
    lost = read_table(path)
    write_example(lost.assign(bmi_kg_m2=lost["bmi_kg_m2"] + 6), path)
    try:
        weights = exclusion_weights(study)
    finally:
        write_example(lost, path)
    heavy = study.imaged.people["bmi_kg_m2"].to_numpy() > 30
    assert weights[heavy].mean() > 1.2 * weights[~heavy].mean()
    assert weights.mean() == pytest.approx(1)
    assert "weighted" in set(analyses(study)["analysis"])


def test_people_without_weight_are_imputed(study_of, plan):
    study = study_of(plan(n=300, seed=8))
    assert incomplete_people(study, CSA).empty
    lacking = set(study.curated["participant_id"][::6])
    curated = study.curated.copy()
    curated.loc[curated["participant_id"].isin(lacking), ["weight_kg", "bmi_kg_m2"]] = np.nan
    known = study.everyone[~study.everyone["participant_id"].isin(lacking)]
    study = replace(study, curated=curated, everyone=known.reset_index(drop=True))
    assert len(incomplete_people(study, CSA)) > 40
    table = analyses(study).set_index(["outcome", "analysis", "term"])
    row = table.loc[("csa", "imputed", "bmi")]
    assert row["n"] == table.loc[("csa", "main", "bmi"), "n"] + len(incomplete_people(study, CSA))
    assert row["low"] < 0.25 < row["high"]


def test_scans_that_were_put_right_or_flagged_are_left_out(study_of, plan):
    study = study_of(plan(seed=9))
    names = study.people["participant_id"]
    write_example(
        pd.DataFrame({"participant_id": names[:7], "correction": "water_fat_swap", "evidence": ""}),
        study.paths.curated / "corrections.csv",
    )
    write_example(
        pd.DataFrame({"participant_id": names, "flagged": names.isin(names[-9:])}),
        study.paths.curated / "quality.csv",
    )
    looked_at = ["accepted"] * 90 + ["not_looked_at"] * (len(names) - 90)
    write_example(
        pd.DataFrame({"participant_id": names, "outcome": looked_at}),
        study.paths.curated / "review.csv",
    )
    table = analyses(study)
    sizes = table[table["outcome"] == "csa"].groupby("analysis")["n"].first()
    assert sizes["main"] - sizes[["swaps", "flagged"]].to_numpy() == pytest.approx([7, 9])
    assert sizes["reviewed"] == 90


def test_three_left_out_would_be_given_away_by_the_difference(study_of, plan):
    study = study_of(plan(seed=10))
    few = study.people["participant_id"][:3]
    write_example(
        pd.DataFrame({"participant_id": few, "correction": "water_fat_swap"}),
        study.paths.curated / "corrections.csv",
    )
    assert "swaps" not in set(analyses(study)["analysis"])


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
    table = analyses(study).set_index(["outcome", "analysis", "term"])
    main, fixed = (table.loc[("csa", name, "bmi")] for name in ("main", "centre"))
    assert main["low"] > 0.5
    # heavier by centre alone, without larger muscles for it: the fixed effect knows
    assert fixed["low"] < 0.25 < fixed["high"]


def test_clusters_need_enough_centres(study_of, plan):
    study = study_of(plan(n=600, seed=11))
    few, many = (
        set(analyses(centre_study(study, 0, 1, n))["analysis"]) for n in (4, FEWEST_CENTRES)
    )
    assert "centre" in few & many
    assert "clustered" in many - few


def test_missing_levels_of_a_covariate_are_imputed(study_of, plan):
    """Former smokers have 2 cm² less; a fifth of the answers is missing."""
    study = study_of(plan(n=600, seed=8))
    smoking = Covariate(
        name="smoking", label="smoking", kind="categorical", levels=["never", "former", "current"]
    )
    levels = np.resize(smoking.level_names, len(study.everyone))
    csa = study.everyone["psoas_csa_total_cm2"] - 2 * (levels == "former")
    answers = pd.Series(levels).mask(study.everyone.index % 5 == 0)
    model = Model(name="m", title="M", formula="age_years + bmi_kg_m2 + sex + smoking")
    study = replace(
        study,
        everyone=study.everyone.assign(smoking=answers, psoas_csa_total_cm2=csa),
        parameters=study.parameters.model_copy(update={"models": [model]}),
        covariates=(smoking,),
    )
    table = analyses(study).set_index(["outcome", "analysis", "term"])
    former = table.loc[("csa", "imputed", "smoking[T.former]")]
    assert former["n"] == len(study.people)
    assert former["low"] < -2 < former["high"] < 0
    assert table.loc[("csa", "main", "age"), "n"] == answers.notna().sum()

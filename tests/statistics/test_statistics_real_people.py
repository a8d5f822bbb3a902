"""The whole notebook on real people: NHANES adults, with their missing values as they come.

Lean mass stands in for gluteus volume (1 kg as 1 L) and grip strength for psoas CSA (1 kg as 1
cm²): measures of real muscle that are not in the study, so that only the statistics are tried.
"""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import ROOT
from muscle_study.report.check import find_identifiers
from muscle_study.statistics.study.loading import load_study

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
NHANES = REAL / "tables" / "nhanes_2011_2018_dxa.csv"

pytestmark = pytest.mark.skipif(not NHANES.exists(), reason=f"no real tables in {REAL}")

ADULTS = 2500


def put(people: pd.DataFrame, table: pd.DataFrame, columns: dict[str, str]) -> pd.DataFrame:
    """Return `table` with columns of `people`, row by row."""
    return table.assign(**{ours: people[theirs].to_numpy() for ours, theirs in columns.items()})


@pytest.fixture(scope="module")
def real(tmp_path_factory, plan, write_run, parameters, run_cells):
    """A run of NHANES adults whose notebook was run: its people, study and tables."""
    people = pd.read_csv(NHANES)
    people = people[people["age_screen_yr"].between(20, 59)].iloc[:ADULTS]
    people = people.assign(
        sex=people["gender"].str.lower(),
        lean_ml=1000 * people["lean_kg"],
        fat_fraction=people["mass_fat_pct"] / 100,
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path_factory.mktemp("nhanes")))
        made_up = plan(
            n=ADULTS, n_curation_exclusions=0, n_late_exclusions=0, synthetic=False, truth=False
        )
        paths = write_run(made_up)
        covariates = {
            "sex": "sex",
            "age_years": "age_screen_yr",
            "height_cm": "height_cm",
            "weight_kg": "weight_kg",
            "bmi_kg_m2": "bmi_kgm2",
        }
        curated = read_table(paths.curated / "participants.csv")
        write_example(put(people, curated, covariates), paths.curated / "participants.csv")
        measures = read_table(paths.measurements / "measures.csv")
        muscles = {
            "gluteus_volume_total_ml": "lean_ml",
            "psoas_csa_total_cm2": "grip_combo_kg",
            "gluteus_fat_fraction_total": "fat_fraction",
        }
        write_example(put(people, measures, muscles), paths.measurements / "measures.csv")
        study = load_study(paths, parameters)
        run_cells(study)
        yield people, study


def table_of(study, name):
    return pd.read_csv(study.paths.tables / f"{name}.csv")


def test_everything_is_there_and_nothing_individual(real, expand_manuscript):
    _, study = real
    expand_manuscript(study)
    identifiers = set(study.curated["participant_id"])
    for path in study.paths.tables.iterdir():
        assert not find_identifiers(path.read_text(), identifiers), path.name


def test_incomplete_people_are_left_out_of_what_they_lack_and_imputed(real):
    people, study = real
    known = people[["age_screen_yr", "height_cm", "weight_kg", "bmi_kgm2"]].notna().all(axis=1)
    assert 0 < (~known).sum() < len(people)
    assert len(study.people) == known.sum()
    rows = table_of(study, "sensitivity").set_index(["outcome", "analysis", "term"])
    lean = people["lean_ml"].notna()
    assert rows.loc[("gluteus", "main", "bmi"), "n"] == (known & lean).sum()
    assert "median" in rows.index.get_level_values("analysis")


def test_the_regression_is_that_of_the_complete(real):
    people, study = real
    complete = people[["lean_ml", "age_screen_yr", "bmi_kgm2", "sex", "height_cm"]].dropna()
    complete = complete[people.loc[complete.index, "weight_kg"].notna()]
    design = np.column_stack(
        [
            np.ones(len(complete)),
            complete["age_screen_yr"],
            complete["bmi_kgm2"],
            complete["sex"] == "male",
        ]
    ).astype(float)
    expected, *_ = np.linalg.lstsq(design, complete["lean_ml"], rcond=None)
    rows = table_of(study, "regression").query("outcome == 'gluteus' and sex == 'both'")
    assert rows["coefficient"].to_numpy() == pytest.approx(expected, rel=1e-6)


def test_lean_mass_grows_with_height_by_about_the_square(real):
    """Heymsfield et al. (Am J Clin Nutr 2011;93:736-740): lean mass scales to height by about 2."""
    _, study = real
    rows = table_of(study, "body_size").set_index(["outcome", "size", "sex", "term"])
    for sex in ("male", "female"):
        assert 1.6 < rows.loc[("gluteus", "height", sex, "exponent"), "value"] < 2.4


def test_centiles_of_real_people_are_calibrated(real):
    _, study = real
    rows = table_of(study, "centile_calibration").query("age_group == 'all'")
    assert len(rows) == 8
    for centile in (3, 10, 25, 50, 75, 90, 97):
        assert (rows[f"below_{centile}"] - centile).abs().max() < 2.5, centile
    assert rows["z_sd"].between(0.97, 1.03).all()


def test_the_words_are_those_of_a_real_run(real):
    _, study = real
    verdicts = set(table_of(study, "claims")["verdict"])
    assert verdicts <= {"agrees", "disagrees", "undecided"}
    numbers = json.loads((study.paths.numbers / "statistics.json").read_text())
    assert numbers["study.kind"]["text"] == "real"
    assert numbers["correlation.weight_men"]["value"] > 0.7  # lean mass and weight

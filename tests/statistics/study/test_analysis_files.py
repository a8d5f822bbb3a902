from dataclasses import replace

import pandas as pd
import pytest

from muscle_study.protocol.covariates import Covariate
from muscle_study.protocol.files import read_table
from muscle_study.statistics.study.analysis_files import write_analysis

SMOKING = Covariate(
    name="smoking", label="smoking", kind="categorical", levels=["never", "current"],
    description="cigarettes",
)  # fmt: skip


@pytest.fixture
def written(study_of, plan):
    study = study_of(plan(n_simulated=10))
    levels = ["never", "current"] * len(study.everyone)
    people = study.everyone.assign(
        smoking=pd.Categorical(levels[: len(study.everyone)], SMOKING.level_names)
    )
    study = replace(study, everyone=people, covariates=(SMOKING,))
    assert write_analysis(study) == [
        "analysis.csv", "analysis.dta", "analysis.parquet", "codebook.csv",
    ]  # fmt: skip
    return study, study.paths.analysis


def test_the_three_files_hold_the_same(written):
    study, folder = written
    table = read_table(folder / "analysis.csv")
    assert table["participant_id"].tolist() == study.everyone["participant_id"].tolist()
    parquet = pd.read_parquet(folder / "analysis.parquet")
    stata = pd.read_stata(folder / "analysis.dta")
    for other in (parquet, stata):
        assert list(other) == list(table)
        assert other["smoking"].tolist() == table["smoking"].tolist()
        assert other["age_group"].astype(str).tolist() == table["age_group"].tolist()
        pd.testing.assert_series_equal(
            other["psoas_csa_total_cm2"], table["psoas_csa_total_cm2"], check_exact=False
        )
    assert stata["scan_flagged"].isna().sum() == (table["source"] == "simulated").sum() > 0


def test_stata_has_labels_and_the_same_bytes_each_time(written):
    study, folder = written
    with pd.read_stata(folder / "analysis.dta", iterator=True) as reader:
        assert reader.variable_labels()["psoas_csa_left_cm2"] == "psoas CSA, left"
        assert reader.value_labels()["smoking"] == {0: "never", 1: "current"}
    before = (folder / "analysis.dta").read_bytes()
    write_analysis(study)
    assert (folder / "analysis.dta").read_bytes() == before


def test_the_codebook_tells_every_column(written):
    _, folder = written
    codes = read_table(folder / "codebook.csv").fillna("").set_index("name")
    assert codes.index.tolist() == list(read_table(folder / "analysis.csv"))
    assert codes.loc["smoking"].tolist() == [
        "smoking: cigarettes", "categorical", "", "never; current", "curated/participants.csv",
    ]  # fmt: skip
    assert codes.loc["bmi_kg_m2", "unit"] == "kg/m²"
    assert codes.loc["psoas_at_border", "kind"] == "flag"
    assert (codes["label"] != "").all()

"""Declared covariates reach the curated tables and exclude no participant."""

import pytest

from muscle_study.curation.sources.bids import BidsSource
from muscle_study.curation.sources.dicom_export import HeapSource, NakoSource
from muscle_study.curation.sources.totalsegmentator import TotalSegmentatorSource
from muscle_study.protocol.covariates import Covariate

SMOKING = Covariate(
    name="smoking",
    label="smoking",
    kind="categorical",
    column="rauchen",
    levels={"never": 1, "former": 2, "current": 3},
    missing=[9],
)
GRIP = Covariate(name="grip_kg", label="grip", kind="continuous", unit="kg", range=[5, 90])


@pytest.fixture
def declared(export):
    export.table = export.table.assign(
        rauchen=["1", "2", "3", "9", "8"], grip_kg=["40.5", "", "900", "weak", "5"]
    )
    export.write_table()
    return [SMOKING, GRIP]


def test_levels_and_numbers_are_curated(curate, declared):
    after = curate(declared)
    assert after.exclusions.empty
    columns = ["participant_id", "sex", "age_years", "height_cm", "weight_kg", "bmi_kg_m2"]
    columns += ["smoking", "grip_kg", "annotated", "split"]
    assert list(after.participants) == columns
    assert after.participants["smoking"].tolist()[:3] == ["never", "former", "current"]
    assert after.participants["smoking"].isna().tolist() == [False] * 3 + [True] * 2
    assert after.participants["grip_kg"].dropna().tolist() == [40.5, 5]


def test_what_does_not_fit_is_counted_apart(curate, declared):
    missing = curate(declared).missing.set_index("variable")
    assert missing.loc["smoking"].tolist() == [5, 1, 0, 1]
    assert missing.loc["grip_kg"].tolist() == [5, 1, 1, 1]


def test_those_excluded_keep_theirs(export, curate, declared):
    export.image("100002", "fat").unlink()
    assert curate(declared).excluded_people["smoking"].tolist() == ["former"]


def test_a_declaration_that_fits_nobody_stops_the_run(curate, declared):
    wrong = Covariate(**SMOKING.model_dump() | {"levels": ["never", "current"]})
    with pytest.raises(ValueError, match=r"4 of 5 .* rauchen \(e.g. 1\) that covariates: smoking"):
        curate([wrong])


def test_a_column_that_is_not_there_is_named(curate, declared):
    absent = Covariate(**GRIP.model_dump() | {"column": "handkraft"})
    with pytest.raises(ValueError, match=r"column handkraft is missing.*column in covariates"):
        curate([absent])


@pytest.mark.parametrize(
    ("layout", "name", "text"),
    [
        (NakoSource, "participants.csv",
         "ID;basis_sex;basis_age;a_anthro_groe_q;a_anthro_gew_q;a_anthro_bmi_q;rauchen;grip_kg\n"
         "p1;1;50;170,5;80,1;27,5;2;40,5\np2;2;50;170,5;80,1;27,5;7777;7777\n"),
        (HeapSource, "participants.csv",
         "participant_id,sex,age_years,height_cm,weight_kg,bmi_kg_m2,rauchen,grip_kg\n"
         "p1,M,50,170,80,27,2,40.5\np2,F,50,170,80,27,,\n"),
        (BidsSource, "participants.tsv",
         "participant_id\tsex\tage\theight_cm\tweight_kg\trauchen\tgrip_kg\n"
         "sub-p1\tM\t50\t170\t80\t2\t40.5\nsub-p2\tF\t50\t170\t80\tn/a\tn/a\n"),
        (TotalSegmentatorSource, "meta.csv",
         "image_id;age;gender;rauchen;grip_kg\np1;50;m;2;40.5\np2;50;f;9;\n"),
    ],
)  # fmt: skip
def test_every_layout_has_them(layout, name, text, tmp_path):
    (tmp_path / name).write_text(text)
    table = layout(tmp_path, ("water",), covariates=(SMOKING, GRIP)).table()
    assert table["participant_id"].tolist() == ["p1", "p2"]
    assert SMOKING.values(table["smoking"]).tolist()[0] == "former"
    assert GRIP.values(table["grip_kg"]).tolist()[0] == 40.5
    assert table[["smoking", "grip_kg"]].isna().all(axis=1).tolist() == [False, True]


@pytest.mark.parametrize("layout", [HeapSource, BidsSource, TotalSegmentatorSource])
def test_an_export_without_a_table_has_none(layout, tmp_path):
    table = layout(tmp_path, ("water",), covariates=(SMOKING,)).table()
    assert table.empty
    assert "smoking" in table

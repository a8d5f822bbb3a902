"""The notebook's tables disclose no small group; pictures stay with the data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from muscle_study.curation.overview import (
    correction_overview,
    flag_overview,
    flow_overview,
    gallery,
    missing_overview,
    reason_overview,
    split_overview,
)
from muscle_study.curation.stage import Curated
from muscle_study.curation.tables import flow_table


def curated_of(n=30, by_record=2, reasons=("no_images",) * 7 + ("empty_image", "unknown_label")):
    participants = pd.DataFrame({
        "sex": ["male", "female"] * (n // 2),
        "age_years": 50.0,
        "bmi_kg_m2": 26.0,
        "annotated": True,
        "split": ["train"] * (n - 12) + ["validation"] * 2 + ["test"] * 10,
    })  # fmt: skip
    by_images = len(reasons) - by_record
    return Curated(
        participants=participants,
        exclusions=pd.DataFrame({"reason": reasons}),
        flow=flow_table(n + by_images, by_record, by_images),
        inventory=pd.DataFrame(),
        corrections=pd.DataFrame(),
        quality=pd.DataFrame(),
        missing=pd.DataFrame(),
        files=pd.DataFrame(),
        review=pd.DataFrame(),
        excluded_people=pd.DataFrame(),
        about={"synthetic": True},
    )


def test_flow_is_plain_where_no_count_is_small():
    flow = flow_overview(curated_of(), min_count=1)
    assert flow["participants"].tolist() == ["39", "37", "30"]
    assert flow["excluded"].tolist() == ["", "2", "7"]


def test_flow_hides_a_small_count_and_what_would_tell_it():
    flow = flow_overview(curated_of(), min_count=5)
    assert flow["excluded"].iloc[1] == "–"
    # 39 in the export and 37 after the step would tell 2
    assert "–" in flow["participants"].iloc[:2].tolist()


def test_rare_reasons_are_counted_together():
    table = reason_overview(curated_of(), min_count=5)
    assert table["participants"].tolist() == ["9"]
    names = {"no images", "image is empty", "labels hold unknown values"}
    assert set(table["reason"].iloc[0].split("; ")) == names
    assert len(reason_overview(curated_of(), min_count=1)) == 3


def test_reasons_are_an_empty_table_where_nobody_left():
    assert reason_overview(curated_of(by_record=0, reasons=()), min_count=5).empty


def test_small_split_is_hidden_with_its_means():
    table = split_overview(curated_of(), min_count=5)
    assert table.loc["validation", ["participants", "male", "female"]].tolist() == ["–"] * 3
    assert np.isnan(table.loc["validation", "mean age_years"])
    assert table.loc["train", "mean age_years"] == 50


def test_split_table_without_annotated_participants():
    curated = curated_of()
    curated.participants["annotated"] = False
    assert split_overview(curated, min_count=5)["participants"].tolist() == ["–"] * 3


@pytest.mark.filterwarnings("error")
def test_gallery_is_kept_beside_the_data(export, curate, paths):
    picture = gallery(curate(), paths, n=2)
    assert picture == paths.curated / "gallery.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_what_was_put_right_is_counted_once_a_person_and_rare_kinds_together():
    corrections = pd.DataFrame({
        "participant_id": ["1", "1", "2", "3", "4", "5", "6"],
        "correction": ["water_fat_swap", "repeated_scan"] + ["water_fat_swap"] * 4
        + ["repeated_scan"],
    })  # fmt: skip
    curated = replace(curated_of(), corrections=corrections)
    plain = correction_overview(curated, min_count=1)
    assert dict(plain.to_numpy()) == {
        "water and fat exchanged back": "5", "one of several scans used": "1",
    }  # fmt: skip
    assert correction_overview(curated, min_count=5)["participants"].tolist() == ["6"]
    assert correction_overview(curated, min_count=7)["participants"].tolist() == ["–"]


def test_flagged_count_under_their_first_flag():
    quality = pd.DataFrame({"flagged": [True] * 3 + [False], "flags": ["noise; motion"] * 3 + [""]})
    table = flag_overview(replace(curated_of(), quality=quality), min_count=1)
    assert table.to_numpy().tolist() == [["much noise", "3"]]


@pytest.mark.parametrize(
    ("demanded", "shown"),
    [
        (True, {"bmi_kg_m2": "0", "smoking": "9"}),
        (False, {"sex": "–", "bmi_kg_m2": "0", "smoking": "9"}),
    ],
)
def test_missing_values_are_shown_where_no_exclusion_tells_them(demanded, shown):
    missing = pd.DataFrame(
        [("sex", 30, 2, 1, 7), ("bmi_kg_m2", 30, 0, 0, 0), ("smoking", 30, 2, 0, 7)],
        columns=["variable", "participants", "missing", "unreadable", "implausible"],
    )
    curated = replace(curated_of(), missing=missing, about={"demographics": demanded})
    assert dict(missing_overview(curated, min_count=5).to_numpy()) == shown

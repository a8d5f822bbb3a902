from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.participants import (
    MeasureTask,
    measure_cohort,
    measure_participant,
    profile_table,
)
from muscle_study.measurement.quality import score_test_split
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.outcomes import COLUMNS
from muscle_study.protocol.paths import RunPaths, image_file

PARAMETERS = section("measurement", min_muscle_ml=0.1, seed=1)


@pytest.fixture
def task(tmp_path, four_boxes):
    images = image_file(tmp_path, "water"), image_file(tmp_path, "fat")
    for path, level in zip(images, (300, 100), strict=True):
        save(Volume(np.full(four_boxes.data.shape, level, np.int16), four_boxes.affine), path)
    save(four_boxes, tmp_path / "100001.nii.gz")
    return MeasureTask(tmp_path / "100001.nii.gz", images, 170.0, 0.1)


def test_a_participant_is_measured_from_files(task):
    record = measure_participant(task)
    assert record["psoas_volume_left_ml"] == pytest.approx(18 * 0.03)
    assert record["gluteus_fat_fraction_total"] == pytest.approx(0.25)
    assert record["profile"]["left"][0] == pytest.approx((110, 4 * 0.06))
    assert {side: len(rows) for side, rows in record["profile"].items()} == {"left": 4, "right": 4}


def test_one_contrast_gives_no_fat_fraction(task):
    assert np.isnan(measure_participant(replace(task, dixon=None))["psoas_fat_fraction_total"])


def test_a_side_that_is_too_small_is_excluded(task):
    with pytest.raises(
        Excluded, match=r"no_muscle_found: psoas_left 0\.5 mL, gluteus_left 0\.5 mL: "
    ):
        measure_participant(replace(task, min_muscle_ml=0.6))


def test_a_missing_side_is_excluded(task, four_boxes):
    four_boxes.data[four_boxes.data == Label.GLUTEUS_RIGHT] = 0
    save(four_boxes, task.segmentation)
    with pytest.raises(Excluded, match=r"no_muscle_found: gluteus_right 0\.0 mL: under 0\.1 mL"):
        measure_participant(task)


def test_swapped_sides_are_excluded(task, four_boxes):
    mirror = np.diag([-1.0, 1, 1, 1])
    save(Volume(four_boxes.data, mirror @ four_boxes.affine), task.segmentation)
    with pytest.raises(Excluded, match="sides_swapped: psoas, gluteus: left lies to the right"):
        measure_participant(task)


@pytest.mark.parametrize("value", [5, 255])
def test_an_unknown_label_is_excluded(task, four_boxes, value):
    four_boxes.data[0, 0, 0] = value
    save(four_boxes, task.segmentation)
    with pytest.raises(Excluded, match=r"unknown_label: 100001\.nii\.gz"):
        measure_participant(task)


def test_fractions_are_no_labels(task, four_boxes):
    save(Volume(four_boxes.data * np.float32(0.5), four_boxes.affine), task.segmentation)
    with pytest.raises(Excluded, match=r"unknown_label: 100001\.nii\.gz"):
        measure_participant(task)


def test_an_image_on_another_grid_is_excluded(task, four_boxes):
    shifted = four_boxes.affine.copy()
    shifted[2, 3] += 5
    save(Volume(np.ones(four_boxes.data.shape, np.int16), shifted), task.dixon[1])
    with pytest.raises(Excluded, match=r"grid_mismatch: fat\.nii"):
        measure_participant(task)


def test_a_missing_image_may_come_back(task):
    task.dixon[0].unlink()
    with pytest.raises(FileNotFoundError, match=r"water\.nii: No such file"):
        measure_participant(task)


def test_profiles_of_a_whole_cohort_take_little_memory():
    rows = np.column_stack([np.arange(90) * 3.0, np.linspace(1, 20, 90)])
    names = pd.Series([f"{number:05}" for number in range(2000)])
    table = profile_table(names, [{"left": rows, "right": rows[:0]}] * len(names))
    assert table.memory_usage(deep=True).sum() < 25 * len(table)
    last = table.iloc[-1].tolist()
    assert len(table) == 2000 * 90 and last == ["01999", "left", 267.0, 20.0]
    assert profile_table(names[:0], []).empty


@pytest.fixture
def run(tmp_path, monkeypatch, four_boxes):
    """Make a run of five: three sound (two of the test split), one broken, one half in view."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    identifiers = ["100001", "100002", "100003", "100004", "100005"]
    half = Volume(four_boxes.data.copy(), four_boxes.affine)
    half.data[half.data == Label.PSOAS_LEFT] = 0
    for identifier in identifiers:
        save(
            half if identifier == "100005" else four_boxes,
            paths.segmentations / f"{identifier}.nii.gz",
        )
        save(four_boxes, paths.curated / "labels" / f"{identifier}.nii.gz")
    (paths.segmentations / "100004.nii.gz").write_bytes(b"broken")
    participants = pd.DataFrame(
        {
            "participant_id": [*identifiers, "100006"],
            "height_cm": [180, 165, np.nan, 170, 170, 170],
            "split": ["train", "test", "test", "none", "test", "none"],
        }
    )
    inventory = pd.DataFrame({"participant_id": ["100001"], "contrast": ["image"]})
    records = pd.DataFrame({"participant_id": identifiers, "seconds": 1.0})
    write_example(participants, paths.curated / "participants.csv")
    write_example(inventory, paths.curated / "inventory.csv")
    write_example(records, paths.segmentations / "records.csv")
    return paths


def test_a_cohort_is_measured_and_nobody_is_lost(run, cluster):
    measures, profiles, exclusions = measure_cohort(run, PARAMETERS, cluster)
    assert measures["participant_id"].tolist() == ["100001", "100002", "100003"]
    assert list(measures.columns) == ["participant_id", *COLUMNS]
    assert exclusions["reason"].tolist() == ["unreadable_image", "no_muscle_found"]
    assert len(profiles) == 3 * 8
    lines = (run.measurements / "csa_profiles.csv").read_text().splitlines()
    assert lines[:2] == ["participant_id,side,z_mm,csa_cm2", "100001,left,110,0.24"]
    assert lines[5] == "100001,right,110,0.36"
    written = read_table(run.measurements / "measures.csv")
    assert written["psoas_csa_index_cm2_m2"].isna().tolist() == [False, False, True]
    assert written["gluteus_at_border"].all()
    took = read_json(run.measurements / "records" / "100001.json")["record"]["seconds"]
    assert 0 < took < 60
    # with the seconds that it took then
    names = "measures.csv", "csa_profiles.csv", "exclusions.csv", "records/100001.json"
    first = [(run.measurements / name).read_bytes() for name in names]
    measure_cohort(run, PARAMETERS, cluster)
    assert first == [(run.measurements / name).read_bytes() for name in names]


def test_nobody_measured_stops_the_stage_and_leaves_the_reasons(run, cluster):
    with pytest.raises(RuntimeError, match=r"no participant could be measured: .*exclusions\.csv"):
        measure_cohort(run, section("measurement", min_muscle_ml=50.0, seed=1), cluster)
    assert len(read_table(run.measurements / "exclusions.csv")) == 5
    assert list(read_table(run.measurements / "measures.csv")) == ["participant_id", *COLUMNS]


def test_the_test_split_is_scored_whether_measured_or_not(run, cluster):
    quality, exclusions = score_test_split(run, cluster)
    assert exclusions.empty
    assert quality["participant_id"].unique().tolist() == ["100002", "100003", "100005"]
    dice = quality.set_index(["participant_id", "structure"])["dice"]
    assert dice.loc["100002"].tolist() == [1, 1, 1, 1]
    assert dice.loc[("100005", "psoas_left")] == 0


def test_a_segmentation_of_nobody_stops_the_stage(run, cluster):
    write_example(pd.DataFrame({"participant_id": ["999999"]}), run.segmentations / "records.csv")
    with pytest.raises(
        ValueError, match=r"records.csv: 1 participants are not in .*inference again"
    ):
        measure_cohort(run, PARAMETERS, cluster)

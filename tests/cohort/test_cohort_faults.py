"""Deliberate faults are put where they are said to be, and nowhere else."""

import gzip
import zlib

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from muscle_study.cohort.faults import (
    IMAGE_FAULTS,
    LABEL_FAULT,
    TABLE_FAULTS,
    assign_faults,
    break_files,
    break_table,
)
from muscle_study.volumes import Volume, save


@pytest.fixture
def raw(tmp_path):
    volume = Volume(np.arange(8 * 8 * 8, dtype=np.int16).reshape(8, 8, 8), np.diag([2, 2, 2, 1.0]))
    for contrast in ("water", "fat", "in_phase", "opposed_phase"):
        save(volume, tmp_path / "images" / "1" / f"{contrast}.nii.gz")
    label = Volume((volume.data % 5).astype(np.uint8), volume.affine)
    save(label, tmp_path / "labels" / "1.nii.gz")
    return tmp_path


def test_truncated_file_cannot_be_read(raw):
    break_files(raw, "1", "truncated_file")
    with pytest.raises((EOFError, OSError, zlib.error)):
        gzip.decompress((raw / "images" / "1" / "water.nii.gz").read_bytes())


def test_missing_contrast_and_images(raw):
    break_files(raw, "1", "missing_contrast")
    assert not (raw / "images" / "1" / "fat.nii.gz").exists()
    break_files(raw, "1", "no_images")
    assert not any((raw / "images" / "1").iterdir())


def test_nan_shape_and_label(raw):
    for fault in ("nan_voxels", "wrong_shape", LABEL_FAULT):
        break_files(raw, "1", fault)
    images = raw / "images" / "1"
    assert np.isnan(nib.load(images / "in_phase.nii.gz").get_fdata()).any()
    assert nib.load(images / "opposed_phase.nii.gz").shape == (8, 8, 6)
    assert np.asarray(nib.load(raw / "labels" / "1.nii.gz").dataobj).max() == 9
    assert nib.load(images / "water.nii.gz").shape == (8, 8, 8)


def test_table_faults():
    table = pd.DataFrame(
        {"participant_id": ["1", "2", "3", "4"], "age_years": [30, 40, 50, 60],
         "bmi_kg_m2": [20.0, 21.0, 22.0, 23.0]}
    )  # fmt: skip
    faults = {"1": "missing_age", "2": "bmi_contradiction", "3": "duplicate_id"}
    broken = break_table(table, faults)
    assert broken["participant_id"].tolist() == ["1", "2", "3", "4", "3"]
    assert broken["age_years"].isna().tolist() == [True, False, False, False, False]
    assert broken["bmi_kg_m2"].tolist() == [20.0, 27.0, 22.0, 23.0, 22.0]


def test_every_kind_is_assigned_and_labels_break_only_where_there_are_any():
    table = pd.DataFrame({"participant_id": [str(i) for i in range(100)]})
    annotated = {str(i) for i in range(20)}
    faults = assign_faults(table, annotated, 0.09, np.random.default_rng(0))
    assert set(faults.values()) == {*IMAGE_FAULTS, *TABLE_FAULTS, LABEL_FAULT}
    for participant, fault in faults.items():
        assert (participant in annotated) == (fault == LABEL_FAULT)

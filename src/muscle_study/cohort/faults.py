"""Deliberately broken records, so that every run meets what real exports bring."""

import gzip
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd

from muscle_study.labels import STRUCTURES

FOLDERS = ("images", "labels")


def _image(raw: Path, participant_id: str, contrast: str) -> Path:
    return raw / "images" / participant_id / f"{contrast}.nii.gz"


def drop_contrast(raw: Path, participant_id: str) -> None:
    """Delete the fat image."""
    _image(raw, participant_id, "fat").unlink()


def drop_images(raw: Path, participant_id: str) -> None:
    """Delete the participant's images."""
    for image in (raw / "images" / participant_id).iterdir():
        image.unlink()


def truncate(raw: Path, participant_id: str) -> None:
    """Cut a file short, as a broken transfer does."""
    path = _image(raw, participant_id, "water")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _rewrite(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    image = nib.load(path)
    changed = change(np.asarray(image.dataobj))
    written = nib.Nifti1Image(changed, image.affine).to_bytes()
    path.write_bytes(gzip.compress(written, compresslevel=1, mtime=0))


def add_nan(raw: Path, participant_id: str) -> None:
    """Put NaN into some voxels."""

    def change(data: np.ndarray) -> np.ndarray:
        data = data.astype(np.float32)
        data[data.shape[0] // 2, :, 0] = np.nan
        return data

    _rewrite(_image(raw, participant_id, "in_phase"), change)


def crop(raw: Path, participant_id: str) -> None:
    """Leave out the last slices of one contrast."""
    _rewrite(_image(raw, participant_id, "opposed_phase"), lambda data: data[:, :, :-2])


def add_unknown_label(raw: Path, participant_id: str) -> None:
    """Give some voxels of the reference a value that stands for nothing."""

    def change(data: np.ndarray) -> np.ndarray:
        data = data.copy()
        data[0, 0, 0] = max(STRUCTURES) + 5
        return data

    _rewrite(raw / "labels" / f"{participant_id}.nii.gz", change)


IMAGE_FAULTS: dict[str, Callable[[Path, str], None]] = {
    "missing_contrast": drop_contrast,
    "no_images": drop_images,
    "truncated_file": truncate,
    "nan_voxels": add_nan,
    "wrong_shape": crop,
}
LABEL_FAULT = "unknown_label"
TABLE_FAULTS = ("bmi_contradiction", "duplicate_id", "missing_age")


def assign_faults(
    participants: pd.DataFrame, annotated: set[str], share: float, rng: np.random.Generator
) -> dict[str, str]:
    """Choose which participants are broken, and how; every kind once before any twice."""
    kinds = [*IMAGE_FAULTS, *TABLE_FAULTS, LABEL_FAULT]
    ids = rng.permutation(participants["participant_id"].to_numpy())
    assigned: dict[str, str] = {}
    for i in range(round(share * len(ids))):
        kind = kinds[i % len(kinds)]
        # the few reference labels are kept for training; one is broken where that is the fault
        able = (p for p in ids if p not in assigned and (p in annotated) == (kind == LABEL_FAULT))
        if (chosen := next(able, None)) is not None:
            assigned[str(chosen)] = kind
    return assigned


def break_files(raw: Path, participant_id: str, fault: str) -> None:
    """Break a participant's images or reference labels in place."""
    if fault == LABEL_FAULT:
        add_unknown_label(raw, participant_id)
    elif fault in IMAGE_FAULTS:
        IMAGE_FAULTS[fault](raw, participant_id)


def break_table(participants: pd.DataFrame, faults: dict[str, str]) -> pd.DataFrame:
    """Return the participant table with its share of the faults."""
    fault = participants["participant_id"].map(faults)
    broken = participants.copy()
    broken["age_years"] = broken["age_years"].astype("Int64").mask(fault == "missing_age")
    broken["bmi_kg_m2"] = broken["bmi_kg_m2"].mask(
        fault == "bmi_contradiction", broken["bmi_kg_m2"] + 6
    )
    return pd.concat([broken, broken[fault == "duplicate_id"]], ignore_index=True)

"""How well the segmentation matches the reference labels of the test split.

Dice, the 95 % Hausdorff distance and the average symmetric surface distance. The surface is the
structure's outermost voxels; distances are in millimetres between voxel centres, so they know the
grid's spacing. The Hausdorff distance is the larger of both directions' 95th centiles; the average
runs over both surfaces' voxels. These are the definitions of MONAI, and a test compares with it;
they are written here since loading MONAI takes each worker longer than scoring a test split.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import ndimage
from scipy.spatial import KDTree

from muscle_study.imaging.volumes import Volume, load
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Records
from muscle_study.measurement.participants import segmented_participants
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import RunPaths

NAN = float("nan")
SCORES = ["dice", "hausdorff95_mm", "surface_distance_mm", "volume_error", "csa_error"]
COLUMNS = ["participant_id", "structure", *SCORES, "predicted_dice"]


@dataclass(frozen=True)
class QualityTask:
    """A segmentation and the reference to judge it by."""

    segmentation: Path
    reference: Path


def score(task: QualityTask) -> dict[str, Any]:
    """Score one participant's segmentation.

    Returns
    -------
    dict
        Under ``rows``, the columns of ``segmentation_quality.csv`` but for the identifier.

    Raises
    ------
    Excluded
        ``grid_mismatch``, or what reading a file raises.
    """
    segmentation, reference = load(task.segmentation), load(task.reference)
    if not segmentation.same_grid(reference):
        raise Excluded(
            Reason.GRID_MISMATCH, f"{task.reference.name}: reference and segmentation differ"
        )
    return {"rows": compare(segmentation, reference)}


def compare(segmentation: Volume, reference: Volume) -> list[tuple]:
    """Return a row a structure: its name and its `SCORES`.

    The errors are relative to the reference: of the volume, and of the largest axial section.
    A structure that is in one of the two only has Dice 0 and no distance (NaN): its distance is
    not defined, and the miss counts in Dice. One that is not in the reference has no errors, one
    that is in neither has no score at all.
    """
    rows = []
    for label in STRUCTURES:
        found, true = segmentation.data == label, reference.data == label
        if found.any() and true.any():
            (box,) = ndimage.find_objects((found | true).astype(np.uint8))
            scores = overlap_and_distances(found[box], true[box], reference.spacing_mm)
        else:
            scores = (0.0 if found.any() or true.any() else NAN, NAN, NAN)
        rows.append((label.name.lower(), *scores, *relative_errors(found, true)))
    return rows


def relative_errors(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """Return the errors of volume and largest axial section of a mask, relative to the true one.

    Both are on one grid whose third axis runs along the body, as curated volumes are.
    """
    if not true.any():
        return NAN, NAN
    sections, true_sections = found.sum(axis=(0, 1)), true.sum(axis=(0, 1))
    volume_error = sections.sum() / true_sections.sum() - 1
    return float(volume_error), float(sections.max() / true_sections.max() - 1)


def overlap_and_distances(
    found: np.ndarray, true: np.ndarray, spacing_mm: np.ndarray
) -> tuple[float, float, float]:
    """Return Dice, 95 % Hausdorff and average symmetric surface distance (mm) of two masks.

    Neither mask may be empty.
    """
    dice = 2 * (found & true).sum() / (found.sum() + true.sum())
    surfaces = surface_mm(found, spacing_mm), surface_mm(true, spacing_mm)
    there, _ = KDTree(surfaces[1]).query(surfaces[0])
    back, _ = KDTree(surfaces[0]).query(surfaces[1])
    hausdorff95_mm = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(dice), float(hausdorff95_mm), float(np.concatenate([there, back]).mean())


def surface_mm(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the places, shape (n, 3), of the voxels that miss one of their six neighbours."""
    return np.argwhere(mask & ~ndimage.binary_erosion(mask)) * spacing_mm


def predicted_dice(records: pd.DataFrame) -> pd.DataFrame:
    """Return what inference predicted: ``participant_id``, ``structure``, ``predicted_dice``.

    Parameters
    ----------
    records
        ``records.csv`` of inference, a column a structure. Where it has none, the segmentation came
        from elsewhere, and nothing was predicted (NaN).
    """
    names = {f"predicted_dice_{label.name.lower()}": label.name.lower() for label in STRUCTURES}
    columns = records.set_index("participant_id").reindex(columns=list(names)).rename(columns=names)
    return columns.melt(var_name="structure", value_name="predicted_dice", ignore_index=False)


def score_test_split(
    paths: RunPaths, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the segmentations of the test split; write and return the table.

    Participants whom measuring set aside are scored too: leaving out a muscle that was not found
    would flatter the segmentation.

    Returns
    -------
    quality, exclusions : pandas.DataFrame
        ``segmentation_quality.csv``, and who of the test split could not be scored and why
        (``segmentation_quality_exclusions.csv``).
    """
    participants = segmented_participants(paths, paths.segmentations)
    tasks = {
        participant_id: QualityTask(
            segmentation=paths.segmentations / f"{participant_id}.nii.gz",
            reference=paths.curated / "labels" / f"{participant_id}.nii.gz",
        )
        for participant_id in participants.loc[participants["split"] == "test", "participant_id"]
    }
    records, exclusions = map_participants(
        "segmentation quality",
        score,
        tasks,
        cluster,
        records=Records(
            paths.measurements / "records" / "segmentation_quality",
            inputs=lambda task: [task.segmentation, task.reference],
        ),
        folders=[paths.curated, paths.segmentations, paths.measurements],
    )
    rows = [(record.participant_id, *row) for record in records.itertuples() for row in record.rows]
    quality = pd.DataFrame(rows, columns=COLUMNS[:-1]).astype(dict.fromkeys(SCORES, float))
    predicted = predicted_dice(read_table(paths.segmentations / "records.csv"))
    quality = quality.merge(predicted, on=["participant_id", "structure"], how="left")
    write_table(quality, paths.measurements / "segmentation_quality.csv")
    write_table(exclusions, paths.measurements / "segmentation_quality_exclusions.csv")
    return quality, exclusions

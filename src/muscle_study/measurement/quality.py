"""Agreement of the segmentation with the reference labels of the test split.

Scores: Dice, the 95 % Hausdorff distance and the average symmetric surface distance. A surface is a
structure's outermost voxels; distances are between voxel centres, mm. The Hausdorff distance is the
larger of both directions' 95th centiles; the average is over the voxels of both surfaces. A test
compares with MONAI, which defines them so but takes each worker longer to load than to score.
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
    """Files of a segmentation and its reference."""

    segmentation: Path
    reference: Path


def score(task: QualityTask) -> dict[str, Any]:
    """Return ``rows`` of ``segmentation_quality.csv`` without the identifier.

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
    """Return name and `SCORES` of each structure.

    Errors of the volume and of the largest axial section are relative to the reference. A structure
    in one of the two only has Dice 0 and no distance (NaN). One that is not in the reference has no
    errors; one that is in neither has no scores.
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
    """Return the relative errors of volume and largest axial section of a mask.

    Both masks are on one grid whose third axis runs along the body, as curated volumes are.
    """
    if not true.any():
        return NAN, NAN
    sections, true_sections = found.sum(axis=(0, 1)), true.sum(axis=(0, 1))
    volume_error = sections.sum() / true_sections.sum() - 1
    return float(volume_error), float(sections.max() / true_sections.max() - 1)


def overlap_and_distances(
    found: np.ndarray, true: np.ndarray, spacing_mm: np.ndarray
) -> tuple[float, float, float]:
    """Return Dice, 95 % Hausdorff and average surface distance (mm) of two non-empty masks."""
    dice = 2 * (found & true).sum() / (found.sum() + true.sum())
    surfaces = surface_mm(found, spacing_mm), surface_mm(true, spacing_mm)
    there, _ = KDTree(surfaces[1]).query(surfaces[0])
    back, _ = KDTree(surfaces[0]).query(surfaces[1])
    hausdorff95_mm = max(np.percentile(there, 95), np.percentile(back, 95))
    return float(dice), float(hausdorff95_mm), float(np.concatenate([there, back]).mean())


def surface_mm(mask: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return positions, shape (n, 3), of voxels without one of their six neighbours."""
    return np.argwhere(mask & ~ndimage.binary_erosion(mask)) * spacing_mm


def predicted_dice(records: pd.DataFrame) -> pd.DataFrame:
    """Return ``structure`` and ``predicted_dice`` by participant, from inference's records.

    Label maps of other segmenters have no predictions (NaN).
    """
    names = {f"predicted_dice_{label.name.lower()}": label.name.lower() for label in STRUCTURES}
    columns = records.set_index("participant_id").reindex(columns=list(names)).rename(columns=names)
    return columns.melt(var_name="structure", value_name="predicted_dice", ignore_index=False)


def score_test_split(
    paths: RunPaths, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the segmentations of the test split; write and return the tables.

    Participants whom measurement excludes are scored too: leaving out a muscle that was not found
    would flatter the segmentation.

    Returns
    -------
    quality, exclusions : pandas.DataFrame
        ``segmentation_quality.csv`` and ``segmentation_quality_exclusions.csv``.
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

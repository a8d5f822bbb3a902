"""Measure every participant who has a segmentation."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from muscle_study.imaging.volumes import Volume, load, open_mapped
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Records
from muscle_study.measurement.coverage import withheld, without
from muscle_study.measurement.measures import measure, swapped
from muscle_study.measurement.parameters import MeasurementParameters
from muscle_study.measurement.voxels import AxialProfile, LabelledVoxels
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.muscles import SIDES, STRUCTURES, Label, label_of
from muscle_study.protocol.outcomes import COLUMNS
from muscle_study.protocol.paths import RunPaths, image_file

STAGE = "measurement"
WITHHELD = ["participant_id", "measure", "reason"]


@dataclass(frozen=True)
class MeasureTask:
    """Input of a worker for one participant.

    Parameters
    ----------
    segmentation
        File of the label map.
    dixon
        Files of water and fat; ``None`` in a run without these contrasts.
    height_cm
        Standing height, NaN if unknown.
    min_muscle_ml
        Volume below which a structure counts as not found.
    """

    segmentation: Path
    dixon: tuple[Path, Path] | None
    height_cm: float
    min_muscle_ml: float


def segmented_participants(paths: RunPaths, folder: Path) -> pd.DataFrame:
    """Return the curated participants with a label map in a folder of inference.

    Raises
    ------
    ValueError
        If a segmentation belongs to no curated participant.
    """
    participants = read_table(paths.curated / "participants.csv")
    segmented = read_table(folder / "records.csv")["participant_id"]
    unknown = ~segmented.isin(participants["participant_id"])
    if unknown.any():
        raise ValueError(
            f"{folder / 'records.csv'}: {unknown.sum()} participants are not in "
            f"{paths.curated / 'participants.csv'}: run inference again"
        )
    return participants[participants["participant_id"].isin(segmented)].reset_index(drop=True)


def has_dixon(paths: RunPaths) -> bool:
    """Return whether the run has the Dixon contrasts water and fat."""
    contrasts = set(read_table(paths.curated / "inventory.csv")["contrast"])
    return {"water", "fat"} <= contrasts


def measure_participant(task: MeasureTask) -> dict[str, Any]:
    """Measure one participant.

    Returns
    -------
    dict
        The columns of ``measures.csv``; ``profile``, from `psoas_profiles`; ``withheld``, names of
        withheld measures with the reason.

    Raises
    ------
    Excluded
        ``no_muscle_found``, ``sides_swapped``, ``unknown_label``, ``grid_mismatch``, or what
        reading a file raises.
    """
    labels = load(task.segmentation)
    check_labels(labels, task.segmentation.name)
    voxels = LabelledVoxels(labels)
    check_found(voxels, task.min_muscle_ml)
    if muscles := swapped(voxels):
        raise Excluded(
            Reason.SIDES_SWAPPED, f"{', '.join(muscles)}: left lies to the right of right"
        )
    water, fat = (_on_grid(path, labels) for path in task.dixon) if task.dixon else (None, None)
    measures, profile = measure(voxels, water, fat, task.height_cm)
    missing = withheld(measures, voxels, profile)
    measures = without(measures, missing, task.height_cm) if missing else measures
    return {**measures, "profile": psoas_profiles(profile), "withheld": list(missing.items())}


def check_labels(labels: Volume, name: str) -> None:
    """Raise ``unknown_label`` if a value is no label of the study."""
    if (
        labels.data.dtype.kind not in "iu"
        or labels.data.min() < 0
        or labels.data.max() > max(Label)
    ):
        raise Excluded(
            Reason.UNKNOWN_LABEL, f"{name}: values are not the whole numbers 0–{max(Label)}"
        )


def check_found(voxels: LabelledVoxels, min_muscle_ml: float) -> None:
    """Raise ``no_muscle_found`` if a structure is smaller than `min_muscle_ml`."""
    small = [
        f"{label.name.lower()} {voxels.volume_ml[label]:.1f} mL"
        for label in STRUCTURES
        if voxels.volume_ml[label] < min_muscle_ml
    ]
    if small:
        raise Excluded(Reason.NO_MUSCLE_FOUND, f"{', '.join(small)}: under {min_muscle_ml} mL")


def _on_grid(path: Path, labels: Volume) -> Volume:
    image = open_mapped(path)
    if not image.same_grid(labels):
        raise Excluded(Reason.GRID_MISMATCH, f"{path.name} is not on the segmentation's grid")
    return image


def psoas_profiles(profile: AxialProfile) -> dict[str, np.ndarray]:
    """Return z_mm and csa_cm2 of the psoas by side, lowest slab first, shape (slabs, 2)."""
    profiles = {}
    for side in SIDES:
        label = label_of("psoas", side)
        extent = profile.extent(label)
        profiles[side] = np.column_stack([profile.z_mm[extent], profile.csa_cm2[label, extent]])
    return profiles


def profile_table(participant_ids: pd.Series, profiles: Iterable[dict]) -> pd.DataFrame:
    """Return ``csa_profiles.csv`` from the participants' `psoas_profiles`.

    Names are categories, since in millions of rows text takes more memory than the values.
    """
    arrays = [own[side] for own in profiles for side in SIDES]
    values = np.concatenate([np.empty((0, 2)), *arrays])
    owner = np.repeat(np.arange(len(arrays)), [len(rows) for rows in arrays])
    return pd.DataFrame(
        {
            "participant_id": pd.Categorical.from_codes(owner // len(SIDES), participant_ids),
            "side": pd.Categorical.from_codes(owner % len(SIDES), SIDES),
            "z_mm": values[:, 0],
            "csa_cm2": values[:, 1],
        }
    )


def measure_tasks(
    paths: RunPaths, folder: Path, parameters: MeasurementParameters
) -> dict[str, MeasureTask]:
    """Return the task of each participant with a label map in `folder`."""
    dixon = has_dixon(paths)
    tasks = {}
    for row in segmented_participants(paths, folder).itertuples():
        images = paths.curated / "images" / row.participant_id
        tasks[row.participant_id] = MeasureTask(
            segmentation=folder / f"{row.participant_id}.nii.gz",
            dixon=(image_file(images, "water"), image_file(images, "fat")) if dixon else None,
            height_cm=row.height_cm,
            min_muscle_ml=parameters.min_muscle_ml,
        )
    return tasks


def measure_inputs(task: MeasureTask) -> list[Path]:
    """Return the files that a participant's measures depend on."""
    return [task.segmentation, *(task.dixon or ())]


def measure_values(task: MeasureTask) -> tuple[float, float]:
    """Return the numbers that a participant's measures depend on."""
    return task.height_cm, task.min_muscle_ml


def with_arrays(record: dict) -> dict:
    """Return a record with profiles as arrays, since lists take eight times the memory."""
    profiles = {side: np.reshape(rows, (-1, 2)) for side, rows in record["profile"].items()}
    return record | {"profile": profiles}


def measure_cohort(
    paths: RunPaths, parameters: MeasurementParameters, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Measure all segmented participants; write and return the tables.

    Returns
    -------
    measures, profiles, exclusions : pandas.DataFrame
        ``measures.csv``, ``csa_profiles.csv`` and ``exclusions.csv``; ``withheld.csv`` is written
        too.

    Raises
    ------
    RuntimeError
        If no participant could be measured.
    """
    tasks = measure_tasks(paths, paths.segmentations, parameters)
    measures, exclusions = map_participants(
        STAGE,
        measure_participant,
        tasks,
        cluster,
        records=Records(
            paths.measurements / "records",
            inputs=measure_inputs,
            values=measure_values,
            decode=with_arrays,
        ),
        folders=[paths.curated, paths.segmentations, paths.measurements],
    )
    measures = measures.reindex(columns=["participant_id", *COLUMNS, "profile", "withheld"])
    numbers = [name for name in COLUMNS if not name.endswith("_at_border")]
    measures = measures.astype(dict.fromkeys(numbers, float))
    profiles = profile_table(measures["participant_id"], measures.pop("profile"))
    missing = [
        (participant_id, *row)
        for participant_id, own in zip(
            measures["participant_id"], measures.pop("withheld"), strict=True
        )
        for row in own
    ]
    write_table(measures, paths.measurements / "measures.csv")
    write_table(profiles, paths.measurements / "csa_profiles.csv")
    write_table(pd.DataFrame(missing, columns=WITHHELD), paths.measurements / "withheld.csv")
    write_table(exclusions, paths.measurements / "exclusions.csv")
    if measures.empty:
        raise RuntimeError(
            "no participant could be measured: see reason and detail in "
            f"{paths.measurements / 'exclusions.csv'}"
        )
    return measures, profiles, exclusions

"""Agreement of two segmentations of the same participants: the study's and another one."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from muscle_study.imaging.volumes import load
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Records
from muscle_study.measurement.agreement import agreement_row
from muscle_study.measurement.parameters import MeasurementParameters
from muscle_study.measurement.participants import (
    MeasureTask,
    measure_inputs,
    measure_participant,
    measure_tasks,
    measure_values,
)
from muscle_study.protocol.exclusions import check_conserved
from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.outcomes import MEASURES
from muscle_study.protocol.paths import RunPaths

STAGE = "comparison"

#: Columns of the Dice coefficients.
DICE = tuple(f"dice_{label.name.lower()}" for label in STRUCTURES)


class Compared(NamedTuple):
    """Tables of the comparison.

    Parameters
    ----------
    agreement
        ``comparison.csv``.
    participants
        ``compared.csv``: `DICE`, and the other segmentation's `MEASURES`.
    exclusions
        ``compared_exclusions.csv``: measured participants without a usable other segmentation.
    """

    agreement: pd.DataFrame
    participants: pd.DataFrame
    exclusions: pd.DataFrame


@dataclass(frozen=True)
class CompareTask:
    """The study's label map of a participant, and the other one, to be measured."""

    segmentation: Path
    other: MeasureTask


def compare_participant(task: CompareTask) -> dict[str, Any]:
    """Return `DICE` of both label maps and `MEASURES` of the other one."""
    measures = measure_participant(task.other)
    ours, others = load(task.segmentation).data, load(task.other.segmentation).data
    dice = {}
    for name, label in zip(DICE, STRUCTURES, strict=True):
        one, other = ours == label, others == label
        dice[name] = float(2 * (one & other).sum() / (one.sum() + other.sum()))
    return dice | {name: measures[name] for name in MEASURES}


def compare_segmentations(
    paths: RunPaths,
    measures: pd.DataFrame,
    parameters: MeasurementParameters,
    cluster: ClusterParameters,
) -> Compared | None:
    """Compare the study's segmentation with the other one in participants with both.

    Parameters
    ----------
    paths
        Paths of the run.
    measures
        ``measures.csv``.
    parameters, cluster
        Parameters of the stage; where to run.

    Returns
    -------
    Compared or None
        ``None`` in a run that names no other segmentation; earlier tables are then removed.
    """
    written = {
        name: paths.measurements / f"{name}.csv"
        for name in ("comparison", "compared", "compared_exclusions")
    }
    records = Records(
        paths.measurements / "records" / STAGE,
        inputs=lambda task: [task.segmentation, *measure_inputs(task.other)],
        values=lambda task: measure_values(task.other),
    )
    if not (paths.compared / "records.csv").exists():
        records.keep_only(())  # of an earlier run, as the tables
        for path in written.values():
            path.unlink(missing_ok=True)
        return None
    measured = measures["participant_id"]
    others = measure_tasks(paths, paths.compared, parameters)
    tasks = {
        name: CompareTask(paths.segmentations / f"{name}.nii.gz", others[name])
        for name in measured
        if name in others
    }
    participants, exclusions = map_participants(
        STAGE,
        compare_participant,
        tasks,
        cluster,
        records=records,
        folders=[paths.segmentations, paths.compared, paths.measurements],
    )
    participants = participants.reindex(columns=["participant_id", *DICE, *MEASURES])
    participants = participants.astype(dict.fromkeys((*DICE, *MEASURES), float))
    before = read_table(paths.compared / "exclusions.csv").astype(str)
    before = before[before["participant_id"].isin(measured)].assign(stage=STAGE)
    exclusions = pd.concat([before, exclusions], ignore_index=True)
    check_conserved(STAGE, len(measured), len(participants), len(exclusions))
    found = Compared(agreement(measures, participants), participants, exclusions)
    for table, path in zip(found, written.values(), strict=True):
        write_table(table, path)
    return found


def agreement(measures: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return ``comparison.csv``: rows as in ``agreement.csv``, of the study minus the other."""
    pairs = measures.merge(others, on="participant_id", suffixes=("", "_other"))
    rows = [
        {"measure": name}
        | agreement_row(pairs[name].to_numpy(float), pairs[f"{name}_other"].to_numpy(float))
        for name in MEASURES
    ]
    return pd.DataFrame(rows).rename(columns={"truth_mean": "other_mean"})

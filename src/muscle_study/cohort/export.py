"""Make the synthetic cohort: an export as a real one would come, and the truth apart from it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.cluster import map_participants
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.cohort.anatomy import build_body
from muscle_study.cohort.faults import FOLDERS, assign_faults, break_files, break_table
from muscle_study.cohort.imaging import scan
from muscle_study.cohort.muscles import union_volume_mm3
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.population import draw_muscles, draw_participants
from muscle_study.cohort.sampling import Body
from muscle_study.files import write_table
from muscle_study.labels import SIDES, label_of
from muscle_study.paths import RunPaths
from muscle_study.records import code_digest, read_record, record_key, write_record
from muscle_study.volumes import MM2_PER_CM2, MM3_PER_ML, save


@dataclass(frozen=True)
class Task:
    """What a worker needs to make one participant.

    Parameters
    ----------
    participant, muscles
        The drawn covariates and muscle sizes.
    annotated
        Whether reference labels are exported.
    fault
        Name of a deliberate fault, or empty.
    seed
        Of this participant's own chance.
    """

    participant: dict
    muscles: dict
    annotated: bool
    fault: str
    seed: tuple[int, int]


def true_measures(body: Body) -> dict[str, float]:
    """Return a body's true measures from its continuous shapes.

    Psoas: closed form. Gluteus: its parts' union, summed finely (see `GLUTEUS_PITCH_MM`).
    """
    measures = {}
    for side in SIDES:
        (psoas,) = (part.stack for part in body.muscles[label_of("psoas", side)])
        parts = [part.stack for part in body.muscles[label_of("gluteus", side)]]
        right = parts if side == "right" else [part.mirrored() for part in parts]
        measures[f"psoas_csa_{side}_cm2"] = psoas.max_area_mm2() / MM2_PER_CM2
        measures[f"psoas_volume_{side}_ml"] = psoas.volume_mm3() / MM3_PER_ML
        measures[f"gluteus_volume_{side}_ml"] = union_volume_mm3(right) / MM3_PER_ML
    for total in ("psoas_csa_{}_cm2", "psoas_volume_{}_ml", "gluteus_volume_{}_ml"):
        measures[total.format("total")] = sum(measures[total.format(side)] for side in SIDES)
    return measures


def _true_fat(measures: dict[str, float], fat_fraction: dict) -> dict[str, float]:
    """Return the fat fractions by side, and in total weighted by volume."""
    fat = {}
    for muscle in ("psoas", "gluteus"):
        by_side = {side: fat_fraction[label_of(muscle, side)] for side in SIDES}
        weights = [measures[f"{muscle}_volume_{side}_ml"] for side in SIDES]
        fat |= {f"{muscle}_fat_fraction_{side}": share for side, share in by_side.items()}
        fat[f"{muscle}_fat_fraction_total"] = float(
            np.average(list(by_side.values()), weights=weights)
        )
    return fat


def make_participant(
    task: Task, raw: Path, records: Path, parameters: CohortParameters, code: str
) -> dict:
    """Write one participant's images and labels; return the true measures.

    A participant who was finished under the same parameters and code is not made again.
    """
    participant_id = task.participant["participant_id"]
    key = record_key(code, parameters.model_dump(), task.seed, task.annotated, task.fault)
    record = records / f"{participant_id}.json"
    if (finished := read_record(record, key)) is not None:
        return finished
    rng = np.random.default_rng(task.seed)
    body = build_body(task.participant, task.muscles, rng)
    muscle_fat = {
        label_of(muscle, side): task.muscles[f"{muscle}_fat_fraction"]
        for muscle in ("psoas", "gluteus")
        for side in SIDES
    }
    images = scan(body, muscle_fat, parameters, rng)
    for contrast, volume in images.contrasts.items():
        save(volume, raw / "images" / participant_id / f"{contrast}.nii.gz")
    if task.annotated:
        save(images.labels, raw / "labels" / f"{participant_id}.nii.gz")
    if task.fault:
        break_files(raw, participant_id, task.fault)
    measures = true_measures(body)
    measures |= _true_fat(measures, images.fat_fraction)
    write_record(record, key, measures)
    return measures


def make_cohort(
    paths: RunPaths, parameters: CohortParameters, cluster: ClusterParameters
) -> pd.DataFrame:
    """Draw the cohort, write its export under ``raw`` and its truth under ``truth``.

    Returns
    -------
    pandas.DataFrame
        The participant table as drawn, before faults were put in.

    Raises
    ------
    RuntimeError
        If a participant could not be made: the cohort's own code must not fail.
    """
    rng = np.random.default_rng(parameters.seed)
    participants = draw_participants(parameters.n_participants, rng)
    muscles = draw_muscles(participants, rng)
    ids = participants["participant_id"]
    annotated = set(rng.choice(ids, parameters.n_annotated, replace=False))
    faults = assign_faults(participants, annotated, parameters.fault_share, rng)
    for folder in FOLDERS:
        _remove_others(paths.raw / folder, set(ids))
    tasks = {
        participant_id: Task(
            person,
            sizes,
            participant_id in annotated,
            faults.get(participant_id, ""),
            (parameters.seed, index),
        )
        for index, (participant_id, person, sizes) in enumerate(
            zip(ids, participants.to_dict("records"), muscles.to_dict("records"), strict=True)
        )
    }
    make = partial(
        make_participant,
        raw=paths.raw,
        records=paths.truth / "records",
        parameters=parameters,
        code=code_digest(Path(__file__).parent),
    )
    truth, failed = map_participants("cohort", make, tasks, cluster)
    if len(failed):
        raise RuntimeError(f"{len(failed)} participants could not be made: {failed.detail[0]}")
    fault_table = pd.DataFrame(sorted(faults.items()), columns=["participant_id", "fault"])
    write_table(truth, paths.truth / "measures.csv")
    write_table(fault_table, paths.truth / "faults.csv")
    write_table(break_table(participants, faults), paths.raw / "participants.csv")
    return participants


def _remove_others(folder: Path, ids: set[str]) -> None:
    """Remove what an earlier, differently drawn cohort left."""
    if not folder.exists():
        return
    for entry in folder.iterdir():
        if entry.name.removesuffix(".nii.gz") in ids:
            continue
        for file in entry.iterdir() if entry.is_dir() else [entry]:
            file.unlink()
        if entry.is_dir():
            entry.rmdir()

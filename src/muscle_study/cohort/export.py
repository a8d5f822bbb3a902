"""Make the synthetic cohort: an export as a real one would come, and the truth apart from it."""

import shutil
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.cohort.anatomy.body import build_body
from muscle_study.cohort.anatomy.habitus import REFERENCE_HEIGHT_CM
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.faults.assign import assign_faults, problems
from muscle_study.cohort.faults.files import break_files, duplicate_scans
from muscle_study.cohort.faults.kinds import Problem
from muscle_study.cohort.faults.scans import take_scans
from muscle_study.cohort.faults.table import break_table
from muscle_study.cohort.nako import export_scan, write_participants
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.cohort.population.truth import coefficient_table
from muscle_study.cohort.randomised.images import randomise
from muscle_study.cohort.randomised.parameters import RANDOMISED_CHANNEL
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.scan import Scan, scan
from muscle_study.cohort.truth import (
    MUSCLES,
    counted_measures,
    population_measures,
    true_measures,
    voxelisation_table,
)
from muscle_study.imaging.volumes import Volume, save, to_ras
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import code_digest, read_record, record_key, write_record
from muscle_study.protocol.files import write_table
from muscle_study.protocol.muscles import SIDES, Label, label_of
from muscle_study.protocol.paths import RunPaths, image_file

#: What the stage writes under ``raw``, beside the participant table.
FOLDERS = ("images", "labels", "randomised")

#: Stored value of the brightness 1 in an image of random contrast.
BRIGHT = 1000


@dataclass(frozen=True)
class Task:
    """What a worker needs to make one participant.

    Parameters
    ----------
    participant, muscles
        The drawn covariates and muscle sizes.
    annotated
        Whether reference labels are exported.
    checked
        Whether counted voxels are compared with the truth.
    problem
        What is broken on purpose, if anything.
    seed
        Of this participant's own chance.
    """

    participant: dict
    muscles: dict
    annotated: bool
    checked: bool
    problem: Problem | None
    seed: tuple[int, int]

    @property
    def participant_id(self) -> str:
        """Whom."""
        return self.participant["participant_id"]

    @property
    def muscle_fat(self) -> dict[Label, float]:
        """Share of fat protons in each muscle."""
        return {
            label_of(muscle, side): self.muscles[f"{muscle}_fat_fraction"]
            for muscle in MUSCLES
            for side in SIDES
        }


def make_participant(
    task: Task, raw: Path, records: Path, parameters: CohortParameters, code: str
) -> dict:
    """Write one participant's images and labels; return what is true of the participant.

    A participant who was finished under the same parameters and code is not made again.

    Returns
    -------
    dict
        ``truth``, and ``counted``: sizes from counted voxels by grid, of the checked.
    """
    key = record_key(code, parameters.model_dump(), asdict(task))
    record = records / f"{task.participant_id}.json"
    if (finished := read_record(record, key)) is not None:
        return finished
    rng = np.random.default_rng(task.seed)
    body = build_body(task.participant, task.muscles, rng)
    scans = take_scans(
        body,
        task.problem,
        task.participant["height_cm"] / REFERENCE_HEIGHT_CM,
        lambda scanned, motion_mm: scan(
            scanned, task.muscle_fat, parameters.imaging, rng, motion_mm
        ),
    )
    write_participant(task, body, scans, raw, parameters)
    *_, last = scans.values()
    facts = {
        "truth": true_measures(body, last.fat_fraction),
        "counted": {
            spacing_name(spacing): counted_measures(
                body, Grid(tuple(spacing)), parameters.imaging.supersampling
            )
            for spacing in (parameters.check_grids_mm if task.checked else ())
        },
    }
    write_record(record, key, facts)
    return facts


def spacing_name(spacing_mm: list[float]) -> str:
    """Return voxel edges as ``3.5x3.5x5``."""
    return "x".join(f"{edge:g}" for edge in spacing_mm)


def write_participant(
    task: Task, body: Body, scans: dict[str, Scan], raw: Path, parameters: CohortParameters
) -> None:
    """Write what is exported of a participant: scans by what is added to the identifier."""
    folder = raw / "images"
    for earlier in [*folder.glob(task.participant_id), *folder.glob(f"{task.participant_id}_*")]:
        _remove(earlier)
    for added, images in scans.items():
        files = write_images(images, task, added, folder, parameters)
        if task.problem is not None:
            break_files(files, task.problem)
    if task.annotated:
        *_, last = scans.values()
        save(last.labels, raw / "labels" / f"{task.participant_id}.nii.gz")
    if parameters.randomised.n_images:
        write_randomised(task, body, raw / "randomised" / task.participant_id, parameters)


def write_randomised(task: Task, body: Body, folder: Path, parameters: CohortParameters) -> None:
    """Write a body's images of random contrast, with their labels, a folder each.

    They have chances of their own, so that their number changes nothing else.
    """
    grid = Grid(tuple(parameters.randomised.spacing_mm))
    tissues = to_ras(grid.volume(sample(body, grid.axes_mm())))
    for number in range(parameters.randomised.n_images):
        rng = np.random.default_rng((*task.seed, number))
        made = randomise(tissues.data, grid.spacing_mm, parameters.randomised, rng)
        image = np.rint(made.image * BRIGHT).astype(np.int16)
        save(Volume(image, tissues.affine), image_file(folder / str(number), RANDOMISED_CHANNEL))
        save(Volume(made.labels, tissues.affine), folder / str(number) / "label.nii.gz")


def write_images(
    images: Scan, task: Task, added: str, folder: Path, parameters: CohortParameters
) -> dict[str, Path]:
    """Write a scan in the export's format; return the composed contrasts' files.

    Parameters
    ----------
    images
        The scan.
    task
        Whose.
    added
        To the identifier, of a repeated scan.
    folder
        Of all images.
    parameters
        Format, and whether stations are exported too.
    """
    if parameters.format == "dicom":
        return export_scan(
            images, task.participant, added, folder, with_stations=parameters.export_stations
        )
    own = folder / f"{task.participant_id}{added}"
    composed = {name: own / f"{name}.nii.gz" for name in images.contrasts}
    volumes = {path: images.contrasts[name] for name, path in composed.items()}
    if parameters.export_stations:
        volumes |= {
            own / f"station_{number}" / f"{name}.nii.gz": volume
            for number, station in enumerate(images.stations, start=1)
            for name, volume in station.items()
        }
    for path, volume in volumes.items():
        save(volume, path)
    return composed


@dataclass(frozen=True)
class Drawn:
    """The population, and who of it is scanned.

    Parameters
    ----------
    participants, muscles
        One row a person.
    imaged, annotated
        Identifiers; the annotated are among the imaged.
    faults
        Of the imaged, as from `assign_faults`.
    """

    participants: pd.DataFrame
    muscles: pd.DataFrame
    imaged: list[str]
    annotated: set[str]
    faults: pd.DataFrame

    @property
    def exported(self) -> pd.DataFrame:
        """The imaged participants, as drawn."""
        people = self.participants
        return people[people["participant_id"].isin(self.imaged)].reset_index(drop=True)


def draw_cohort(parameters: CohortParameters) -> Drawn:
    """Draw people, their muscles, who is scanned, who is annotated and what is broken."""
    rng = np.random.default_rng(parameters.seed)
    participants = draw_participants(parameters.n_population, rng)
    muscles = draw_muscles(participants, rng)
    ids = participants["participant_id"].to_numpy()
    imaged = sorted(rng.choice(ids, parameters.n_imaged, replace=False))
    annotated = set(rng.choice(imaged, parameters.n_annotated, replace=False))
    people = participants[participants["participant_id"].isin(imaged)]
    stations = parameters.imaging.stations
    faults = assign_faults(people, annotated, parameters.fault_rates, stations, rng)
    return Drawn(participants, muscles, imaged, annotated, faults)


def tasks_of(drawn: Drawn, parameters: CohortParameters) -> dict[str, Task]:
    """Return the task of each imaged participant, seeded by the place in the population."""
    place = {name: i for i, name in enumerate(drawn.participants["participant_id"])}
    rows = [place[participant_id] for participant_id in drawn.imaged]
    people = drawn.participants.iloc[rows].to_dict("records")
    muscles = drawn.muscles.iloc[rows].to_dict("records")
    broken = problems(drawn.faults)
    checked = set(drawn.imaged[: parameters.n_checked])
    return {
        participant_id: Task(
            person,
            sizes,
            participant_id in drawn.annotated,
            participant_id in checked,
            broken.get(participant_id),
            (parameters.seed, row),
        )
        for participant_id, person, sizes, row in zip(
            drawn.imaged, people, muscles, rows, strict=True
        )
    }


def make_cohort(paths: RunPaths, parameters: CohortParameters, cluster: ClusterParameters) -> Drawn:
    """Draw the cohort, write its export under ``raw`` and its truth under ``truth``.

    Raises
    ------
    RuntimeError
        If a participant could not be made: the cohort's own code must not fail.
    """
    drawn = draw_cohort(parameters)
    write_cohort(drawn, paths, parameters, cluster)
    return drawn


def write_cohort(
    drawn: Drawn, paths: RunPaths, parameters: CohortParameters, cluster: ClusterParameters
) -> None:
    """Write a drawn cohort, as `make_cohort` does."""
    for folder in FOLDERS:
        _remove_others(paths.raw / folder, set(drawn.imaged))
    make = partial(
        make_participant,
        raw=paths.raw,
        records=paths.truth / "records",
        parameters=parameters,
        code=code_digest(Path(__file__)),
    )
    facts, failed = map_participants(
        "cohort", make, tasks_of(drawn, parameters), cluster, folders=[paths.raw, paths.truth]
    )
    if len(failed):
        raise RuntimeError(f"{len(failed)} participants could not be made: {failed.detail[0]}")
    duplicate_scans(paths.raw / "images", drawn.faults)
    write_truth(drawn, facts, paths.truth)
    write = write_participants if parameters.format == "dicom" else write_table
    write(break_table(drawn.exported, drawn.faults), paths.raw / "participants.csv")


def write_truth(drawn: Drawn, facts: pd.DataFrame, folder: Path) -> None:
    """Write the tables that no stage reads before the final comparison."""
    truth = pd.DataFrame(facts["truth"].tolist())
    write_table(pd.concat([facts[["participant_id"]], truth], axis=1), folder / "measures.csv")
    checked = facts["counted"].map(bool)
    counted = pd.DataFrame(facts.loc[checked, "counted"].tolist())
    by_grid = {name: pd.DataFrame(column.tolist()) for name, column in counted.items()}
    write_table(voxelisation_table(by_grid, truth[checked]), folder / "voxelisation.csv")
    write_table(drawn.faults, folder / "faults.csv")
    write_table(coefficient_table(), folder / "coefficients.csv")
    people = drawn.participants
    population = pd.concat([people, population_measures(drawn.muscles)], axis=1)
    population["imaged"] = people["participant_id"].isin(drawn.imaged)
    write_table(population, folder / "population.csv")


def _remove_others(folder: Path, ids: set[str]) -> None:
    """Remove what an earlier, differently drawn cohort left."""
    for entry in folder.glob("*"):
        if entry.name.removesuffix(".nii.gz").partition("_")[0] not in ids:
            _remove(entry)


def _remove(entry: Path) -> None:
    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

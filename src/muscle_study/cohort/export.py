"""The synthetic cohort: an export as of a real cohort, and its truth."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.cohort.faults.assign import assign_faults, problems
from muscle_study.cohort.faults.files import duplicate_scans, remove
from muscle_study.cohort.faults.table import break_table
from muscle_study.cohort.nako import write_participants
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.participant import Task, make_participant
from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.cohort.population.truth import coefficient_table, population_table
from muscle_study.cohort.truth import population_measures, voxelisation_table
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Records
from muscle_study.protocol.covariates import Covariate
from muscle_study.protocol.files import whole_file, write_table
from muscle_study.protocol.paths import RunPaths

#: Folders that the stage writes under ``raw``.
FOLDERS = ("images", "labels", "randomised")


@dataclass(frozen=True)
class Drawn:
    """A drawn population: tables of people and of their muscles, one row per person.

    Identifiers tell who is imaged and who of these is annotated; ``faults`` is a table of
    `assign_faults`.
    """

    participants: pd.DataFrame
    muscles: pd.DataFrame
    imaged: list[str]
    annotated: set[str]
    faults: pd.DataFrame

    @property
    def exported(self) -> pd.DataFrame:
        """Participants with images."""
        people = self.participants
        return people[people["participant_id"].isin(self.imaged)].reset_index(drop=True)


def draw_cohort(parameters: CohortParameters) -> Drawn:
    """Draw people, muscles, imaged and annotated participants, and faults."""
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
    """Return the task of each imaged participant, seeded by the row in the population."""
    place = {name: row for row, name in enumerate(drawn.participants["participant_id"])}
    rows = [place[name] for name in drawn.imaged]
    people = drawn.participants.iloc[rows].to_dict("records")
    muscles = drawn.muscles.iloc[rows].to_dict("records")
    broken = problems(drawn.faults)
    checked = set(drawn.imaged[: parameters.n_checked])
    return {
        name: Task(
            person,
            sizes,
            annotated=name in drawn.annotated,
            checked=name in checked,
            problem=broken.get(name),
            seed=(parameters.seed, row),
        )
        for name, person, sizes, row in zip(drawn.imaged, people, muscles, rows, strict=True)
    }


def make_cohort(
    paths: RunPaths,
    parameters: CohortParameters,
    cluster: ClusterParameters,
    covariates: Sequence[Covariate] = (),
) -> Drawn:
    """Draw the cohort and write it, as `write_cohort` does."""
    drawn = draw_cohort(parameters)
    write_cohort(drawn, paths, parameters, cluster, covariates)
    return drawn


def write_cohort(
    drawn: Drawn,
    paths: RunPaths,
    parameters: CohortParameters,
    cluster: ClusterParameters,
    covariates: Sequence[Covariate] = (),
) -> None:
    """Write the export of a drawn cohort under ``raw`` and its truth under ``truth``.

    Parameters
    ----------
    drawn
        The cohort.
    paths, parameters, cluster
        The run's folders, the stage's parameters, and where the work runs.
    covariates
        Declared covariates, exported under their columns and codes.

    Raises
    ------
    ValueError
        If a covariate is declared that the cohort does not draw.
    RuntimeError
        If a participant fails: no failure is expected of synthetic participants.
    """
    exported = coded(drawn.exported, covariates)
    facts, failed = map_participants(
        "cohort",
        partial(make_participant, raw=paths.raw, parameters=parameters),
        tasks_of(drawn, parameters),
        cluster,
        records=Records(paths.truth / "records", parameters.model_dump(), values=asdict),
        folders=[paths.raw, paths.truth],
    )
    # after the map, which forgets records of other participants: no record outlives its images
    imaged = set(drawn.imaged)
    for entry in (entry for folder in FOLDERS for entry in (paths.raw / folder).glob("*")):
        if entry.name.removesuffix(".nii.gz").partition("_")[0] not in imaged:
            remove(entry)
    if len(failed):
        raise RuntimeError(f"{len(failed)} participants could not be made: {failed.detail[0]}")
    duplicate_scans(paths.raw / "images", drawn.faults)
    write_truth(drawn, facts, paths.truth, [one.name for one in covariates])
    table, path = break_table(exported, drawn.faults), paths.raw / "participants.csv"
    if parameters.format == "dicom":
        write_participants(table, path, [one.export_column for one in covariates])
    else:
        write_table(table, path)


def coded(people: pd.DataFrame, covariates: Sequence[Covariate]) -> pd.DataFrame:
    """Return drawn people with the declared covariates under the export's columns and codes."""
    if unknown := [one.name for one in covariates if one.name not in people]:
        raise ValueError(
            f"covariates: {', '.join(unknown)}: the synthetic cohort draws no such variable "
            f"(it draws {', '.join(people.columns)}); declare it for a run on real data"
        )
    codes = {one.name: people[one.name].replace(one.codes) for one in covariates if one.levels}
    columns = {one.name: one.export_column for one in covariates}
    return people.assign(**codes).rename(columns=columns)


def write_truth(drawn: Drawn, facts: pd.DataFrame, folder: Path, declared: Collection[str]) -> None:
    """Write the tables of the truth, for comparison with the study's results."""
    truth = pd.DataFrame(facts["truth"].tolist())
    write_table(pd.concat([facts[["participant_id"]], truth], axis=1), folder / "measures.csv")
    checked = facts["counted"].map(bool)
    counted = pd.DataFrame(facts.loc[checked, "counted"].tolist())
    by_grid = {name: pd.DataFrame(column.tolist()) for name, column in counted.items()}
    write_table(voxelisation_table(by_grid, truth[checked]), folder / "voxelisation.csv")
    write_table(drawn.faults, folder / "faults.csv")
    write_table(coefficient_table(), folder / "coefficients.csv")
    with whole_file(folder / "population_grid.parquet") as beside:
        population_table(declared).to_parquet(beside)
    people = drawn.participants
    population = pd.concat([people, population_measures(drawn.muscles)], axis=1)
    population["imaged"] = people["participant_id"].isin(drawn.imaged)
    write_table(population, folder / "population.csv")

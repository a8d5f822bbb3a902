"""The stage curation: from an export to curated volumes and tables."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from muscle_study.curation.inventory import inventory_table
from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.participant import curate_participant
from muscle_study.curation.participants import Checked, check_participants
from muscle_study.curation.review.gallery import PICTURES, entries, write_gallery
from muscle_study.curation.review.mosaic import ENDING
from muscle_study.curation.review.verdicts import read_verdicts, rejected, review_table
from muscle_study.curation.sources.bids import BidsSource
from muscle_study.curation.sources.cohort import CohortSource
from muscle_study.curation.sources.dicom_export import HeapSource, NakoSource
from muscle_study.curation.sources.source import NOBODY, Source
from muscle_study.curation.sources.totalsegmentator import TotalSegmentatorSource
from muscle_study.curation.tables import (
    correction_table,
    duplicate_scans,
    file_table,
    flow_table,
    participant_table,
    quality_of,
)
from muscle_study.curation.task import Task, records_of
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.exclusions import check_conserved, exclusion_table
from muscle_study.protocol.files import read_json, write_json, write_table
from muscle_study.protocol.paths import ROOT, RunPaths

SOURCES = {
    "cohort": CohortSource,
    "nako": NakoSource,
    "dicom": HeapSource,
    "bids": BidsSource,
    "totalsegmentator": TotalSegmentatorSource,
}

#: Tables written even without included participants.
TABLES = ("exclusions", "flow", "inventory", "corrections", "files", "quality", "missing", "review",
          "excluded_people")  # fmt: skip


@dataclass(frozen=True)
class Curated:
    """Tables of curation, as ``data/README.md`` describes them, and `about`: ``source.json``."""

    participants: pd.DataFrame
    exclusions: pd.DataFrame
    flow: pd.DataFrame
    inventory: pd.DataFrame
    corrections: pd.DataFrame
    files: pd.DataFrame
    review: pd.DataFrame
    excluded_people: pd.DataFrame
    quality: pd.DataFrame
    missing: pd.DataFrame
    about: dict


def open_source(
    parameters: CurationParameters, paths: RunPaths, covariates: Sequence[Covariate] = ()
) -> Source:
    """Return the export that the parameters name, relative to the repository."""
    folder = paths.raw
    if parameters.source:
        folder = (ROOT / Path(parameters.source).expanduser()).resolve()
    return SOURCES[parameters.layout](
        folder,
        tuple(parameters.contrasts),
        parameters.acquisition,
        tuple(sorted(parameters.columns.items())),
        tuple(covariates),
    )


def curate_cohort(
    parameters: CurationParameters,
    paths: RunPaths,
    cluster: ClusterParameters,
    covariates: Sequence[Covariate] = (),
) -> Curated:
    """Curate an export into ``data/<run>/curated``.

    Parameters
    ----------
    parameters, paths, cluster
        The stage's parameters, the run's folders, and where the work runs.
    covariates
        Declared covariates, beside the built-in ones.

    Raises
    ------
    FileNotFoundError, ValueError
        If the export or its participant table is missing or broken.
    RuntimeError
        If participants do not add up, or none is left.
    """
    verdicts = read_verdicts(parameters.verdicts)
    source = open_source(parameters, paths, covariates)
    image_files = source.image_files()
    unclaimed = image_files.pop(NOBODY, [])
    checked = check_participants(source, image_files, parameters)
    tasks = tasks_of(checked.participants, source, image_files, parameters, paths.curated)
    records, by_images = map_participants(
        "curation",
        curate_participant,
        tasks,
        cluster,
        records=records_of(source, paths.curated),
        folders=[source.folder, paths.curated],
    )
    shared = duplicate_scans(records)
    reviewed = without(records, shared)
    by_reviewer = rejected(verdicts, reviewed["participant_id"])
    by_images = pd.concat([by_images, shared, by_reviewer], ignore_index=True)
    included = without(reviewed, by_reviewer)
    curated = tabulate(checked, included, by_images, verdicts, parameters, covariates)
    curated.about.update(
        layout=parameters.layout,
        synthetic=is_synthetic(source, paths),
        psoas_label=source.psoas_label,
        source_participants=len(checked.participants) + len(checked.exclusions),
        demographics=source.demographics,
        unclaimed_files=len(unclaimed),
        unmatched_withdrawals=checked.unmatched_withdrawals,
    )
    # keeps volumes of participants excluded by a reviewer, since a verdict may be withdrawn
    sweep(paths.curated, reviewed, set(tasks))
    show_for_review(curated, reviewed, source, parameters, paths)
    write(curated, paths.curated)
    return curated


def tasks_of(
    listed: pd.DataFrame,
    source: Source,
    image_files: dict[str, list[Path]],
    parameters: CurationParameters,
    folder: Path,
) -> dict[str, Task]:
    """Return the task of each listed participant."""
    return {
        person.participant_id: Task(
            person.participant_id,
            person.source_id,
            source,
            tuple(image_files.get(person.source_id, ())),
            tuple(parameters.spacing_mm),
            tuple(parameters.min_extent_mm),
            folder,
        )
        for person in listed.itertuples()
    }


def without(records: pd.DataFrame, excluded: pd.DataFrame) -> pd.DataFrame:
    """Return the records of participants who are not among the excluded."""
    return records[~records["participant_id"].isin(excluded["participant_id"])]


def tabulate(
    checked: Checked,
    records: pd.DataFrame,
    by_images: pd.DataFrame,
    verdicts: pd.DataFrame,
    parameters: CurationParameters,
    covariates: Sequence[Covariate],
) -> Curated:
    """Return the tables, with `about` left to be filled.

    Parameters
    ----------
    checked
        Participants and exclusions by their record in the export.
    records
        Records of the included participants.
    by_images
        Exclusions by images or by a reviewer.
    verdicts
        Verdicts of the reviewers.
    parameters, covariates
        Parameters of curation; declared covariates.
    """
    listed, by_record = checked.participants, checked.exclusions
    participants = participant_table(listed, records, parameters)
    traits = [covariate.name for covariate in (*BUILT_IN, *covariates)]
    exclusions = exclusion_table([*by_record.to_dict("records"), *by_images.to_dict("records")])
    return Curated(
        participants=participants,
        exclusions=exclusions,
        flow=flow_table(len(listed), len(by_record), len(by_images)),
        inventory=inventory_table(records),
        corrections=correction_table(records),
        files=file_table(records),
        review=review_table(verdicts, participants, exclusions),
        excluded_people=without(listed, participants)[["participant_id", *traits]],
        quality=quality_of(records, parameters),
        missing=checked.missing,
        about={},
    )


def show_for_review(
    curated: Curated,
    reviewed: pd.DataFrame,
    source: Source,
    parameters: CurationParameters,
    paths: RunPaths,
) -> None:
    """Write the gallery that reviewers look at."""
    found = entries(
        curated.participants,
        curated.exclusions,
        correction_table(reviewed),
        quality_of(reviewed, parameters),
    )
    kind = "synthetic participants" if curated.about["synthetic"] else "participants"
    title = f"Review of {paths.run}: {kind}"
    write_gallery(paths.curated / "qc", found, curated.review, source.contrasts, title)


def is_synthetic(source: Source, paths: RunPaths) -> bool:
    """Return whether the stage cohort made the export: the run's own, or one with its manifest."""
    manifest = source.folder / "manifest.json"
    made_here = manifest.exists() and read_json(manifest).get("stage") == "cohort"
    return source.folder == paths.raw or made_here


def write(curated: Curated, folder: Path) -> None:
    """Check that participants add up, and write the tables."""
    participants = curated.participants
    check_conserved("curation", curated.about["source_participants"], len(participants),
                    len(curated.exclusions))  # fmt: skip
    for name in TABLES:
        write_table(getattr(curated, name), folder / f"{name}.csv")
    write_json(curated.about, folder / "source.json")
    if participants.empty:
        raise RuntimeError(
            f"no participant is left: see reason and detail in {folder}/exclusions.csv"
        )
    write_table(participants, folder / "participants.csv")


def sweep(folder: Path, records: pd.DataFrame, looked_at: set[str]) -> None:
    """Remove volumes of withdrawn participants and remains of a killed run.

    Parameters
    ----------
    folder
        ``data/<run>/curated``.
    records
        Records of participants whose volumes stay.
    looked_at
        Participants whose pictures stay, including the excluded.
    """
    everyone = set(records["participant_id"])
    annotated = {row["participant_id"] for row in records.to_dict("records") if row["annotated"]}
    belong = {
        "images": everyone,
        "labels": {f"{participant_id}.nii.gz" for participant_id in annotated},
        f"qc/{PICTURES}": {f"{participant_id}{ENDING}" for participant_id in looked_at},
    }
    for kind, names in belong.items():
        for path in (folder / kind).glob("*"):
            if path.name not in names:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

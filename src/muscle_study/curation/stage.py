"""The stage as a whole: participants in, curated volumes and tables out, nobody lost."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from muscle_study.curation.checks.quality import quality_table
from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.participant import Task, curate_participant, records_of
from muscle_study.curation.participants import check_participants
from muscle_study.curation.review.gallery import PICTURES, entries, write_gallery
from muscle_study.curation.review.mosaic import ENDING
from muscle_study.curation.review.verdicts import read_verdicts, rejected, review_table
from muscle_study.curation.sources.bids import BidsSource
from muscle_study.curation.sources.cohort import CohortSource
from muscle_study.curation.sources.dicom_export import HeapSource, NakoSource
from muscle_study.curation.sources.source import NOBODY, Source
from muscle_study.curation.sources.totalsegmentator import TotalSegmentatorSource
from muscle_study.curation.split import assign_splits
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.exclusions import Reason, check_conserved, exclusion_table
from muscle_study.protocol.files import read_json, write_json, write_table
from muscle_study.protocol.paths import ROOT, RunPaths

SOURCES = {
    "cohort": CohortSource,
    "nako": NakoSource,
    "dicom": HeapSource,
    "bids": BidsSource,
    "totalsegmentator": TotalSegmentatorSource,
}

INVENTORY = ["participant_id", "kind", "contrast", "series", "repeat", "extent", "used", "file",
             "bytes", "sha256", "shape", "spacing_mm", "orientation", "z_mm",
             "problem"]  # fmt: skip

STEPS = ("in the export", "participant record checked", "images checked")


@dataclass(frozen=True)
class Curated:
    """What curation wrote: its tables, as ``data/README.md`` describes them, and `about`."""

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
    """Return the export that the parameters name; relative paths start at the repository."""
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
    """Curate an export into ``data/<run>/curated``; finished participants are not done again.

    Parameters
    ----------
    parameters, paths, cluster
        The stage's parameters, the run's folders, and where the work runs.
    covariates
        Declared covariates, beside the built-in ones.

    Raises
    ------
    FileNotFoundError, ValueError
        When the export or its participant table is missing or broken.
    RuntimeError
        When participants do not add up, or none is left.
    """
    verdicts = read_verdicts(parameters.verdicts)
    source = open_source(parameters, paths, covariates)
    image_files = source.image_files()
    unclaimed = image_files.pop(NOBODY, [])
    checked = check_participants(source, image_files, parameters)
    listed, by_record = checked.participants, checked.exclusions
    tasks = {
        person.participant_id: Task(
            person.participant_id,
            person.source_id,
            source,
            tuple(image_files.get(person.source_id, ())),
            tuple(parameters.spacing_mm),
            tuple(parameters.min_extent_mm),
            paths.curated,
        )
        for person in listed.itertuples()
    }
    records, by_images = map_participants(
        "curation",
        curate_participant,
        tasks,
        cluster,
        records=records_of(source, paths.curated),
        folders=[source.folder, paths.curated],
    )
    shared = duplicate_scans(records)
    reviewed = records[~records["participant_id"].isin(shared["participant_id"])]
    by_reviewer = rejected(verdicts, reviewed["participant_id"])
    records = reviewed[~reviewed["participant_id"].isin(by_reviewer["participant_id"])]
    by_images = pd.concat([by_images, shared, by_reviewer], ignore_index=True)
    participants = participant_table(listed, records, parameters)
    traits = [covariate.name for covariate in (*BUILT_IN, *covariates)]
    exclusions = exclusion_table([*by_record.to_dict("records"), *by_images.to_dict("records")])
    left = listed[~listed["participant_id"].isin(participants["participant_id"])]
    curated = Curated(
        participants=participants,
        exclusions=exclusions,
        flow=flow_table(len(listed), len(by_record), len(by_images)),
        inventory=inventory_table(records),
        corrections=correction_table(records),
        files=file_table(records),
        review=review_table(verdicts, participants, exclusions),
        excluded_people=left[["participant_id", *traits]],
        quality=quality_of(records, parameters),
        missing=checked.missing,
        about={
            "layout": parameters.layout,
            "synthetic": is_synthetic(source, paths),
            "psoas_label": source.psoas_label,
            "source_participants": len(listed) + len(by_record),
            "demographics": source.demographics,
            "unclaimed_files": len(unclaimed),
            "unmatched_withdrawals": checked.unmatched_withdrawals,
        },
    )
    # volumes of those whom a reviewer excludes are kept: a verdict may be taken back
    sweep(paths.curated, reviewed, set(tasks))
    found = entries(
        participants, exclusions, correction_table(reviewed), quality_of(reviewed, parameters)
    )
    kind = "synthetic participants" if curated.about["synthetic"] else "participants"
    write_gallery(
        paths.curated / "qc", found, curated.review, source.contrasts,
        f"Review of {paths.run}: {kind}",
    )  # fmt: skip
    write(curated, paths.curated)
    return curated


def participant_table(
    listed: pd.DataFrame, records: pd.DataFrame, parameters: CurationParameters
) -> pd.DataFrame:
    """Return those who stay, with whether they are annotated and their split."""
    annotated = dict(zip(records["participant_id"], records.get("annotated", []), strict=True))
    stay = listed[listed["participant_id"].isin(annotated)].reset_index(drop=True)
    stay["annotated"] = stay["participant_id"].map(annotated).astype(bool)
    stay["split"] = assign_splits(
        stay, parameters.validation_fraction, parameters.test_fraction, parameters.seed
    )
    return stay.drop(columns=["source_id", "given_split"])


def duplicate_scans(records: pd.DataFrame) -> pd.DataFrame:
    """Return as exclusions those who share an image's voxels with someone else.

    Nobody knows whose scan it is, so all of them leave. Voxels count, not files: the same scan may
    have been exported twice under other headers.
    """
    voxels = pd.DataFrame(
        [(record["participant_id"], contrast, digest)
         for record in records.to_dict("records")
         for contrast, digest in record["voxels"].items()],
        columns=["participant_id", "contrast", "digest"],
    )  # fmt: skip
    owners = voxels.groupby("digest")["participant_id"].transform("nunique")
    rows = [
        {"participant_id": participant_id, "stage": "curation", "reason": Reason.DUPLICATE_SCAN,
         "detail": f"the voxels of {', '.join(own['contrast'])} are another participant's too"}
        for participant_id, own in voxels[owners > 1].groupby("participant_id")
    ]  # fmt: skip
    return exclusion_table(rows)


def inventory_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each series, and label file, of those who stay."""
    rows = [
        {"participant_id": record["participant_id"], **row}
        for record in records.to_dict("records")
        for row in record["inventory"]
    ]
    table = pd.DataFrame(rows, columns=INVENTORY)
    return table.astype({"series": "Int64", "repeat": "Int64"})


def correction_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each correction of those who stay, with its evidence."""
    rows = [
        (record["participant_id"], correction, evidence)
        for record in records.to_dict("records")
        for correction, evidence in record["corrections"]
    ]
    return pd.DataFrame(rows, columns=["participant_id", "correction", "evidence"])


def file_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return the hash of each curated file of those who stay."""
    rows = [
        (record["participant_id"], file, digest)
        for record in records.to_dict("records")
        for file, digest in record["files"].items()
    ]
    return pd.DataFrame(rows, columns=["participant_id", "file", "sha256"])


def quality_of(records: pd.DataFrame, parameters: CurationParameters) -> pd.DataFrame:
    """Return the scores and flags of those who stay."""
    scored = {record["participant_id"]: record["quality"] for record in records.to_dict("records")}
    return quality_table(scored, parameters.quality)


def flow_table(listed: int, by_record: int, by_images: int) -> pd.DataFrame:
    """Return how many are left after each step, and how many left in it."""
    left = [listed + by_record, listed, listed - by_images]
    return pd.DataFrame(
        {"step": STEPS, "participants": left, "excluded": [0, by_record, by_images]}
    )


def is_synthetic(source: Source, paths: RunPaths) -> bool:
    """Tell whether stage cohort made the export: it is the run's own, or has its manifest."""
    manifest = source.folder / "manifest.json"
    made_here = manifest.exists() and read_json(manifest).get("stage") == "cohort"
    return source.folder == paths.raw or made_here


def write(curated: Curated, folder: Path) -> None:
    """Write the tables."""
    participants = curated.participants
    check_conserved("curation", curated.about["source_participants"], len(participants),
                    len(curated.exclusions))  # fmt: skip
    write_table(curated.exclusions, folder / "exclusions.csv")
    write_table(curated.flow, folder / "flow.csv")
    write_table(curated.inventory, folder / "inventory.csv")
    write_table(curated.corrections, folder / "corrections.csv")
    write_table(curated.files, folder / "files.csv")
    write_table(curated.quality, folder / "quality.csv")
    write_table(curated.missing, folder / "missing.csv")
    write_table(curated.review, folder / "review.csv")
    write_table(curated.excluded_people, folder / "excluded_people.csv")
    write_json(curated.about, folder / "source.json")
    if participants.empty:
        raise RuntimeError(
            f"no participant is left: see reason and detail in {folder}/exclusions.csv"
        )
    write_table(participants, folder / "participants.csv")


def sweep(folder: Path, records: pd.DataFrame, looked_at: set[str]) -> None:
    """Remove what no longer belongs: a withdrawn participant's volumes, a killed run's remains.

    Parameters
    ----------
    folder
        ``data/<run>/curated``.
    records
        Of those whose volumes stay.
    looked_at
        Whose pictures stay: of all whose images were read, the excluded included.
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

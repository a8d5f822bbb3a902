"""Tables of curation, from the records of its participants."""

import pandas as pd

from muscle_study.curation.checks.quality import quality_table
from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.split import assign_splits
from muscle_study.protocol.exclusions import Reason, exclusion_table

STEPS = ("in the export", "participant record checked", "images checked")


def participant_table(
    listed: pd.DataFrame, records: pd.DataFrame, parameters: CurationParameters
) -> pd.DataFrame:
    """Return included participants, whether they are annotated, and their split."""
    annotated = dict(zip(records["participant_id"], records.get("annotated", []), strict=True))
    stay = listed[listed["participant_id"].isin(annotated)].reset_index(drop=True)
    stay["annotated"] = stay["participant_id"].map(annotated).astype(bool)
    stay["split"] = assign_splits(
        stay, parameters.validation_fraction, parameters.test_fraction, parameters.seed
    )
    return stay.drop(columns=["source_id", "given_split"])


def duplicate_scans(records: pd.DataFrame) -> pd.DataFrame:
    """Return the exclusions of participants who share an image's voxels with another one.

    The scan's owner is unknown, so that all of them are excluded. Voxels are compared, not files:
    the same scan may have been exported twice with different headers.
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


def correction_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return corrections of included participants, with their evidence."""
    rows = [
        (record["participant_id"], correction, evidence)
        for record in records.to_dict("records")
        for correction, evidence in record["corrections"]
    ]
    return pd.DataFrame(rows, columns=["participant_id", "correction", "evidence"])


def file_table(records: pd.DataFrame) -> pd.DataFrame:
    """Return the hashes of included participants' curated files."""
    rows = [
        (record["participant_id"], file, digest)
        for record in records.to_dict("records")
        for file, digest in record["files"].items()
    ]
    return pd.DataFrame(rows, columns=["participant_id", "file", "sha256"])


def quality_of(records: pd.DataFrame, parameters: CurationParameters) -> pd.DataFrame:
    """Return quality scores and flags of included participants."""
    scored = {record["participant_id"]: record["quality"] for record in records.to_dict("records")}
    return quality_table(scored, parameters.quality)


def flow_table(listed: int, by_record: int, by_images: int) -> pd.DataFrame:
    """Return the numbers of remaining and excluded participants by step."""
    left = [listed + by_record, listed, listed - by_images]
    return pd.DataFrame(
        {"step": STEPS, "participants": left, "excluded": [0, by_record, by_images]}
    )

"""Participants whose scans the networks have learned from, in this and earlier runs."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.training.data import AnnotatedParticipants

#: Columns of ``used.csv``.
USED_COLUMNS = ["network", "split", "participant_id", "scans_sha256"]


def used_by(paths: RunPaths, trainings: Mapping[str, AnnotatedParticipants]) -> pd.DataFrame:
    """Return the participants of each network's splits, with the hash of their scans."""
    scans = scan_hashes(paths)
    rows = [
        (name, split, who, scans[who])
        for name, data in trainings.items()
        for split, ids in data.ids.items()
        for who in ids
    ]
    return pd.DataFrame(rows, columns=USED_COLUMNS)


def used_earlier(model: Path, how: str) -> pd.DataFrame:
    """Return the participants behind a model that a run builds on, if recorded.

    Parameters
    ----------
    model
        Folder of the model.
    how
        ``start_from`` or ``pretrained``: prefix of the networks' names.
    """
    if not (model / "used.csv").exists():
        return pd.DataFrame(columns=USED_COLUMNS)
    used = read_table(model / "used.csv")
    return used.assign(network=f"{how}/" + used["network"])[USED_COLUMNS]


def scan_hashes(paths: RunPaths) -> dict[str, str]:
    """Return a hash of each participant's raw images, independent of names and curation.

    Reference labels are left out: they may be drawn again.
    """
    inventory = read_table(paths.curated / "inventory.csv")
    images = inventory[inventory["kind"] == "image"]
    return {
        who: hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
        for who, hashes in images.groupby("participant_id")["sha256"]
    }


def check_test_split_unseen(paths: RunPaths) -> None:
    """Check that no network has learned from a participant of the test split.

    Raises
    ------
    ValueError
        This run used a test participant, or an earlier training used the same scans.
    """
    used = read_table(paths.model / "used.csv")
    participants = read_table(paths.curated / "participants.csv")
    test = participants.loc[participants["split"] == "test", "participant_id"]
    own = used[~used["network"].astype(str).str.contains("/")]
    seen = test.isin(own["participant_id"]) | test.map(scan_hashes(paths)).isin(
        used["scans_sha256"]
    )
    if seen.any():
        raise ValueError(
            f"{paths.model / 'used.csv'}: training has seen {seen.sum()} of the {len(test)} "
            "participants of the test split, whose Dice would be too good: leave them out of the "
            "test split, or take another model in training.start_from or training.pretrained"
        )

"""Participants with a correction, a quality flag or a reviewer's verdict."""

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.findings import Correction
from muscle_study.protocol.paths import RunPaths


def corrected_swaps(paths: RunPaths) -> set[str]:
    """Return participants with a corrected water–fat swap."""
    table = _table(paths, "corrections", "participant_id", "correction")
    return set(table.loc[table["correction"].eq(Correction.WATER_FAT_SWAP), "participant_id"])


def flagged_scans(paths: RunPaths) -> set[str]:
    """Return participants with a quality score beyond its threshold."""
    table = _table(paths, "quality", "participant_id", "flagged")
    return set(table.loc[table["flagged"].eq(True), "participant_id"])


def accepted_scans(paths: RunPaths) -> set[str]:
    """Return participants accepted by a reviewer."""
    table = _table(paths, "review", "participant_id", "outcome")
    return set(table.loc[table["outcome"].eq("accepted"), "participant_id"])


def _table(paths: RunPaths, name: str, *columns: str) -> pd.DataFrame:
    path = paths.curated / f"{name}.csv"
    return read_table(path)[[*columns]] if path.exists() else pd.DataFrame(columns=columns)

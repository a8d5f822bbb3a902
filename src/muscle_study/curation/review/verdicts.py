"""Verdicts of reviewers: their file, and its effect."""

from enum import StrEnum
from pathlib import Path

import pandas as pd

from muscle_study.protocol.exclusions import Reason, exclusion_table

#: Columns of the file; the last two may be missing.
COLUMNS = ["participant_id", "verdict", "reviewer", "comment"]
REQUIRED = COLUMNS[:2]


class Verdict(StrEnum):
    """A reviewer's verdict; values as in the file."""

    ACCEPT = "accept"
    EXCLUDE = "exclude"


class ReviewState(StrEnum):
    """State of a participant's review; values as in the column ``outcome`` of ``review.csv``."""

    ACCEPTED = "accepted"
    EXCLUDED = "excluded"
    NOT_LOOKED_AT = "not_looked_at"
    #: The participant is excluded for another reason, which no verdict lifts.
    WITHOUT_EFFECT = "without_effect"
    #: The export has no such participant.
    UNKNOWN = "unknown"


def read_verdicts(path: str | None) -> pd.DataFrame:
    """Read the file of verdicts, separated by commas or semicolons; no rows without a file.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` as text, without rows that have no verdict yet.

    Raises
    ------
    FileNotFoundError, ValueError
        The file is missing or malformed; the message names the line and the remedy.
    """
    if path is None:
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    place = Path(path).expanduser()
    if not place.is_file():
        raise FileNotFoundError(
            f"curation.verdicts: there is no file {place}: download it from the page of the "
            "review, or set the key to null"
        )
    where = f"curation.verdicts: {place}"
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        text = place.read_text(encoding="utf-8-sig")
        separator = ";" if ";" in text.partition("\n")[0] else ","
        table = pd.read_csv(place, sep=separator, dtype=str, encoding="utf-8-sig",
                            keep_default_na=False, skipinitialspace=True)  # fmt: skip
    except (ValueError, OverflowError) as error:  # of both are pandas' and Unicode's own
        raise ValueError(f"{where}: not a CSV table: {error}") from error
    if missing := [name for name in REQUIRED if name not in table.columns]:
        raise ValueError(
            f"{where}: column {', '.join(missing)} is missing; the columns are {', '.join(COLUMNS)}"
        )
    table = table.reindex(columns=COLUMNS, fill_value="").map(str.strip)
    table["verdict"] = table["verdict"].str.lower()
    table = table[table["verdict"] != ""]
    known = " or ".join(Verdict)
    for row in table[~table["verdict"].isin(list(Verdict))].itertuples():
        raise ValueError(f"{where}, line {row.Index + 2}: {row.verdict!r} is not {known}")
    for row in table[table["participant_id"].duplicated()].itertuples():
        raise ValueError(
            f"{where}, line {row.Index + 2}: a second verdict on {row.participant_id}: keep one"
        )
    return table.reset_index(drop=True)


def rejected(verdicts: pd.DataFrame, present: pd.Series) -> pd.DataFrame:
    """Return the exclusions of `present` participants by reviewers."""
    chosen = verdicts[
        (verdicts["verdict"] == Verdict.EXCLUDE) & verdicts["participant_id"].isin(present)
    ]
    return exclusion_table(
        {"participant_id": row.participant_id, "stage": "curation", "reason": Reason.REVIEWER,
         "detail": row.comment or "no comment"}
        for row in chosen.itertuples()
    )  # fmt: skip


def review_table(
    verdicts: pd.DataFrame, participants: pd.DataFrame, exclusions: pd.DataFrame
) -> pd.DataFrame:
    """Return the state of every participant's review.

    Parameters
    ----------
    verdicts
        Result of `read_verdicts`.
    participants, exclusions
        Kept and excluded participants.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``outcome``, ``verdict``, ``reviewer``, ``comment``: one row per
        participant who is kept or has a verdict, sorted by participant.
    """
    table = participants[["participant_id"]].merge(verdicts, on="participant_id", how="outer")
    stays = set(participants["participant_id"])
    why = dict(zip(exclusions["participant_id"], exclusions["reason"], strict=True))

    def outcome(name: str, has_verdict: bool) -> ReviewState:
        if name in stays:
            return ReviewState.ACCEPTED if has_verdict else ReviewState.NOT_LOOKED_AT
        if name not in why:
            return ReviewState.UNKNOWN
        return ReviewState.EXCLUDED if why[name] == Reason.REVIEWER else ReviewState.WITHOUT_EFFECT

    judged = table["verdict"].notna()
    table.insert(1, "outcome", [
        outcome(*pair).value for pair in zip(table["participant_id"], judged, strict=True)
    ])  # fmt: skip
    return table.fillna("")

"""Curation's corrections and flags, and its detection of a synthetic cohort's faults."""

from collections.abc import Mapping

import pandas as pd

from muscle_study.protocol.faults import Fault
from muscle_study.protocol.files import read_table
from muscle_study.protocol.findings import ACTIONS, SOUND, Correction, Flag
from muscle_study.publishing.disclosure import MARK, pool_small
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.study.study import Study

WORDS = Fault.texts() | {SOUND: "nothing wrong"}


def read_corrections(study: Study) -> pd.DataFrame:
    """Return the corrections of kept participants, with their evidence."""
    return read_table(study.paths.curated / "corrections.csv")


def curation(study: Study) -> Result:
    """Count the kept participants with a correction, and those with a flag."""
    corrections = read_corrections(study)
    quality = read_table(study.paths.curated / "quality.csv")
    flags = quality.loc[quality["flagged"].astype(bool), "flags"].astype(str).str.split("; ").str[0]
    groups = {
        "put right": (
            corrections.drop_duplicates("participant_id")["correction"],
            Correction.texts(),
        ),
        "flagged": (flags, Flag.texts()),
    }
    rows = [
        (done, *row)
        for done, (codes, words) in groups.items()
        for row in _counted(codes, words, study.min_count)
    ]
    data = pd.DataFrame(rows, columns=["done", "what", "participants"])
    data["participants"] = study.rounded(data["participants"])
    shown = [MARK if pd.isna(n) else format_number(n) for n in data["participants"]]
    text = pd.DataFrame(
        {
            "Kept after curation": data["done"].str.capitalize(),
            "What": data["what"],
            "Participants": shown,
        }
    )
    if text.empty:
        text = pd.DataFrame([dict.fromkeys(text.columns, MARK)])
    caption = (
        "Kept participants whose data were put right, with the evidence on file, and kept "
        "participants with a flagged scan; each is counted once, under the first kind. Kinds of "
        f"fewer than {study.min_count} participants are pooled; {MARK}: fewer, or nobody. "
        "Excluded participants, for instance with a swap of water and fat in part of the scan, are "
        "in the table of exclusions." + study.imaged_only + study.origin
    )
    return Result("curation", Table(data, without_repeats(text, "Kept after curation"), caption))


def _counted(codes: pd.Series, words: Mapping[str, str], least: int) -> list[tuple[str, float]]:
    counts = codes.astype(str).value_counts().to_dict()
    return [
        ("; ".join(words[name] for name in names), float(n) if n >= least else float("nan"))
        for names, n in pool_small(counts, least)
    ]


def faults(study: Study) -> Result | Absent:
    """Return curation's detection of this run's deliberate faults."""
    path = study.paths.curated / "confusion.csv"
    if not (study.synthetic and path.exists()):
        return Absent("faults", "faults are on record for synthetic cohorts only")
    caption = (
        "The synthetic cohort's deliberate faults and what curation did about them."
        + study.origin
        + " These counts concern no real people and are shown however small; shares of such small "
        "counts say little. "
    )
    return Result("faults", confusion_table(read_table(path), caption))


def confusion_table(confusion: pd.DataFrame, caption: str) -> Table:
    """Return a confusion table of curation as a table of the manuscript.

    Parameters
    ----------
    confusion
        Table from `curation.confusion.confusion_table`.
    caption
        Description of the cohort; an explanation of the columns is added.
    """

    def with_interval(row: Mapping, share: str) -> str:
        if pd.isna(row[share]):
            return ""
        value, low, high = (format_number(row[f"{share}{end}"], 3) for end in ("", "_low", "_high"))
        return f"{value} ({low}–{high})"

    rows = []
    for row in confusion.to_dict("records"):
        done = {name.capitalize(): format_number(row[name]) for name in (*ACTIONS, "missed")}
        rows.append(
            {
                "Fault": WORDS[row["fault"]],
                "n": format_number(row["participants"]),
                **(done if row["fault"] != SOUND else dict.fromkeys(done, "")),
                "Sensitivity (CI)": with_interval(row, "sensitivity"),
                "False": f"{format_number(row['false'])} of {format_number(row['others'])}",
                "Specificity (CI)": with_interval(row, "specificity"),
            }
        )
    explained = (
        "Found: excluded, corrected or flagged under a code that belongs to the fault. Quality "
        "(movement, voids) and a slightly small field of view are flagged by design, and the "
        "participants stay. False: a code of the fault on a participant without such a fault; in "
        "the last row, any code. A participant whose images a duplicate repeats counts as a "
        "duplicate. CI: 95 % interval (Wilson)."
    )
    return Table(confusion, pd.DataFrame(rows), caption + explained)

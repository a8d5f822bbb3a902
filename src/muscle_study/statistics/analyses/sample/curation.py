"""What curation put right and flagged, and what it found of a synthetic cohort's faults."""

from collections.abc import Mapping

import pandas as pd

from muscle_study.cohort.faults.kinds import DESCRIPTIONS
from muscle_study.curation.checks.quality import FLAG_TEXT, Flag
from muscle_study.curation.confusion import ACTIONS, SOUND
from muscle_study.curation.corrections import CORRECTION_TEXT, Correction
from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK, pool_small
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.study.study import Study

WORDS = {str(fault): text for fault, text in DESCRIPTIONS.items()} | {SOUND: "nothing wrong"}


def read_corrections(study: Study) -> pd.DataFrame:
    """Return what was put right of those who stay, with the evidence."""
    return read_table(study.paths.curated / "corrections.csv")


def righted_table(study: Study) -> Table:
    """Return how many stay after something was put right, and how many flagged."""
    corrections = read_corrections(study)
    quality = read_table(study.paths.curated / "quality.csv")
    flags = quality.loc[quality["flagged"].astype(bool), "flags"].astype(str).str.split("; ").str[0]
    groups = {
        "put right": (
            corrections.drop_duplicates("participant_id")["correction"],
            {str(name): CORRECTION_TEXT[name] for name in Correction},
        ),
        "flagged": (flags, {str(name): FLAG_TEXT[name] for name in Flag}),
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
        "Kept participants of whom something was put right, with its evidence on file, and those "
        "whose scan is conspicuous; each under the first alone. Kinds of fewer than "
        f"{study.min_count} participants are pooled; {MARK}: fewer, or nobody. Who was excluded, "
        "for a swap of water and fat in a part among others, is in the table of exclusions."
        + study.imaged_only
        + study.origin
    )
    return Table(data, without_repeats(text, "Kept after curation"), caption, name="curation")


def _counted(codes: pd.Series, words: Mapping[str, str], least: int) -> list[tuple[str, float]]:
    counts = codes.astype(str).value_counts().to_dict()
    return [
        ("; ".join(words[name] for name in names), float(n) if n >= least else float("nan"))
        for names, n in pool_small(counts, least)
    ]


def has_faults(study: Study) -> bool:
    """Tell whether curation could be held against a record of faults."""
    return study.synthetic and (study.paths.curated / "confusion.csv").exists()


def found_table(study: Study) -> Table:
    """Return what curation found of this run's faults."""
    caption = (
        "The synthetic cohort's deliberate faults and what curation did about them."
        + study.origin
        + " These counts are of no real people and are shown however few; with so few the shares "
        "say little. "
    )
    return confusion_table("faults", read_table(study.paths.curated / "confusion.csv"), caption)


def confusion_table(name: str, confusion: pd.DataFrame, caption: str) -> Table:
    """Return a confusion table of curation as one of the manuscript.

    Parameters
    ----------
    name
        Of the table.
    confusion
        As `curation.confusion.confusion_table` returns it.
    caption
        What it is of; what the columns mean is added.
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
        "(movement, voids) and a slightly small field of view flag by design, and their "
        "participants stay. False: a code of the fault on somebody who has no fault of that code; "
        "in the last row, any code. Whoever lent images to a duplicate counts as one. CI: 95 % "
        "interval (Wilson)."
    )
    return Table(confusion, pd.DataFrame(rows), caption + explained, name=name)

"""The reviewers' page: the picture of each participant, worst first.

It is opened from the disk without a server; browsers then load only scripts and pictures. The list
of participants is one script, and their details are in scripts of `CHUNK`, loaded on demand.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from muscle_study.curation.checks.quality import SCORES
from muscle_study.curation.review.mosaic import columns
from muscle_study.protocol.exclusions import Reason
from muscle_study.protocol.files import write_text
from muscle_study.protocol.findings import Correction, Flag

PAGE = Path(__file__).parent / "page"
#: Subfolders of the page's folder.
PICTURES, ENTRIES = "pictures", "entries"

#: Participants per script of details.
CHUNK = 500

#: States of a participant, the worst first.
STATES = ("excluded", "corrected", "flagged", "passed")


@dataclass
class Entry:
    """A participant on the page.

    Parameters
    ----------
    state
        One of `STATES`.
    remarks
        Findings in words, each with its detail.
    rank
        Rank of the worst quality score: 0 for the best participant, 1 for the worst.
    """

    state: str = "passed"
    remarks: list[tuple[str, str]] = field(default_factory=list)
    rank: float = 0.0

    def add(self, state: str, words: str, detail: str) -> None:
        """Add a remark; the worst state counts."""
        self.remarks.append((words, detail))
        self.state = min(self.state, state, key=STATES.index)


def entries(
    participants: pd.DataFrame,
    exclusions: pd.DataFrame,
    corrections: pd.DataFrame,
    quality: pd.DataFrame,
) -> dict[str, Entry]:
    """Return the entries of all participants except those who withdrew.

    Parameters
    ----------
    participants, exclusions, corrections, quality
        Curation's tables.
    """
    shown = exclusions[exclusions["reason"] != Reason.CONSENT_WITHDRAWN]
    found = {name: Entry() for name in [*participants["participant_id"], *shown["participant_id"]]}
    for row in shown.itertuples():
        found[row.participant_id].add("excluded", Reason(row.reason).text, row.detail)
    for row in corrections.itertuples():
        words = Correction(row.correction).text
        found[row.participant_id].add("corrected", words, row.evidence)
    ranks = quality[list(SCORES.values())].rank(pct=True).max(axis=1).fillna(0.0)
    for row, rank in zip(quality.to_dict("records"), ranks, strict=True):
        entry = found[row["participant_id"]]
        entry.rank = float(rank)
        for flag in map(Flag, filter(None, row["flags"].split("; "))):
            score = SCORES.get(flag)
            entry.add("flagged", flag.text, f"{row[score]:.3g}" if score else "")
    return found


def write_gallery(
    folder: Path,
    found: dict[str, Entry],
    review: pd.DataFrame,
    contrasts: Sequence[str],
    title: str,
) -> None:
    """Write ``index.html`` and its parts for the existing pictures.

    Parameters
    ----------
    folder
        ``data/<run>/curated/qc``, with a picture per participant.
    found
        Result of `entries`.
    review
        Result of `verdicts.review_table`.
    contrasts
        Contrasts in the pictures.
    title
        Title of the page.
    """
    pictures = {path.stem for path in (folder / PICTURES).glob("*")}

    def badness(name: str) -> tuple[int, bool, float, str]:
        entry = found[name]
        return STATES.index(entry.state), name not in pictures, -entry.rank, name

    order = sorted(found, key=badness)
    words = sorted({text for entry in found.values() for text, _ in entry.remarks})
    number_of = {text: number for number, text in enumerate(words)}
    index = {
        "title": title,
        "columns": columns(contrasts),
        "chunk": CHUNK,
        "states": STATES,
        "words": words,
        "ids": order,
        "state": [STATES.index(found[name].state) for name in order],
        "marks": [[number_of[text] for text, _ in found[name].remarks] for name in order],
        "picture": [int(name in pictures) for name in order],
        "verdicts": {
            row.participant_id: [row.verdict, row.reviewer, row.comment]
            for row in review.itertuples()
            if row.verdict
        },
    }
    shutil.rmtree(folder / ENTRIES, ignore_errors=True)
    for number, start in enumerate(range(0, len(order), CHUNK)):
        details = [[detail for _, detail in found[name].remarks]
                   for name in order[start:start + CHUNK]]  # fmt: skip
        _write_script(folder / ENTRIES / f"{number}.js", "details", number, details)
    _write_script(folder / ENTRIES / "index.js", "index", index)
    for part in PAGE.iterdir():
        write_text(part.read_text(encoding="utf-8"), folder / part.name)


def _write_script(path: Path, function: str, *arguments: object) -> None:
    """Write a script that passes data to the page as quoted JSON."""
    passed = ",".join(json.dumps(each, separators=(",", ":")) for each in arguments)
    write_text(f"review.{function}({passed});\n", path)

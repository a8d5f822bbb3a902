"""Search for unpublishable text: participants, dates, machine paths, open references.

The search covers the rendered pages, all they show, data embedded in them for charts and for the
look-up, and the run's notebooks and manifests.
"""

import re
import sys
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd

from muscle_study.protocol.paths import MANUSCRIPT, ROOT, RunPaths
from muscle_study.report.errors import ReportError

#: Marks of Quarto and Pandoc for unresolved references.
UNRESOLVED = re.compile(
    r"\?(?:var|meta):[\w.-]*|\?@?(?:fig|tbl|sec|eq)-[\w-]*|\?\?|\{\{<[^>]*|\?include\b|[\[(][a-z]+\d{4}\w*\?"
)

REFERENCES = MANUSCRIPT / "references.bib"

#: Shortest identifier to look for; shorter ones look like numbers of the text.
SHORTEST_IDENTIFIER = 4

#: Dates as people, viewers and DICOM (eight digits) write them: dates of birth or scan identify.
DATE = re.compile(
    r"(?<![\d.])(?:(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|[12]\d|3[01])\.(?:0?[1-9]|1[0-2])\.(?:19|20)\d\d"
    r"|(?<![\w,-])(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?![\w-]))"
    r"(?![\d.]\d)(?!\d)"
)

#: Attributes that a reader or a screen reader sees.
READ_ATTRIBUTES = ("alt", "title", "href", "aria-label")


class _Text(HTMLParser):
    """Collects visible text, comments (which hold the text of figures) and JSON data."""

    def __init__(self):
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0
        self.is_data = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style")
        self.is_data = tag == "script" and "json" in (dict(attributes).get("type") or "")
        self.parts += [
            value
            for name, value in attributes
            if (name in READ_ATTRIBUTES or name.startswith("data-"))
            and value
            and not value.startswith("data:")
        ]

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        if not self.hidden or self.is_data:
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        self.parts.append(data)


def html_text(html: str) -> str:
    """Return the text of a page: visible text, links, alternative texts, comments, data."""
    reader = _Text()
    reader.feed(html)
    return " ".join(reader.parts)


def read_text(path: Path) -> str:
    """Return the text to check in a rendered file or in a source of one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        return notebook_text(text)
    if path.suffix in (".html", ".svg"):
        return html_text(text)
    return text.replace("\\", "") if path.suffix == ".typ" else text


def notebook_text(text: str) -> str:
    """Return sources and outputs of a notebook, without the pixels of pictures."""
    parts = []
    for cell in nbformat.reads(text, as_version=4).cells:
        parts.append(cell.source)
        for output in cell.get("outputs", []):
            shown = output.get("data", {})
            parts += [str(shown[kind]) for kind in shown if kind not in ("image/png", "image/jpeg")]
            parts += [str(output.get("text", "")), *map(str, output.get("traceback", []))]
    return " ".join(parts)


def participant_ids(paths: RunPaths) -> set[str]:
    """Return all identifiers of the run, including excluded participants."""
    names = ("participants.csv", "inventory.csv", "exclusions.csv")
    tables = [paths.curated / name for name in names]
    known = [
        pd.read_csv(path, dtype=str, usecols=["participant_id"])["participant_id"]
        for path in tables
        if path.exists()
    ]
    if not known:
        raise ReportError(
            f"{paths.curated / 'participants.csv'} is missing: the report cannot be checked "
            "for identifiers; run the curation stage first"
        )
    return set(pd.concat(known).dropna())


def find_unresolved(text: str) -> list[str]:
    """Return the marks of unresolved variables, references and includes."""
    return sorted(set(UNRESOLVED.findall(text)))


def find_identifiers(text: str, identifiers: Iterable[str]) -> list[str]:
    """Return the identifiers in `text` that are words of their own.

    Digits behind a decimal point or comma do not count, nor do identifiers of fewer than
    `SHORTEST_IDENTIFIER` characters.

    Examples
    --------
    >>> find_identifiers("100129_30 and 0.100130 and 1,100131", ["100129", "100130", "100131"])
    ['100129']
    """
    long_enough = {name for name in identifiers if len(name) >= SHORTEST_IDENTIFIER}
    words = _words(text)
    joined = {name for name in long_enough if not name.isalnum() and name in text}
    return sorted((long_enough & words) | joined)


def _words(text: str) -> set[str]:
    return set(re.findall(r"(?<![A-Za-z0-9.,])[A-Za-z0-9]+", text))


def find_dates(text: str) -> list[str]:
    """Return the dates in `text`.

    Examples
    --------
    >>> find_dates("scanned 2019-03-07, born 7.3.1960; version 1.2.2019.4, 0.2019-3")
    ['2019-03-07', '7.3.1960']
    >>> find_dates("StudyDate 20190307; 0.20190307, 1,20190307, 20190307123000, a20190307")
    ['20190307']
    """
    return sorted(set(DATE.findall(text)))


def seeds(paths: RunPaths) -> set[str]:
    """Return the seeds of the run's parameters, which may look like dates."""
    found = set()
    for path in paths.parameters.glob("*.json"):
        found |= set(re.findall(r'"seed": (\d+)', path.read_text(encoding="utf-8")))
    return found


def machine_folders(paths: RunPaths) -> list[str]:
    """Return the folders of this machine that pages must not name, the deepest first."""
    folders = {str(folder) for folder in (ROOT, paths.output, Path.home(), sys.prefix)}
    return sorted(folders - {"/"}, key=len, reverse=True)


def find_machine_paths(text: str, paths: RunPaths) -> list[str]:
    """Return the folders of this machine in `text`."""
    return [folder for folder in machine_folders(paths) if folder + "/" in text]


def check(
    manuscripts: list[Path], others: list[Path], paths: RunPaths, records: Iterable[Path] = ()
) -> None:
    """Raise an error if a file contains unpublishable text.

    Parameters
    ----------
    manuscripts
        Files to check for everything.
    others
        Pages of notebooks, tables, captions, figures, numbers: not checked for unresolved marks,
        which their code may hold.
    paths
        The run.
    records
        Executed notebooks and manifests: checked for identifiers only, as they say when and where
        the run was.

    Raises
    ------
    ReportError
        Naming each file and its finding.
    """
    # a page number in the references, such as 106236, may equal an identifier
    references = REFERENCES.read_text(encoding="utf-8")
    no_days = {*find_dates(references), *seeds(paths)}
    identifiers = participant_ids(paths) - _words(references)
    records = list(records)
    problems = []
    for path in [*manuscripts, *others, *records]:
        text = read_text(path)
        found = {"the participant identifier": find_identifiers(text, identifiers)}
        if path in manuscripts:
            found["the unresolved"] = find_unresolved(text)
        if path not in records:
            found["the date"] = sorted(set(find_dates(text)) - no_days)
            found["this machine's folder"] = find_machine_paths(text, paths)
        problems += [
            f"{path.name} shows {what} {_some(names)}" for what, names in found.items() if names
        ]
    if problems:
        raise ReportError("what was rendered must not be published:\n  " + "\n  ".join(problems))


def _some(names: list[str], shown: int = 3) -> str:
    more = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {more} more" if more > 0 else "")

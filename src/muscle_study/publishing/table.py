"""A table of the manuscript: numbers as CSV, text as a pipe table, and its caption."""

import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from muscle_study.protocol.files import write_table, write_text
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import NO_BREAK_SPACE, format_number, interval

#: Characters that Pandoc or Quarto would read as markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>|~^$@#])")

#: Right-aligned cells: numbers, the mark of suppression, empty ones.
_NUMERIC = re.compile(r"^$|^[−–]?\d|^–$|^\\<\d")

#: Width of the widest column in characters; longer cells wrap.
_WIDEST = 32

#: Width of the space between columns in characters.
_PADDING = 3


@dataclass(frozen=True)
class Table:
    """A table, not yet written.

    Parameters
    ----------
    data
        Numbers, one observation per row; suppressed ones are empty.
    text
        Table as printed; column names are the header.
    caption
        Caption with definitions, sample and abbreviations.
    """

    data: pd.DataFrame
    text: pd.DataFrame
    caption: str

    def write(self, folder: Path, name: str) -> list[Path]:
        """Write ``<name>.csv``, ``<name>.md`` and ``<name>.caption.md``; return their paths."""
        data, text, caption = (
            folder / f"{name}{ending}" for ending in (".csv", ".md", ".caption.md")
        )
        write_table(self.data, data)
        write_text(pipe_table(self.text), text)
        write_text(escape(self.caption) + "\n", caption)
        return [data, text, caption]

    def _repr_markdown_(self) -> str:
        return f"{pipe_table(self.text)}\n{escape(self.caption)}"


def escape(text: str) -> str:
    r"""Return `text` escaped, such that Pandoc prints it literally.

    Examples
    --------
    >>> print(escape("<30 | a_b"))
    \<30 \| a\_b
    """
    return _MARKUP.sub(r"\\\1", text)


def pipe_table(text: pd.DataFrame) -> str:
    """Return a Pandoc pipe table with numbers right-aligned and words left-aligned.

    For long lines, Pandoc takes the columns' relative widths from the dashes; these follow the
    widest cell. Headers and very long cells wrap between words.
    """
    header = [escape(str(name)) for name in text.columns]
    rows = [[escape(str(cell)) for cell in row] for row in text.itertuples(index=False)]
    rule = [
        _dashes(name, cells) for name, cells in zip(header, zip(*rows, strict=True), strict=True)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in [header, rule, *rows])


def _dashes(name: str, cells: tuple[str, ...]) -> str:
    words = max(len(word) for word in name.split() or [""])
    width = min(max(words, *map(len, cells)), _WIDEST) + _PADDING
    numeric = all(_NUMERIC.match(cell) for cell in cells)
    return "-" * (width - 1) + ":" if numeric else ":" + "-" * (width - 1)


def without_repeats(text: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the table with cells of `column` empty that repeat the one above."""
    repeated = text[column].eq(text[column].shift())
    return text.assign(**{column: text[column].mask(repeated, "")})


def unbroken(text: str) -> str:
    """Return `text` with no-break spaces."""
    return text.replace(" ", NO_BREAK_SPACE)


def mean_sd(mean: float, sd: float, digits: int) -> str:
    """Return e.g. ``37.92 ± 5.80``, the mean alone, or the mark of suppression."""
    if pd.isna(mean):
        return MARK
    spread = "" if pd.isna(sd) else f" ± {format_number(sd, digits)}"
    return unbroken(format_number(mean, digits) + spread)


def estimate(value: float, low: float, high: float, digits: int) -> str:
    """Return an estimate with its interval, e.g. ``0.23 (0.12 to 0.34)``."""
    if pd.isna(value):
        return MARK
    return f"{format_number(value, digits)} ({interval(low, high, digits)})"


def count(n: float, hidden: bool) -> str:
    """Return a count, or the mark of suppression."""
    return MARK if hidden else format_number(n)


def suppression_note(text: pd.DataFrame, min_count: int) -> str:
    """Return the caption's sentence on the mark of suppression; empty without marks."""
    if not text.eq(MARK).any(axis=None):
        return ""
    return f" {MARK}: not shown, being fewer than {min_count} or giving such a group away."

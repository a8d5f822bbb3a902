"""Tables of what was measured, and of what the study promises beside it."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd

from muscle_study.protocol.provenance import commit
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table

PACKAGES = ("torch", "monai", "torchio", "numpy", "scipy")
DIGITS = 3


@dataclass(frozen=True)
class Bar:
    """A promise beside what was measured.

    Parameters
    ----------
    what
        Is promised.
    least, most
        Limits; one of them is infinite.
    measured
        In this run.
    """

    what: str
    measured: float
    least: float = -np.inf
    most: float = np.inf

    @property
    def held(self) -> bool:
        """Whether the promise was kept."""
        return bool(self.least <= self.measured <= self.most)

    @property
    def limit(self) -> str:
        """The limit as it is printed."""
        return f"≤ {self.most:g}" if np.isfinite(self.most) else f"≥ {self.least:g}"


def comparison_table(name: str, rows: pd.DataFrame, heads: Sequence[str], caption: str) -> Result:
    """Return a table of what was measured, with `heads` over its columns in print."""
    text = rows.map(_printed).set_axis(list(heads), axis=1)
    return Result(name, Table(rows, text, f"{caption} {conditions()}"))


def bars_table(name: str, bars: Sequence[Bar]) -> Result:
    """Return a table of promises."""
    rows = pd.DataFrame([asdict(bar) | {"held": bar.held} for bar in bars])
    text = pd.DataFrame(
        {
            "What": [bar.what for bar in bars],
            "Bar": [bar.limit for bar in bars],
            "Measured": [_printed(bar.measured) for bar in bars],
            "Held": ["yes" if bar.held else "no" for bar in bars],
        }
    )
    caption = f"What is promised of {name}, and what was measured."
    return Result(f"{name}_bars", Table(rows, text, caption))


def conditions() -> str:
    """Return a sentence on the machine and the software."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"A machine of {os.cpu_count()} cores; processes that wanted to run in the last 15 "
        f"minutes, these included: {os.getloadavg()[2]:.1f}; {versions}; commit {commit()}."
    )


def _printed(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if np.isnan(value) else f"{value:.{DIGITS}g}"

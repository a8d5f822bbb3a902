"""Tables of measurements and of the bars that they must meet."""

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
    """A measurement and its limits, one of which is infinite."""

    what: str
    measured: float
    least: float = -np.inf
    most: float = np.inf

    @property
    def held(self) -> bool:
        """Whether the measurement is within its limits."""
        return bool(self.least <= self.measured <= self.most)

    @property
    def limit(self) -> str:
        """The limit as printed."""
        return f"≤ {self.most:g}" if np.isfinite(self.most) else f"≥ {self.least:g}"


def comparison_table(name: str, rows: pd.DataFrame, heads: Sequence[str], caption: str) -> Result:
    """Return a table of measurements with `heads` as its printed column names."""
    text = rows.map(_printed).set_axis(list(heads), axis=1)
    return Result(name, Table(rows, text, f"{caption} {conditions()}"))


def bars_table(name: str, bars: Sequence[Bar]) -> Result:
    """Return a table of bars."""
    rows = pd.DataFrame([asdict(bar) | {"held": bar.held} for bar in bars])
    text = pd.DataFrame(
        {
            "What": [bar.what for bar in bars],
            "Bar": [bar.limit for bar in bars],
            "Measured": [_printed(bar.measured) for bar in bars],
            "Held": ["yes" if bar.held else "no" for bar in bars],
        }
    )
    caption = f"Bars for {name} and measurements."
    return Result(f"{name}_bars", Table(rows, text, caption))


def conditions() -> str:
    """Return a sentence on the machine and the software."""
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    return (
        f"Machine with {os.cpu_count()} cores; load average of the last 15 minutes, this "
        f"benchmark included: {os.getloadavg()[2]:.1f}; {versions}; commit {commit()}."
    )


def _printed(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    return "" if np.isnan(value) else f"{value:.{DIGITS}g}"

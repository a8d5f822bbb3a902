"""A figure of the manuscript: a reproducible SVG, its caption and its data."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from muscle_study.protocol.files import whole_file, write_table, write_text
from muscle_study.publishing.style import house_style
from muscle_study.publishing.table import escape


@dataclass(frozen=True)
class Picture:
    """A figure, not yet written.

    Parameters
    ----------
    figure
        The drawing.
    caption
        Caption with n and definitions.
    data
        Drawn aggregates; without them, those of the result's table.
    """

    figure: Figure
    caption: str
    data: pd.DataFrame | None = None

    def write(self, folder: Path, name: str) -> list[Path]:
        """Write ``<name>.svg``, the caption ``<name>.md``, ``<name>.csv``; return their paths."""
        drawing, caption = folder / f"{name}.svg", folder / f"{name}.md"
        with house_style(), whole_file(drawing) as beside:
            # without a date the same drawing is the same bytes
            self.figure.savefig(beside, format="svg", dpi=200, metadata={"Date": None})
        write_text(escape(self.caption) + "\n", caption)
        written = [drawing, caption]
        if self.data is not None:
            written.append(folder / f"{name}.csv")
            write_table(self.data, written[-1])
        plt.close(self.figure)
        return written

    def _repr_svg_(self) -> str:
        drawn = StringIO()
        with house_style():
            self.figure.savefig(drawn, format="svg", dpi=150, metadata={"Date": None})
        return drawn.getvalue()

"""One look for every figure, and SVG files that are the same bytes each time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.protocol.files import whole_file, write_table, write_text
from muscle_study.publishing.table import escape

#: Widths of a journal's column and page (inches).
ONE_COLUMN, TWO_COLUMNS = 3.5, 7.0

#: Okabe and Ito's colours, told apart with every common colour-blindness and in grey print.
BLUE, ORANGE, GREEN, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00"
INK, GREY, PALE = "#222222", "#6B7280", "#D9DDE3"

SEX_COLOURS = {"male": BLUE, "female": VERMILION}

#: Sexes differ by line too, for prints without colour.
SEX_LINES = {"male": "-", "female": (0, (4, 1.5))}

MUSCLE_COLOURS = {"psoas": ORANGE, "gluteus": GREEN}

#: Muscles' sides on a grey picture, where lightness must stand out.
STRUCTURE_COLOURS = {
    "psoas_left": "#F0E442",
    "psoas_right": ORANGE,
    "gluteus_left": SKY,
    "gluteus_right": "#2BD4A0",
}

#: Fewer participants than this many times the disclosure threshold make no density: its shape
#: would follow single people.
DENSITY_FACTOR = 4

_RC = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 7.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "axes.titlecolor": INK,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "legend.edgecolor": "none",
    "legend.framealpha": 0.85,
    "lines.linewidth": 1.4,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "muscle-study",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the study's style inside the block."""
    with mpl.rc_context(_RC):
        yield


@dataclass(frozen=True)
class Picture:
    """A figure of the manuscript, not yet written.

    Parameters
    ----------
    name
        File name without ending.
    figure
        What was drawn.
    caption
        With n and definitions.
    data
        The aggregates that were drawn, where no table holds them.
    """

    name: str
    figure: Figure
    caption: str
    data: pd.DataFrame | None = None

    def write(self, folder: Path) -> "Picture":
        """Write ``<name>.svg``, the caption ``<name>.md`` and ``<name>.csv``; return itself."""
        with house_style(), whole_file(folder / f"{self.name}.svg") as beside:
            # without a date the same drawing is the same bytes
            self.figure.savefig(beside, format="svg", dpi=200, metadata={"Date": None})
        write_text(escape(self.caption) + "\n", folder / f"{self.name}.md")
        if self.data is not None:
            write_table(self.data, folder / f"{self.name}.csv")
        plt.close(self.figure)
        return self

    def _repr_svg_(self) -> str:
        from io import StringIO

        drawn = StringIO()
        with house_style():
            self.figure.savefig(drawn, format="svg", dpi=150, metadata={"Date": None})
        return drawn.getvalue()


def tag_synthetic(figure: Figure, synthetic: bool) -> None:
    """Mark the figure of a synthetic run as such, above its right corner."""
    if synthetic:
        figure.suptitle(
            "synthetic cohort", x=0.995, ha="right", fontsize=6.5, color=GREY, style="italic"
        )


def say_instead(axes: Axes, words: str) -> None:
    """Put words where nothing can be drawn."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=GREY, transform=axes.transAxes)

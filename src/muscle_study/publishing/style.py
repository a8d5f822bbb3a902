"""Style of all figures."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

#: Widths of a journal's column and page (inches).
ONE_COLUMN, TWO_COLUMNS = 3.5, 7.0

#: Okabe and Ito's colours, distinct with every common colour-blindness and in grey print.
BLUE, ORANGE, GREEN, SKY, VERMILION = "#0072B2", "#E69F00", "#009E73", "#56B4E9", "#D55E00"
INK, GREY, PALE = "#222222", "#6B7280", "#D9DDE3"

SEX_COLOURS = {"male": BLUE, "female": VERMILION}

#: Lines of the sexes, for prints without colour.
SEX_LINES = {"male": "-", "female": (0, (4, 1.5))}

MUSCLE_COLOURS = {"psoas": ORANGE, "gluteus": GREEN}

#: Muscles' sides on a grey image, where lightness must stand out.
STRUCTURE_COLOURS = {
    "psoas_left": "#F0E442",
    "psoas_right": ORANGE,
    "gluteus_left": SKY,
    "gluteus_right": "#2BD4A0",
}

#: A density needs this many times the disclosure threshold of participants; with fewer, its shape
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
    """Apply the study's style inside the block."""
    with mpl.rc_context(_RC):
        yield


def tag_synthetic(figure: Figure, synthetic: bool) -> None:
    """Mark a figure of a synthetic run as such, above its right corner."""
    if synthetic:
        figure.suptitle(
            "synthetic cohort", x=0.995, ha="right", fontsize=6.5, color=GREY, style="italic"
        )


def say_instead(axes: Axes, words: str) -> None:
    """Show text in place of a drawing."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, words, ha="center", va="center", color=GREY, transform=axes.transAxes)

"""Differences against means, as Bland and Altman draw them, with densities for points."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    BLUE,
    DENSITY_FACTOR,
    INK,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.study.measures import OUTCOMES, Measure
from muscle_study.statistics.study.study import Study

#: What a caption says of the drawing.
EXPLAINED = (
    f"contours enclose {', '.join(format_number(100 * share) for share in SHARES)} % of the "
    "estimated density. Solid: bias; dashed: limits of agreement (bias ± 1.96 SD); grey: no "
    "difference."
)


def draw_outcomes(
    study: Study, values: pd.DataFrame, statistics: pd.DataFrame, names: tuple[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel an outcome; return the contours too.

    Parameters
    ----------
    study
        The run.
    values
        A row a participant: for each outcome's column its value, and the difference from the
        other value under ``<column>_difference``.
    statistics
        ``bias``, ``loa_low`` and ``loa_high`` by the outcome's column; NaN where not to be shown.
    names
        What value and other value are.
    """
    drawn = [pd.DataFrame(columns=["outcome", "share", "line", "mean", "difference"])]
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.8))
        for axes, (name, outcome) in zip(panels, OUTCOMES.items(), strict=True):
            row = statistics.loc[outcome.column]
            columns = [outcome.column, f"{outcome.column}_difference"]
            known = values[columns].dropna() * outcome.factor
            if len(known) >= DENSITY_FACTOR * study.min_count and pd.notna(row["bias"]):
                lines = _draw(axes, *known.to_numpy().T, row, outcome, names)
                lines = lines.rename(columns={"x": "mean", "y": "difference"})
                drawn.append(lines.assign(outcome=name))
                axes.set_title(outcome.title(study.psoas))
            else:
                say_instead(axes, "too few to be shown")
        tag_synthetic(figure, study.synthetic)
    return figure, pd.concat([part for part in drawn if len(part)] or drawn)[drawn[0].columns]


def _draw(
    axes: Axes,
    value: np.ndarray,
    difference: np.ndarray,
    row: pd.Series,
    outcome: Measure,
    names: tuple[str, str],
) -> pd.DataFrame:
    lines = pd.DataFrame(columns=["share", "line", "x", "y"])
    if np.ptp(difference) > 0:  # of two that are equal, there is no density
        lines = contours(axes, value - difference / 2, difference, BLUE)
    axes.axhline(0, color="0.6", lw=0.8)
    for name, line in (("bias", "-"), ("loa_low", "--"), ("loa_high", "--")):
        at = row[name] * outcome.factor
        axes.axhline(at, color=INK, ls=line, lw=1)
        axes.annotate(
            format_number(at, outcome.digits),
            (1, at),
            (3, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    one, other = names
    axes.set(
        xlabel=f"Mean of {one} and {other} ({outcome.unit})",
        ylabel=f"{one.capitalize()} − {other} ({outcome.unit})",
    )
    return lines

"""Bland–Altman statistics as printed, and their plot with densities in place of points."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, interval
from muscle_study.publishing.style import (
    BLUE,
    DENSITY_FACTOR,
    INK,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.publishing.table import estimate
from muscle_study.statistics.study.measures import OUTCOMES, Measure
from muscle_study.statistics.study.study import Study

#: Explanation of the plot for a caption.
EXPLAINED = (
    f"contours enclose {', '.join(format_number(100 * share) for share in SHARES)} % of the "
    "estimated density. Solid: bias; dashed: limits of agreement (bias ± 1.96 SD); grey: no "
    "difference."
)


def shown(table: pd.DataFrame, min_count: int) -> pd.DataFrame:
    """Return a table of agreement with the statistics of fewer than `min_count` people emptied."""
    few = (table["n"] < min_count).to_numpy()
    numbers = table.columns.difference(["measure", "group"])
    return table.astype(dict.fromkeys(numbers, float)).mask(
        few[:, None] & table.columns.isin(numbers)[None, :]
    )


def agreement_cells(row: pd.Series, measure: Measure) -> dict[str, str]:
    """Return bias, limits of agreement and ICC as cells of a table."""
    digits = measure.digits + (measure.factor == 100)
    bias = [row[name] * measure.factor for name in ("bias", "bias_low", "bias_high")]
    limits = [row[name] * measure.factor for name in ("loa_low", "loa_high")]
    icc = [row[name] for name in ("icc", "icc_low", "icc_high")]
    return {
        "Bias (CI)": estimate(*bias, digits),
        "Limits of agreement": MARK if pd.isna(limits[0]) else interval(*limits, digits),
        "ICC (CI)": format_number(icc[0], 3)
        if pd.notna(icc[0]) and pd.isna(icc[1])
        else estimate(*icc, 3),
    }


def draw_outcomes(
    study: Study, values: pd.DataFrame, statistics: pd.DataFrame, names: tuple[str, str]
) -> tuple[Figure, pd.DataFrame]:
    """Draw a panel per outcome; return the figure and its contours.

    Parameters
    ----------
    study
        The run.
    values
        A row per participant: each outcome's column, and its difference from the other value as
        ``<column>_difference``.
    statistics
        ``bias``, ``loa_low`` and ``loa_high`` by the outcome's column; NaN for suppressed ones.
    names
        Names of the value and of the other value.
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
    if np.ptp(difference) > 0:  # two equal values have no density
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

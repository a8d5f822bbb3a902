"""Measured values against the synthetic cohort's known truth."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.files import read_table
from muscle_study.numbers import format_number
from muscle_study.statistics.figures.density import SHARES, contours
from muscle_study.statistics.measures import OUTCOMES, Measure
from muscle_study.statistics.quality import read_agreement
from muscle_study.statistics.study import Study
from muscle_study.statistics.style import (
    BLUE,
    DENSITY_FACTOR,
    INK,
    TWO_COLUMNS,
    Picture,
    house_style,
    say_instead,
    tag_synthetic,
)


def draw(study: Study) -> Picture:
    """Draw Bland and Altman's plot of both outcomes as densities, with bias and limits."""
    errors = read_table(study.paths.measurements / "errors.csv")
    pairs = study.measures.merge(errors, on="participant_id", suffixes=("", "_error"))
    agreement = read_agreement(study)
    statistics = agreement[agreement["group"] == "unseen"].set_index("measure")
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.8))
        for axes, outcome in zip(panels, OUTCOMES.values(), strict=True):
            row = statistics.loc[outcome.column]
            known = pairs[[outcome.column, f"{outcome.column}_error"]].dropna() * outcome.factor
            enough = len(known) >= DENSITY_FACTOR * study.min_count and pd.notna(row["bias"])
            if enough:
                _draw(axes, known, row, outcome)
                axes.set_title(outcome.title(study.psoas))
            else:
                say_instead(axes, "too few to be shown")
        tag_synthetic(figure, study.synthetic)
    n = len(pairs)
    size = f" (n = {format_number(n)})" if n >= study.min_count else ""
    shares = ", ".join(format_number(100 * share) for share in SHARES)
    caption = (
        f"Agreement with the known truth in everyone whom training never saw{size}: difference "
        f"measured − truth against the mean of both; contours enclose {shares} % of the "
        "estimated density. Solid: bias; dashed: limits of agreement (bias ± 1.96 SD); grey: no "
        "difference." + study.imaged_only + study.origin
    )
    return Picture("agreement", figure, caption)


def _draw(axes: Axes, known: pd.DataFrame, row: pd.Series, outcome: Measure) -> None:
    measured, error = known.to_numpy().T
    contours(axes, measured - error / 2, error, BLUE)
    axes.axhline(0, color="0.6", lw=0.8)
    for name, line in (("bias", "-"), ("loa_low", "--"), ("loa_high", "--")):
        value = row[name] * outcome.factor
        axes.axhline(value, color=INK, ls=line, lw=1)
        axes.annotate(
            format_number(value, outcome.digits),
            (1, value),
            (3, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    axes.set(
        xlabel=f"Mean of measured and truth ({outcome.unit})",
        ylabel=f"Measured − truth ({outcome.unit})",
    )

"""The regression's standardised coefficients."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    GREY,
    INK,
    SEX_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.study.measures import OUTCOMES
from muscle_study.statistics.study.study import Study

#: Samples from top to bottom of a term: name, colour, marker, offset.
SAMPLES = {
    "both": ("All", INK, "D", 0.2),
    "male": ("Men", SEX_COLOURS["male"], "o", 0.0),
    "female": ("Women", SEX_COLOURS["female"], "s", -0.2),
}

TERMS = {"age": "Age (per SD)", "bmi": "BMI (per SD)", "sex": "Men − women"}


def draw(study: Study, coefficients: pd.DataFrame) -> Picture:
    """Draw a forest plot of both outcomes: all, men, women."""
    known = coefficients.dropna(subset=["standardised"])
    with house_style():
        figure, panels = plt.subplots(
            1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.5), sharey=True, sharex=True
        )
        for axes, (name, outcome) in zip(panels, OUTCOMES.items(), strict=True):
            rows = known[known["outcome"] == name]
            axes.set_title(outcome.title(study.psoas).rsplit(" (", 1)[0])
            if rows.empty:
                say_instead(axes, "not estimable")
            else:
                _forest(axes, rows)
        if not known.empty:
            figure.legend(
                handles=[
                    Line2D([], [], color=colour, marker=marker, markersize=4, label=word)
                    for word, colour, marker, _ in SAMPLES.values()
                ],
                loc="outside upper left",
                ncols=3,
            )
        tag_synthetic(figure, study.synthetic)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Linear regression of both outcomes on age, BMI and sex ({study.sizes}): "
        "coefficients in SDs of the outcome, per SD of age and of BMI and between men and women, "
        f"with {percent} % confidence intervals from HC3 errors. All: one model with sex; men, "
        "women: a model each." + study.origin
    )
    return Picture(figure, caption, name="regression")


def _forest(axes: Axes, rows: pd.DataFrame) -> None:
    places = {term: -i for i, term in enumerate(TERMS)}
    for row in rows.itertuples():
        _, colour, marker, offset = SAMPLES[row.sex]
        y = places[row.term] + (0 if row.term == "sex" else offset)
        axes.hlines(y, row.standardised_low, row.standardised_high, color=colour, lw=1.3)
        axes.plot(row.standardised, y, marker, color=colour, markersize=4)
    axes.axvline(0, color=GREY, lw=0.8)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(list(places.values()), list(TERMS.values()))
    axes.set(ylim=(-2.5, 0.5), xlabel="Coefficient (SD of the outcome)")

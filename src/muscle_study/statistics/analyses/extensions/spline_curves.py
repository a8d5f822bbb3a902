"""Curves of both outcomes over age and over BMI."""

from matplotlib import pyplot as plt

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    SEX_COLOURS,
    SEX_LINES,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.extensions.splines import CURVED, curves
from muscle_study.statistics.methods.splines import KNOTS, SplineFit
from muscle_study.statistics.study.measures import OUTCOMES, PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

HEADINGS = {"age": "Age (years)", "bmi": "BMI (kg/m²)"}


def draw(study: Study, fits: dict[tuple[str, str], SplineFit | None]) -> Picture:
    """Draw the mean by age and by BMI, in men and women, with its interval."""
    table = curves(fits, study.parameters.confidence)
    with house_style():
        figure, panels = plt.subplots(
            2, 2, layout="constrained", figsize=(TWO_COLUMNS, 4.6), sharex="col", sharey="row"
        )
        for row, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            scale = outcome.factor / OUTCOMES[name].factor
            for axes, covariate in zip(row, CURVED, strict=True):
                drawn = table[(table["outcome"] == name) & (table["covariate"] == covariate)]
                for sex, curve in drawn.groupby("sex", sort=False):
                    colour = SEX_COLOURS[sex]
                    low, high = curve["low"] * scale, curve["high"] * scale
                    axes.fill_between(curve["at"], low, high, color=colour, alpha=0.2, lw=0)
                    axes.plot(curve["at"], curve["mean"] * scale, color=colour,
                              linestyle=SEX_LINES[sex], label=SEXES[sex])  # fmt: skip
                if drawn.empty:
                    say_instead(axes, "too few participants")
            row[0].set_ylabel(outcome.title(study.psoas))
        for axes, covariate in zip(panels[-1], CURVED, strict=True):
            axes.set_xlabel(HEADINGS[covariate])
        handles, labels = panels[0][0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside upper left", ncols=2)
        tag_synthetic(figure, study.synthetic)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Mean total {study.psoas} cross-sectional area (CSA) and gluteus volume by age, at the "
        f"sex's median BMI, and by BMI, at its median age ({study.sizes}): restricted cubic "
        f"splines with {KNOTS} knots, shaded: {percent} % confidence interval of the mean from HC3 "
        "errors. Drawn from the 2.5th to the 97.5th centile of age and BMI." + study.origin
    )
    return Picture(figure, caption, table, name="splines")

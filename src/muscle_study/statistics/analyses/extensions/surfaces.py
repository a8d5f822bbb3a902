"""Both outcomes over age and BMI together, as surfaces of the spline models."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from mpl_toolkits.mplot3d import Axes3D

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    GREY,
    SEX_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.extensions.splines import HEADINGS, Fits, fit_splines
from muscle_study.statistics.methods.splines import KNOTS
from muscle_study.statistics.study.measures import OUTCOMES, PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: Values of age and of BMI on the grid of a surface.
STEPS = 15

#: View of the surfaces, degrees: BMI runs to the right, age to the left.
ELEVATION, AZIMUTH = 26, -124


def surfaces(study: Study) -> Result:
    """Draw the mean by age and BMI, a panel per outcome, men's surface above women's."""
    table = grid_means(study.once(fit_splines), study.parameters.confidence)
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, 3.7))
        for column, (name, outcome) in enumerate(PAPER_OUTCOMES.items()):
            drawn = table[table["outcome"] == name]
            place = (0.5 * column + 0.01, 0.07, 0.46, 0.84)
            if drawn.empty:
                say_instead(figure.add_axes(place), "too few participants")
                continue
            axes = figure.add_axes(place, projection="3d")
            axes.set_title(outcome.title(study.psoas), loc="center")
            scale = outcome.factor / OUTCOMES[name].factor
            for sex, surface in drawn.groupby("sex", sort=False):
                _draw(axes, surface, scale, SEX_COLOURS[sex])
        handles = [Patch(color=SEX_COLOURS[sex], label=word) for sex, word in SEXES.items()]
        figure.legend(handles=handles, loc="lower center", ncols=2)
        tag_synthetic(figure, study.synthetic)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Mean total {study.psoas} cross-sectional area (CSA) and gluteus volume by age and BMI "
        f"together ({study.sizes}): a model in each sex, with restricted cubic splines of {KNOTS} "
        "knots of both. Drawn from the 2.5th to the 97.5th centile of age and BMI. "
        f"The CSV file gives the {percent} % confidence interval of each mean." + study.origin
    )
    return Result("surfaces", figure=Picture(figure, caption, table))


def grid_means(fits: Fits, confidence: float) -> pd.DataFrame:
    """Return ``outcome``, ``sex``, ``age``, ``bmi``, ``mean``, ``low`` and ``high`` on a grid."""
    columns = ["outcome", "sex", "age", "bmi", "mean", "low", "high"]
    parts = []
    for (outcome, sex), fitted in fits.items():
        if fitted is not None:
            age, bmi = (np.linspace(*fitted.shown[name], STEPS) for name in ("age", "bmi"))
            grid = dict(zip(("age", "bmi"), map(np.ravel, np.meshgrid(age, bmi)), strict=True))
            means = fitted.predict(grid, confidence)
            parts.append(pd.DataFrame(grid).join(means).assign(outcome=outcome, sex=sex))
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _draw(axes: Axes3D, surface: pd.DataFrame, scale: float, colour: str) -> None:
    age, bmi, mean = (
        surface[name].to_numpy().reshape(STEPS, STEPS) for name in ("age", "bmi", "mean")
    )
    axes.plot_surface(
        bmi, age, mean * scale, color=to_rgba(colour, 0.55), rcount=STEPS, ccount=STEPS,
        edgecolor=colour, linewidth=0.35, shade=False,
    )  # fmt: skip
    axes.set(xlabel=HEADINGS["bmi"], ylabel=HEADINGS["age"])
    axes.view_init(ELEVATION, AZIMUTH)
    axes.set_box_aspect((1.2, 1.2, 1), zoom=0.98)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor(GREY)
        axis.set_major_locator(MaxNLocator(5))
    axes.tick_params(pad=0)

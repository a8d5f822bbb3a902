"""Centile charts of both outcomes by age and sex."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy import stats

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.style import (
    SEX_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.extensions.centile_charts import (
    DRAWN,
    TAIL,
    Chart,
    Key,
    at_ages,
)
from muscle_study.statistics.methods.centiles import AGE, FEWEST_PEOPLE
from muscle_study.statistics.study.measures import OUTCOMES, PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study


def draw(study: Study, charts: dict[Key, Chart | None]) -> Picture:
    """Draw the centiles over age, a panel an outcome and sex."""
    with house_style():
        figure, panels = plt.subplots(
            2, 2, layout="constrained", figsize=(TWO_COLUMNS, 5.0), sharex=True, sharey="row"
        )
        for row, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            for axes, (sex, word) in zip(row, SEXES.items(), strict=True):
                chart = charts[name, sex, AGE]
                axes.set_title(word)
                if chart is None:
                    say_instead(axes, f"fewer than {FEWEST_PEOPLE} participants")
                else:
                    _curves(axes, chart, outcome.factor / OUTCOMES[name].factor, SEX_COLOURS[sex])
            row[0].set_ylabel(outcome.title(study.psoas))
        for axes in panels[-1]:
            axes.set_xlabel("Age (years)")
        tag_synthetic(figure, study.synthetic)
    drawn = ", ".join(str(centile) for centile in DRAWN)
    caption = (
        f"Centiles ({drawn}) of total {study.psoas} cross-sectional area (CSA) and gluteus volume "
        f"by age and sex ({study.sizes}), by the LMS method, its curves chosen by "
        f"cross-validation. At least {100 * TAIL:.0f} % of the sex are younger and older than the "
        "ages drawn." + study.origin
    )
    return Picture(figure, caption, name="centiles")


def _curves(axes: Axes, chart: Chart, scale: float, colour: str) -> None:
    low, high = chart.limits["age_years"]
    ages = np.linspace(low, high, 120)
    for centile in DRAWN:
        values = chart.model.value(at_ages(ages), stats.norm.ppf(centile / 100)) * scale
        middle = centile == 50
        axes.plot(ages, values, color=colour, lw=1.6 if middle else 0.8, alpha=1 if middle else 0.8)
        axes.annotate(str(centile), (ages[-1], values[-1]), xytext=(2, 0), va="center",
                      textcoords="offset points", fontsize=6, color=colour)  # fmt: skip

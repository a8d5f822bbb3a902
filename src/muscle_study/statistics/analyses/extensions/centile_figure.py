"""Drawing of centile charts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy import stats

from muscle_study.publishing.style import (
    SEX_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.methods.centiles import AGE, FEWEST_PEOPLE
from muscle_study.statistics.study.measures import OUTCOMES, PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study


def draw(study: Study, charts: Mapping, centiles: tuple[int, ...]) -> Figure:
    """Draw the centiles of the charts by age, a panel per outcome and sex."""
    with house_style():
        figure, panels = plt.subplots(
            2, 2, layout="constrained", figsize=(TWO_COLUMNS, 5.0), sharex=True, sharey="row"
        )
        for row, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            scale = outcome.factor / OUTCOMES[name].factor
            for axes, (sex, word) in zip(row, SEXES.items(), strict=True):
                chart = charts[name, sex, AGE]
                axes.set_title(word)
                if chart is None:
                    say_instead(axes, f"fewer than {FEWEST_PEOPLE} participants")
                    continue
                ages = np.linspace(*chart.limits["age_years"], 120)
                people = pd.DataFrame({"age_years": ages})
                for centile in centiles:
                    values = chart.model.value(people, stats.norm.ppf(centile / 100)) * scale
                    _curve(axes, ages, values, centile, SEX_COLOURS[sex])
            row[0].set_ylabel(outcome.title(study.psoas))
        for axes in panels[-1]:
            axes.set_xlabel("Age (years)")
        tag_synthetic(figure, study.synthetic)
    return figure


def _curve(axes: Axes, ages: np.ndarray, values: np.ndarray, centile: int, colour: str) -> None:
    middle = centile == 50
    axes.plot(ages, values, color=colour, lw=1.6 if middle else 0.8, alpha=1 if middle else 0.8)
    axes.annotate(str(centile), (ages[-1], values[-1]), xytext=(2, 0), va="center",
                  textcoords="offset points", fontsize=6, color=colour)  # fmt: skip

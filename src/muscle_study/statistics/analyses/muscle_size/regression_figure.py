"""The regression's standardised coefficients."""

import numpy as np
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
from muscle_study.statistics.parameters import Model
from muscle_study.statistics.study.measures import OUTCOMES
from muscle_study.statistics.study.models import models_text, term_text
from muscle_study.statistics.study.study import Study

#: Colours and markers of models by the sex of their people; a further model has another marker.
COLOURS = {"both": INK, **SEX_COLOURS}
MARKERS = {"both": "DvP*", "male": "o^<", "female": "sXd"}

#: Height of a term, and of title, legend and axis (inches).
TERM_HEIGHT, MARGIN = 0.38, 1.25


def draw(study: Study, slopes: pd.DataFrame) -> Picture:
    """Draw a forest plot of both outcomes in all declared models."""
    known = slopes.dropna(subset=["standardised"])
    terms = list(dict.fromkeys(slopes["term"]))
    looks = _looks(study.parameters.models)
    with house_style():
        figure, panels = plt.subplots(
            1,
            2,
            layout="constrained",
            figsize=(TWO_COLUMNS, MARGIN + TERM_HEIGHT * len(terms)),
            sharey=True,
            sharex=True,
        )
        for axes, (name, outcome) in zip(panels, OUTCOMES.items(), strict=True):
            rows = known[known["outcome"] == name]
            axes.set_title(outcome.title(study.psoas).rsplit(" (", 1)[0])
            if rows.empty:
                say_instead(axes, "not estimable")
            else:
                _forest(axes, rows, terms, looks)
                axes.set_yticks(-np.arange(len(terms)), [term_text(study, one) for one in terms])
        if not known.empty:
            figure.legend(
                handles=[
                    Line2D([], [], color=colour, marker=marker, markersize=4, label=model.title)
                    for model, (colour, marker) in zip(
                        study.parameters.models, looks.values(), strict=True
                    )
                ],
                loc="outside upper left",
                ncols=min(len(looks), 4),
            )
        tag_synthetic(figure, study.synthetic)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Linear regression of both outcomes ({study.sizes}): coefficients in SDs of the outcome, "
        "per SD of a continuous covariate and between levels of the others, "
        f"with {percent} % confidence intervals from HC3 errors. Models: {models_text(study)}."
        + study.origin
    )
    return Picture(figure, caption)


def _looks(models: list[Model]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each model."""
    looks, used = {}, dict.fromkeys(COLOURS, 0)
    for model in models:
        markers = MARKERS[model.sex]
        looks[model.name] = COLOURS[model.sex], markers[used[model.sex] % len(markers)]
        used[model.sex] += 1
    return looks


def _forest(axes: Axes, rows: pd.DataFrame, terms: list[str], looks: dict) -> None:
    for place, term in enumerate(terms):
        own = rows[rows["term"] == term]
        # the models of a term side by side about its place, whichever they are
        offsets = 0.2 * ((len(own) - 1) / 2 - np.arange(len(own)))
        for offset, row in zip(offsets, own.itertuples(), strict=True):
            colour, marker = looks[row.model]
            y = offset - place
            axes.hlines(y, row.standardised_low, row.standardised_high, color=colour, lw=1.3)
            axes.plot(row.standardised, y, marker, color=colour, markersize=4)
    axes.axvline(0, color=GREY, lw=0.8)
    axes.grid(visible=True, axis="x")
    axes.grid(visible=False, axis="y")
    axes.set(ylim=(0.5 - len(terms), 0.5), xlabel="Coefficient (SD of the outcome)")

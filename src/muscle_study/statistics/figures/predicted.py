"""Predicted against true Dice of the test participants."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.labels import MUSCLES
from muscle_study.numbers import format_number
from muscle_study.statistics.figures.density import SHARES, contours
from muscle_study.statistics.predicted import FAILURE, predictions
from muscle_study.statistics.study import Study
from muscle_study.statistics.style import (
    DENSITY_FACTOR,
    GREY,
    MUSCLE_COLOURS,
    TWO_COLUMNS,
    Picture,
    house_style,
    say_instead,
    tag_synthetic,
)


def draw(study: Study) -> Picture:
    """Draw a panel a muscle: points of synthetic participants, densities of real ones."""
    table = predictions(study)
    muscle_of = table["structure"].str.split("_").str[0]
    n = table["participant_id"].nunique()
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.9))
        for axes, muscle in zip(panels, MUSCLES, strict=True):
            axes.set_title(muscle.capitalize())
            of_muscle = table[muscle_of == muscle]
            if study.synthetic or n >= DENSITY_FACTOR * study.min_count:
                _draw(axes, of_muscle, muscle, study.synthetic)
            else:
                say_instead(axes, "too few to be shown")
        tag_synthetic(figure, study.synthetic)
    shown = (
        "A point is one side of one participant."
        if study.synthetic
        else f"Contours enclose {', '.join(format_number(100 * share) for share in SHARES)} % of "
        "the estimated density of participants' sides."
    )
    size = f" (n = {format_number(n)})" if n >= study.min_count else ""
    caption = (
        "Dice coefficient predicted from how well the networks' passes over a participant agree, "
        f"against that with the reference labels, of the test participants{size}. {shown} Dashed: "
        f"both equal; dotted: {format_number(FAILURE, 2)}, below which a structure counts as "
        "failed." + study.imaged_only + study.origin
    )
    return Picture("predicted", figure, caption)


def _draw(axes: Axes, table: pd.DataFrame, muscle: str, points: bool) -> None:
    colour = MUSCLE_COLOURS[muscle]
    predicted, dice = table["predicted_dice"].to_numpy(), table["dice"].to_numpy()
    if points:
        axes.scatter(predicted, dice, s=12, color=colour, alpha=0.7, lw=0)
    else:
        contours(axes, predicted, dice, colour)
    axes.axline((1, 1), slope=1, color=GREY, lw=0.8, ls="--")
    axes.axhline(FAILURE, color=GREY, lw=0.8, ls=":")
    axes.set(xlabel="Predicted Dice", ylabel="Dice with the reference")

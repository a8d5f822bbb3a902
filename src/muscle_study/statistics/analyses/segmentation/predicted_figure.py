"""Predicted against true Dice of the test participants."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    GREY,
    MUSCLE_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.segmentation.predicted import FAILURE, predictions
from muscle_study.statistics.study.study import Study


def draw(study: Study) -> Picture:
    """Draw a density a muscle."""
    table = predictions(study)
    muscle_of = table["structure"].str.split("_").str[0]
    n = table["participant_id"].nunique()
    lines = [pd.DataFrame(columns=["muscle", "share", "line", "predicted", "dice"])]
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.9))
        for axes, muscle in zip(panels, MUSCLES, strict=True):
            axes.set_title(muscle.capitalize())
            of_muscle = table[muscle_of == muscle]
            if n >= DENSITY_FACTOR * study.min_count:
                drawn = _draw(axes, of_muscle, muscle)
                lines.append(drawn.assign(muscle=muscle))
            else:
                say_instead(axes, "too few to be shown")
        tag_synthetic(figure, study.synthetic)
    shares = ", ".join(format_number(100 * share) for share in SHARES)
    size = f" (n = {format_number(study.rounded(n))})" if n >= study.min_count else ""
    caption = (
        "Dice coefficient that inference predicted, against that with the reference labels, "
        f"of the test participants{size}. "
        f"Contours enclose {shares} % of the estimated density of participants' sides. Dashed: "
        f"both equal; dotted: {format_number(FAILURE, 2)}, below which a structure counts as "
        "failed." + study.imaged_only + study.origin
    )
    table = pd.concat(lines[1:] or lines)[lines[0].columns]
    return Picture(figure, caption, table, name="predicted")


def _draw(axes: Axes, table: pd.DataFrame, muscle: str) -> pd.DataFrame:
    colour = MUSCLE_COLOURS[muscle]
    predicted, dice = table["predicted_dice"].to_numpy(), table["dice"].to_numpy()
    lines = contours(axes, predicted, dice, colour)
    axes.axline((1, 1), slope=1, color=GREY, lw=0.8, ls="--")
    axes.axhline(FAILURE, color=GREY, lw=0.8, ls=":")
    axes.set(xlabel="Predicted Dice", ylabel="Dice with the reference")
    return lines.rename(columns={"x": "predicted", "y": "dice"})

"""The segmenter's training: loss and validation Dice by epoch."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    BLUE,
    GREY,
    INK,
    MUSCLE_COLOURS,
    TWO_COLUMNS,
    VERMILION,
    house_style,
    tag_synthetic,
)
from muscle_study.statistics.analyses.segmentation.settings import settings
from muscle_study.statistics.study.study import Study


def learning(study: Study) -> Result:
    """Return the first segmenter's learning curves, and the settings of the model."""
    curves = read_table(study.paths.model / "history.csv")
    history = curves[curves["network"] == "segmenter_1"].drop(columns="network")
    best = read_json(study.paths.model / "card.json")["segmenters"][0]["best_epoch"]
    caption = (
        "Learning curves of the segmenter: loss on training patches and on validation "
        "participants, and Dice on whole validation volumes, by muscle (both sides as one). "
        f"Dotted: epoch {best}, whose weights were kept for the best mean Dice." + study.origin
    )
    picture = Picture(_draw(history, best, study.synthetic), caption, history)
    return Result("learning", figure=picture, numbers=settings(study))


def _draw(history: pd.DataFrame, best: int, synthetic: bool) -> Figure:
    with house_style():
        figure, (loss, dice) = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.5))
        for column, name, colour, line in (
            ("train_loss", "training", BLUE, "-"),
            ("validation_loss", "validation", VERMILION, (0, (4, 1.5))),
        ):
            _line(loss, history, column, name, colour, line)
        loss.set(xlabel="Epoch", ylabel="Loss (Dice + cross-entropy)")
        _line(dice, history, "validation_dice", "mean", INK, "-")
        for muscle in MUSCLES:
            _line(dice, history, f"dice_{muscle}", muscle, MUSCLE_COLOURS[muscle], "--")
        dice.set(xlabel="Epoch", ylabel="Validation Dice")
        dice.set_ylim(top=1)
        for axes, place in ((loss, "upper right"), (dice, "lower right")):
            axes.axvline(best, color=GREY, lw=0.8, ls=":")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.legend(loc=place)
        tag_synthetic(figure, synthetic)
    return figure


def _line(axes, history: pd.DataFrame, column: str, name: str, colour: str, line) -> None:
    known = history.dropna(subset=[column])
    axes.plot(
        known["epoch"], known[column], color=colour, ls=line, label=name, marker="o", markersize=2.5
    )

"""Figures of the training notebook."""

import lightning
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.parameters import TrainingParameters

PATCHES_SHOWN = 6


def show_patches(paths: RunPaths, parameters: TrainingParameters) -> Figure | None:
    """Draw the middle slices of some augmented patches of one training participant.

    Returns
    -------
    matplotlib.figure.Figure or None
        None for real participants or a pretrained model.
    """
    synthetic = read_json(paths.curated / "source.json")["synthetic"]
    if not synthetic or parameters.pretrained is not None:
        return None
    data = AnnotatedParticipants(paths, parameters, "segmenter")
    lightning.seed_everything(parameters.seed, verbose=False)
    patches = data.example_patches(PATCHES_SHOWN)
    figure, axes = plt.subplots(1, len(patches), figsize=(13, 2.4), layout="constrained")
    for axis, patch in zip(axes, patches, strict=True):
        middle = patch["image"].shape[-1] // 2
        # radiological convention: the participant's right on the left
        image = patch["image"][0, :, :, middle].flip(0).T
        label = patch["label"][0, :, :, middle].flip(0).T
        axis.imshow(image, cmap="gray", origin="lower")
        levels = [value - 0.5 for value in range(1, data.classes.count)]
        axis.contour(label, levels=levels, cmap="tab10", linewidths=0.8)
        axis.set_axis_off()
    plt.close(figure)
    return figure


def show_history(history: pd.DataFrame) -> Figure:
    """Draw the learning curves, one row per network."""
    names = history["network"].unique()
    figure, rows = plt.subplots(
        len(names), 2, figsize=(10, 3 * len(names)), layout="constrained", squeeze=False
    )
    for name, (loss, score) in zip(names, rows, strict=True):
        curves = history[history["network"] == name]
        loss.plot(curves["epoch"], curves["train_loss"], label="training patches")
        validated = curves.dropna(subset=["validation_dice"])
        loss.plot(validated["epoch"], validated["validation_loss"], "o-", label="whole volumes")
        loss.set(xlabel="epoch", ylabel="Dice + cross-entropy loss", title=name.replace("_", " "))
        for column in validated.filter(like="dice_").dropna(axis="columns"):
            told = column.removeprefix("dice_").replace("_", " ")
            score.plot(validated["epoch"], validated[column], "o-", label=told)
        score.set(xlabel="epoch", ylabel="validation Dice", ylim=(0, 1))
        for axis in (loss, score):
            axis.legend(frameon=False)
    plt.close(figure)
    return figure

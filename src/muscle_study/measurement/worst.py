"""The worst segmentations of the test split as a picture, for quality control.

It shows individuals, and so stays in ``data/``; of synthetic ones the report shows it too.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.files import read_json, read_table, whole_file
from muscle_study.labels import Label
from muscle_study.paths import RunPaths, image_file
from muscle_study.volumes import Volume, load, open_mapped

#: Panels of the picture, in rows of three.
SHOWN, COLUMNS = 6, 3

FOUND, REFERENCE = "#E69F00", "white"


def worst_cases(quality: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of ``segmentation_quality.csv`` to show, the worst first.

    Of each participant the structure with the lowest Dice coefficient, of the `SHOWN` participants
    in whom that is lowest.
    """
    rising = quality.dropna(subset="dice").sort_values("dice", kind="stable")
    return rising.drop_duplicates("participant_id").head(SHOWN)


def draw_worst(paths: RunPaths, quality: pd.DataFrame) -> Path:
    """Draw the worst cases over the first contrast, without their identifiers.

    Returns
    -------
    pathlib.Path
        ``data/<run>/measurements/worst.png``; the panels are in the order of `worst_cases`.
    """
    cases = worst_cases(quality)
    contrast = read_table(paths.curated / "inventory.csv")["contrast"].iloc[0]
    synthetic = read_json(paths.curated / "source.json")["synthetic"]
    rows = -(-SHOWN // COLUMNS)
    # not pyplot's, which would show the picture in the notebook without being asked
    figure = Figure(figsize=(3 * COLUMNS, 2.5 * rows + 0.4), layout="constrained")
    panels = figure.subplots(rows, COLUMNS).ravel()
    for axes in panels:
        axes.set_axis_off()
    for axes, case in zip(panels, cases.itertuples(), strict=False):
        name = f"{case.participant_id}.nii.gz"
        image = open_mapped(image_file(paths.curated / "images" / case.participant_id, contrast))
        found, reference = load(paths.segmentations / name), load(paths.curated / "labels" / name)
        _draw(axes, image, found, reference, Label[case.structure.upper()])
        axes.set_title(f"{case.structure.replace('_', ', ')}: Dice {case.dice:.2f}", fontsize=10)
    figure.suptitle("synthetic cohort" if synthetic else "", x=0.99, ha="right", fontsize=9)
    path = paths.measurements / "worst.png"
    with whole_file(path) as beside:
        figure.savefig(beside, dpi=150)
    return path


def _draw(axes: Axes, image: Volume, found: Volume, reference: Volume, label: Label) -> None:
    """Draw the axial slice in which the outlines of a structure differ in most voxels."""
    masks = {FOUND: found.data == label, REFERENCE: reference.data == label}
    differs = masks[FOUND] != masks[REFERENCE]
    z = int(differs.sum(axis=(0, 1)).argmax())
    low, high = np.percentile(image.data, [1, 99.5])
    # as radiologists look: the participant's right on the left
    axes.imshow(
        image.data[::-1, :, z].T,
        origin="lower",
        cmap="gray",
        vmin=low,
        vmax=high,
        aspect=image.spacing_mm[1] / image.spacing_mm[0],
    )
    for colour, mask in masks.items():
        plane = mask[::-1, :, z].T.astype(float)
        if plane.any():
            axes.contour(plane, [0.5], colors=colour, linewidths=1.1)

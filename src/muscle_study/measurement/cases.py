"""A picture of typical and worst segmentations of the test split, for quality control.

It shows individuals and stays in ``data/``, unless they are synthetic.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.imaging.volumes import Volume, load, open_mapped
from muscle_study.protocol.files import read_json, read_table, whole_file
from muscle_study.protocol.muscles import STRUCTURES, Label
from muscle_study.protocol.paths import RunPaths, image_file

#: Rows of the picture.
KINDS = ("typical", "worst")

#: Margin around the outlines, mm.
MARGIN_MM = 35

FOUND, REFERENCE = "#E69F00", "white"


def choose_cases(quality: pd.DataFrame) -> pd.DataFrame:
    """Return rows of ``segmentation_quality.csv`` with ``kind``.

    For each structure, the participants with median and with lowest Dice.
    """
    chosen = []
    for _, rows in quality.dropna(subset="dice").groupby("structure"):
        distance = (rows["dice"] - rows["dice"].median()).abs()
        at = dict(zip(KINDS, (distance.idxmin(), rows["dice"].idxmin()), strict=True))
        chosen += [rows.loc[index].to_dict() | {"kind": kind} for kind, index in at.items()]
    return pd.DataFrame(chosen, columns=[*quality.columns, "kind"])


def draw_cases(paths: RunPaths, quality: pd.DataFrame) -> Path:
    """Draw the cases over the first contrast into ``cases.png``, one column per structure."""
    cases = choose_cases(quality).set_index(["kind", "structure"])
    contrast = read_table(paths.curated / "inventory.csv")["contrast"].iloc[0]
    synthetic = read_json(paths.curated / "source.json")["synthetic"]
    # pyplot's figures would show themselves in the notebook
    figure = Figure(figsize=(2.4 * len(STRUCTURES), 5.2), layout="constrained")
    panels = figure.subplots(len(KINDS), len(STRUCTURES))
    for row, kind in zip(panels, KINDS, strict=True):
        row[0].set_ylabel(kind, fontsize=11)
        for axes, label in zip(row, STRUCTURES, strict=True):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            name = label.name.lower()
            if (kind, name) in cases.index:
                case = cases.loc[(kind, name)]
                _draw(axes, paths, case["participant_id"], contrast, label)
                axes.set_title(f"{name.replace('_', ', ')}: {case['dice']:.3f}", fontsize=10)
    figure.suptitle("synthetic cohort" if synthetic else "", x=0.99, ha="right", fontsize=9)
    path = paths.measurements / "cases.png"
    with whole_file(path) as beside:
        figure.savefig(beside, dpi=150)
    return path


def _draw(axes: Axes, paths: RunPaths, participant_id: str, contrast: str, label: Label) -> None:
    """Draw the axial slice in which most voxels of a structure differ."""
    name = f"{participant_id}.nii.gz"
    image = open_mapped(image_file(paths.curated / "images" / participant_id, contrast))
    found, reference = load(paths.segmentations / name), load(paths.curated / "labels" / name)
    masks = {FOUND: found.data == label, REFERENCE: reference.data == label}
    differs = masks[FOUND] != masks[REFERENCE]
    z = int(differs.sum(axis=(0, 1)).argmax())
    near = _surroundings(masks[FOUND][:, :, z] | masks[REFERENCE][:, :, z], image)
    low, high = np.percentile(image.data, [1, 99.5])
    # radiological view: the participant's right on the left
    axes.imshow(
        image.data[*near, z][::-1].T,
        origin="lower",
        cmap="gray",
        vmin=low,
        vmax=high,
        aspect=image.spacing_mm[1] / image.spacing_mm[0],
    )
    for colour, mask in masks.items():
        plane = mask[*near, z][::-1].T.astype(float)
        if plane.any():
            axes.contour(plane, [0.5], colors=colour, linewidths=1.1)


def _surroundings(plane: np.ndarray, image: Volume) -> tuple[slice, slice]:
    """Return columns and rows of a mask's bounding box with a margin; all if it is empty."""
    if not plane.any():
        return slice(None), slice(None)
    margin = np.ceil(MARGIN_MM / image.spacing_mm[:2]).astype(int)
    return tuple(
        slice(max(inside.min() - pad, 0), inside.max() + 1 + pad)
        for inside, pad in zip(np.nonzero(plane), margin, strict=True)
    )

"""One test participant's images with the model's contours; synthetic people only."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from muscle_study.imaging.volumes import Volume, load, open_mapped
from muscle_study.protocol.muscles import STRUCTURES, Label
from muscle_study.protocol.paths import image_file
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    STRUCTURE_COLOURS,
    TWO_COLUMNS,
    house_style,
    tag_synthetic,
)
from muscle_study.statistics.analyses.segmentation.picture import withheld
from muscle_study.statistics.analyses.segmentation.quality import typical_participant
from muscle_study.statistics.study.study import Study

PSOAS = (Label.PSOAS_LEFT, Label.PSOAS_RIGHT)
GLUTEUS = (Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT)


def example(study: Study) -> Result:
    """Return two axial slices and a coronal one in water and fat contrast.

    Withheld in a run on real people, as it shows an individual.
    """
    if not study.synthetic:
        return withheld(
            "example",
            "A segmentation example is withheld in runs on real people: no individual picture "
            "leaves the data folder. Examples for quality control are kept there.",
        )
    participant_id = typical_participant(study)
    folder = study.paths.curated / "images" / participant_id
    labels = load(study.paths.segmentations / f"{participant_id}.nii.gz")
    reference = load(study.paths.curated / "labels" / f"{participant_id}.nii.gz")
    rows = [
        ("water, segmented", open_mapped(image_file(folder, "water")), labels),
        ("fat, reference", open_mapped(image_file(folder, "fat")), reference),
    ]
    caption = (
        f"Segmentation by {study.segmenter} of a test participant whose Dice is nearest to the "
        "test participants' median: axial slices where the psoas and the gluteus muscles are "
        "largest, and the coronal slice that shows most of both. Top: water image with its "
        "contours; bottom: fat image with those of the reference labels. "
        "The participant's right is on the left, as radiologists look." + study.origin
    )
    picture = Picture(_picture(rows, _views(labels), study.synthetic), caption)
    return Result("example", figure=picture)


def _picture(
    rows: list[tuple[str, Volume, Volume]], views: list[tuple[int, int, str]], synthetic: bool
) -> Figure:
    """Draw a row for each title, image and labels, with a column for each view."""
    with house_style():
        widths = _widths(rows[0][2], views)
        figure, panels = plt.subplots(
            2,
            3,
            layout="constrained",
            figsize=(TWO_COLUMNS, 0.75 + 2 * (TWO_COLUMNS - 0.35) / sum(widths)),
            gridspec_kw={"width_ratios": widths},
        )
        for axes, (_, _, title) in zip(panels[0], views, strict=True):
            axes.set_title(title)
        for row, (title, image, drawn) in zip(panels, rows, strict=True):
            for axes, (axis, index, _) in zip(row, views, strict=True):
                _draw(axes, image, drawn, axis, index)
            look = {"rotation": 90, "ha": "right", "va": "center"}
            row[0].text(-0.04, 0.5, title, transform=row[0].transAxes, **look)
        names = [label.name.lower() for label in STRUCTURES]
        lines = [
            Line2D([], [], color=STRUCTURE_COLOURS[name], lw=2, label=name.replace("_", ", "))
            for name in names
        ]
        figure.legend(handles=lines, loc="outside lower center", ncols=4)
        tag_synthetic(figure, synthetic)
    return figure


def _views(labels: Volume) -> list[tuple[int, int, str]]:
    """Return axis, index and title of the slices to show, in RAS."""
    psoas, gluteus = (np.isin(labels.data, muscle) for muscle in (PSOAS, GLUTEUS))
    return [
        (2, int(_areas(psoas, 2).argmax()), "Axial, psoas"),
        (2, int(_areas(gluteus, 2).argmax()), "Axial, gluteus"),
        (1, int((_areas(psoas, 1) + _areas(gluteus, 1)).argmax()), "Coronal"),
    ]


def _areas(mask: np.ndarray, axis: int) -> np.ndarray:
    """Return the mask's area in each slice, relative to the largest."""
    areas = mask.sum(axis=tuple(i for i in range(3) if i != axis))
    return areas / max(areas.max(), 1)


def _plane(data: np.ndarray, axis: int, index: int) -> np.ndarray:
    """Return a slice of RAS voxels as rows from top and columns from the participant's right."""
    return np.take(data, index, axis=axis).T[::-1, ::-1]


def _widths(labels: Volume, views: list[tuple[int, int, str]]) -> list[float]:
    """Return width / height of each view, so that all are drawn equally high."""
    size = np.array(labels.data.shape) * labels.spacing_mm
    return [size[0] / size[2 if axis == 1 else 1] for axis, _, _ in views]


def _draw(axes: Axes, image: Volume, labels: Volume, axis: int, index: int) -> None:
    spacing = image.spacing_mm
    rows = 2 if axis == 1 else 1
    picture = _plane(image.data, axis, index)
    names = _plane(labels.data, axis, index)
    height, width = picture.shape
    extent = (0, width * spacing[0], height * spacing[rows], 0)
    axes.imshow(
        picture,
        cmap="gray",
        extent=extent,
        interpolation="nearest",
        vmin=0,
        vmax=np.percentile(image.data, 99.5),
    )
    x = (np.arange(width) + 0.5) * spacing[0]
    y = (np.arange(height) + 0.5) * spacing[rows]
    for label in STRUCTURES:
        mask = (names == label).astype(float)
        if mask.any():
            axes.contour(
                x, y, mask, [0.5], colors=STRUCTURE_COLOURS[label.name.lower()], linewidths=0.9
            )
    axes.set_axis_off()

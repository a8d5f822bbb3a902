"""Surface rendering of a test participant's segmented muscles; synthetic people only."""

from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from scipy import ndimage

from muscle_study.imaging.volumes import Volume, load, open_mapped
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import image_file
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    GREY,
    STRUCTURE_COLOURS,
    TWO_COLUMNS,
    house_style,
    tag_synthetic,
)
from muscle_study.statistics.analyses.segmentation.picture import withheld
from muscle_study.statistics.analyses.segmentation.quality import typical_participant
from muscle_study.statistics.study.study import Study

#: Views of the participant, with the turn about the long axis (degrees).
VIEWS = {"From the front": 0, "From the right": 90, "From behind, at an angle": 205}

#: Edge of the cubes of the rendering grid, and SD of the smoothing that hides their steps (mm).
CUBE_MM, SMOOTHING_MM = 2.0, 4.0

#: Direction of the light: from the viewer's left, above, behind the viewer.
LIGHT = np.array([-0.35, 0.45, 0.82])

#: Share of a surface's colour without direct light; darkness of glass seen edge-on.
AMBIENT, GLASS = 0.45, 0.5

#: Length of the scale bar.
BAR_MM = 100

#: A voxel brighter than this share of the brightest tissue belongs to the body, not to air.
TISSUE = 0.12


def rendering(study: Study) -> Result:
    """Return the muscles from three sides, within the outline of the body.

    Withheld in a run on real people, as it shows an individual.
    """
    if not study.synthetic:
        return withheld(
            "rendering",
            "A rendering of segmented muscles is withheld in runs on real people: no individual "
            "picture leaves the data folder. `notebooks/exploration.ipynb` shows anyone's.",
        )
    participant_id = typical_participant(study)
    labels = load(study.paths.segmentations / f"{participant_id}.nii.gz")
    muscles = [_cubes(labels.data == label, labels) for label in STRUCTURES]
    skin = _cubes(_body(study.paths.curated / "images" / participant_id), labels)
    caption = (
        f"Muscles segmented by {study.segmenter} in the same test participant as solid bodies, in "
        "the outline of the skin, which ends at the border of the field of view. "
        f"Surfaces are smoothed. Bar: {BAR_MM / 10:.0f} cm." + study.origin
    )
    return Result("rendering", figure=Picture(_draw(muscles, skin, study.synthetic), caption))


def _draw(muscles: list[np.ndarray], skin: np.ndarray, synthetic: bool) -> Figure:
    colours = [to_rgb(STRUCTURE_COLOURS[label.name.lower()]) for label in STRUCTURES]
    pictures = {title: _seen(muscles, colours, skin, turn) for title, turn in VIEWS.items()}
    widths = [picture.shape[1] for picture in pictures.values()]
    height = next(iter(pictures.values())).shape[0]
    with house_style():
        figure, panels = plt.subplots(
            1,
            len(pictures),
            layout="constrained",
            figsize=(TWO_COLUMNS, 0.7 + TWO_COLUMNS * height / sum(widths)),
            gridspec_kw={"width_ratios": widths},
        )
        for axes, (title, picture) in zip(panels, pictures.items(), strict=True):
            axes.imshow(picture, interpolation="bicubic")
            axes.set_title(title)
            axes.set_axis_off()
        _scale_bar(panels[0], height)
        patches = [
            Patch(color=colour, label=label.name.lower().replace("_", ", "))
            for label, colour in zip(STRUCTURES, colours, strict=True)
        ]
        figure.legend(handles=patches, loc="outside lower center", ncols=len(STRUCTURES))
        tag_synthetic(figure, synthetic)
    return figure


def _scale_bar(axes: Axes, height: int) -> None:
    axes.plot([2, 2 + BAR_MM / CUBE_MM], [height - 3] * 2, color=GREY, lw=1.5)


def _body(folder: Path) -> np.ndarray:
    """Return the largest body in water and fat, with its holes filled."""
    water, fat = (open_mapped(image_file(folder, name)).data for name in ("water", "fat"))
    signal = water.astype(np.float32) + fat
    tissue = ndimage.gaussian_filter(signal, 1) > TISSUE * np.percentile(signal, 99)
    parts, n = ndimage.label(tissue)
    largest = parts == 1 + np.argmax(np.bincount(parts.ravel(), minlength=n + 1)[1:])
    return np.stack([ndimage.binary_fill_holes(plane) for plane in largest.T]).T


def _cubes(mask: np.ndarray, grid: Volume) -> np.ndarray:
    """Return a mask resampled to cubes of `CUBE_MM`, as smoothed shares."""
    fine = ndimage.zoom(mask.astype(np.float32), grid.spacing_mm / CUBE_MM, order=1)
    return ndimage.gaussian_filter(fine, SMOOTHING_MM / CUBE_MM)


def _seen(
    muscles: list[np.ndarray], colours: list[tuple], skin: np.ndarray, turn: float
) -> np.ndarray:
    """Return the view from far away as RGB, the top row first.

    Each ray ends at the first muscle, whose surface is shaded by its angle to the light. Skin is
    glass, darker where seen edge-on.
    """
    depths = np.stack([depth(_turned(muscle, turn)) for muscle in muscles])
    first = np.nan_to_num(depths, nan=np.inf).argmin(axis=0)
    hit = ~np.isnan(depths).all(axis=0)
    surface = np.take_along_axis(depths, first[None], axis=0)[0]
    shade = AMBIENT + (1 - AMBIENT) * np.clip(normals(surface) @ LIGHT, 0, None)
    picture = np.ones((*hit.shape, 3))
    picture[hit] = np.array(colours)[first[hit]] * shade[hit][:, None]
    outline = depth(_turned(skin, turn))
    edge_on = np.where(np.isnan(outline), 0, 1 - normals(outline)[..., 2])
    return picture * (1 - GLASS * edge_on**2)[..., None]


def _turned(cubes: np.ndarray, turn: float) -> np.ndarray:
    """Turn a RAS grid about the long axis; the viewer stands at its front."""
    return ndimage.rotate(cubes, turn, axes=(0, 1), order=1) if turn else cubes


def depth(cubes: np.ndarray) -> np.ndarray:
    """Return the depth of the surface (share 0.5) from the front, in cubes; NaN for no surface.

    Rows run from the top, columns from the viewer's left: the participant's right, when both face
    each other.
    """
    from_front = cubes[::-1, ::-1]
    inside = from_front >= 0.5
    first = inside.argmax(axis=1)
    met = inside.any(axis=1)
    behind, before = (
        np.take_along_axis(from_front, np.clip(at, 0, None)[:, None], axis=1)[:, 0]
        for at in (first, first - 1)
    )
    step = np.divide(
        behind - 0.5, behind - before, where=behind > before, out=np.zeros_like(behind)
    )
    return np.where(met, first - step, np.nan).T[::-1]


def normals(surface: np.ndarray) -> np.ndarray:
    """Return the unit normals of a surface: right of the viewer, upwards, towards the viewer.

    A border without a neighbour has the normal 0 and is drawn dark.
    """
    down, right = np.gradient(surface)
    normal = np.stack([right, -down, np.ones_like(surface)], axis=-1)
    return np.nan_to_num(normal / np.linalg.norm(normal, axis=-1, keepdims=True))

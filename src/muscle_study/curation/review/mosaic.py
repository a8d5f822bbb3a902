"""Picture of a participant: a few planes of every contrast in one small file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from muscle_study.imaging.volumes import Volume, to_ras
from muscle_study.protocol.files import whole_file

#: Ending of the pictures: WebP is half as large as JPEG here.
ENDING = ".webp"
QUALITY = 72

#: Planes of each contrast: name, axis across the plane, position along it (share of the field of
#: view in RAS), height of the tile (pixels).
PLANES = (
    ("coronal", 1, 0.5, 236),
    ("axial, lumbar", 2, 0.62, 168),
    ("axial, hips", 2, 0.25, 168),
)
#: Width of a tile, and the gap between two (pixels).
WIDTH, GAP = 220, 4

#: Centiles of the shown signal that become black and white.
WINDOW = (1.0, 99.5)


def draw(images: Mapping[str, Volume], path: Path) -> None:
    """Write the mosaic of a participant in radiological convention, head or front above.

    Parameters
    ----------
    images
        Images by contrast, possibly on different grids.
    path
        Target file, ending in `ENDING`.
    """
    contrasts = [_tiles(to_ras(image)) for image in images.values()]
    lines = list(zip(*contrasts, strict=True)) if _planes_below(images) else contrasts
    heights = [max(tile.height for tile in line) for line in lines]
    mosaic = Image.new("L", (
        len(lines[0]) * (WIDTH + GAP) - GAP, sum(heights) + GAP * (len(lines) - 1)
    ))  # fmt: skip
    top = 0
    for line, height in zip(lines, heights, strict=True):
        for column, tile in enumerate(line):
            mosaic.paste(tile, (column * (WIDTH + GAP), top + (height - tile.height) // 2))
        top += height + GAP
    with whole_file(path) as beside:
        mosaic.save(beside, quality=QUALITY)


def columns(contrasts: Sequence[str]) -> list[str]:
    """Return the titles of the mosaic's columns."""
    if _planes_below(contrasts):
        return [name.replace("_", " ") for name in contrasts]
    return [name for name, *_ in PLANES]


def _planes_below(contrasts: Sequence[str] | Mapping) -> bool:
    """Whether a column is a contrast; a few contrasts are rows, since pictures are wide."""
    return len(contrasts) >= len(PLANES)


def _tiles(image: Volume) -> list[Image.Image]:
    planes = []
    for _, axis, share, height in PLANES:
        index = min(int(share * image.data.shape[axis]), image.data.shape[axis] - 1)
        # rows run to the head or the front, columns to the right: both are reversed
        plane = image.data.take(index, axis=axis).T[::-1, ::-1].astype(np.float32)
        edges_mm = np.delete(image.spacing_mm * image.data.shape, axis)
        planes.append((plane, edges_mm, height))
    low, high = np.percentile(np.concatenate([plane.ravel() for plane, *_ in planes]), WINDOW)
    scale = 255 / (high - low) if high > low else 0.0
    return [
        _tile(((plane - low) * scale).clip(0, 255).astype(np.uint8), edges_mm, height)
        for plane, edges_mm, height in planes
    ]


def _tile(plane: np.ndarray, edges_mm: np.ndarray, height: int) -> Image.Image:
    """Return a plane in true proportions, centred in a black tile."""
    pixels_a_mm = min(WIDTH / edges_mm[0], height / edges_mm[1])
    size = [max(round(edge * pixels_a_mm), 1) for edge in edges_mm]
    tile = Image.new("L", (WIDTH, height))
    shown = Image.fromarray(plane).resize(size, Image.Resampling.BILINEAR)
    tile.paste(shown, ((WIDTH - size[0]) // 2, (height - size[1]) // 2))
    return tile

"""Tiles: parts of a volume that are processed in turn to bound memory."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import prod
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from muscle_study.networks.parameters import HALO, NetworkParameters


class Tile(NamedTuple):
    """Part of a volume that a network sees, and its inner part whose logits are kept."""

    seen: tuple[slice, ...]
    kept: tuple[slice, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the part that is seen."""
        return tuple(part.stop - part.start for part in self.seen)

    @property
    def kept_of_seen(self) -> tuple[slice, ...]:
        """The kept part in voxels of the tile."""
        return tuple(
            slice(kept.start - seen.start, kept.stop - seen.start)
            for seen, kept in zip(self.seen, self.kept, strict=True)
        )


class Box(NamedTuple):
    """First voxel of a box and the voxel after its last, shape (3,), or (3, n) for n boxes."""

    first: np.ndarray
    last: np.ndarray

    @property
    def slices(self) -> tuple[slice, ...]:
        """The box as slices."""
        return tuple(map(slice, self.first.tolist(), self.last.tolist()))


class Sizes:
    """Sizes of tiles in a volume whose shape is a multiple of the network's coarsening."""

    def __init__(self, shape: tuple[int, ...], parameters: NetworkParameters):
        self.shape = np.array(shape)
        self.patch, self.coarsening = map(np.array, (parameters.patch_size, parameters.coarsening))
        self.most_voxels = max(parameters.tile_voxels, int(self.patch.prod()))

    def of(self, kept: Box) -> np.ndarray:
        """Return the sizes of the tiles for kept boxes, in the shape of the boxes."""
        shape, patch, coarsening = (
            each.reshape(-1, *[1] * (kept.first.ndim - 1))
            for each in (self.shape, self.patch, self.coarsening)
        )
        needed = np.minimum(kept.last + HALO, shape) - np.maximum(kept.first - HALO, 0)
        return np.minimum(np.maximum(-(-needed // coarsening) * coarsening, patch), shape)

    def tile(self, kept: Box) -> Tile:
        """Return the tile centred on a kept box, as far as the volume allows."""
        size = self.of(kept)
        start = np.clip((kept.first + kept.last - size) // 2, 0, self.shape - size)
        return Tile(Box(start, start + size).slices, kept.slices)


def tiling(wanted: np.ndarray, parameters: NetworkParameters) -> list[Tile]:
    """Return tiles that keep each wanted voxel once.

    The bounding box of the wanted voxels is divided by planes, and the bounding boxes of the parts
    again, as long as this reduces the number of voxels seen or memory requires it. A tile is at
    least as large as a training patch, the surroundings that the network was trained with, and sees
    `HALO` voxels beyond the kept ones.

    Parameters
    ----------
    wanted
        Whether the logits of a voxel are wanted, shape (x, y, z), a multiple of the network's
        coarsening; true for at least one voxel.
    parameters
        The network's parameters.
    """
    sizes = Sizes(wanted.shape, parameters)
    (around,) = ndimage.find_objects(wanted.view(np.uint8))
    undivided = [Box(*np.array([(part.start, part.stop) for part in around]).T)]
    tiles = []
    while undivided:
        box = undivided.pop()
        parts = _divided(wanted, box, sizes)
        if parts is None:
            tiles.append(sizes.tile(box))
        else:
            undivided += parts
    return tiles


def batches(tiles: Iterable[Tile], most_voxels: int) -> Iterator[list[Tile]]:
    """Yield batches of tiles of one shape with at most `most_voxels`, or of one tile."""

    def shape(tile: Tile) -> tuple[int, ...]:
        return tile.shape

    for of, alike in groupby(sorted(tiles, key=shape), key=shape):
        ready, together = list(alike), max(most_voxels // prod(of), 1)
        for first in range(0, len(ready), together):
            yield ready[first : first + together]


class _Division(NamedTuple):
    """Two parts of a box and the numbers of voxels of their tiles."""

    parts: list[Box]
    voxels: list[int]


def _divided(wanted: np.ndarray, box: Box, sizes: Sizes) -> list[Box] | None:
    """Return both parts of a box; None if dividing it has no advantage."""
    divisions = list(_divisions(wanted, box, sizes))
    voxels = int(sizes.of(box).prod())
    fewest = min(divisions, key=lambda division: sum(division.voxels), default=None)
    if fewest is not None and sum(fewest.voxels) < voxels:
        return fewest.parts
    if voxels > sizes.most_voxels:
        return min(divisions, key=lambda division: max(division.voxels)).parts
    return None


def _divisions(wanted: np.ndarray, box: Box, sizes: Sizes) -> Iterator[_Division]:
    """Yield the divisions along each axis with the smallest sum and the smallest larger part."""
    for axis, length in enumerate(box.last - box.first):
        if length == 1:
            continue
        first, last = (edge + box.first[:, None] for edge in _planes(wanted[box.slices], axis))
        # cumulative bounding boxes from both ends
        below = Box(np.minimum.accumulate(first, 1)[:, :-1], np.maximum.accumulate(last, 1)[:, :-1])
        first, last = first[:, ::-1], last[:, ::-1]
        above = Box(
            np.minimum.accumulate(first, 1)[:, -2::-1], np.maximum.accumulate(last, 1)[:, -2::-1]
        )
        voxels = np.array([sizes.of(parts).prod(0) for parts in (below, above)])
        for cut in {int(voxels.sum(0).argmin()), int(voxels.max(0).argmin())}:
            parts = [Box(each.first[:, cut], each.last[:, cut]) for each in (below, above)]
            yield _Division(parts, voxels[:, cut].tolist())


def _planes(wanted: np.ndarray, axis: int) -> Box:
    """Return the bounding box of the wanted voxels in each plane across an axis, (3, planes).

    The first voxel of an empty plane lies behind all others, the last before them.
    """
    first, last = [], []
    for other in range(3):
        if other == axis:
            lines = np.diag(wanted.any(axis=tuple({0, 1, 2} - {axis})))
        else:
            lines = wanted.any(axis=3 - axis - other)
            lines = lines if axis < other else lines.T
        any_there, n = lines.any(1), lines.shape[1]
        first.append(np.where(any_there, lines.argmax(1), n))
        last.append(np.where(any_there, n - lines[:, ::-1].argmax(1), 0))
    return Box(np.array(first), np.array(last))

"""Parts of a volume that are seen one by one, where memory does not hold all of it at once."""

from collections.abc import Sequence
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

import numpy as np

from muscle_study.training.parameters import HALO, NetworkParameters


class Tile(NamedTuple):
    """A part of a volume that is seen, and the part of that whose logits are kept."""

    seen: tuple[slice, ...]
    kept: tuple[slice, ...]

    @property
    def voxels(self) -> int:
        """How many are seen."""
        return prod(part.stop - part.start for part in self.seen)

    @property
    def kept_of_seen(self) -> tuple[slice, ...]:
        """What is kept, in voxels of the tile."""
        return tuple(
            slice(kept.start - seen.start, kept.stop - seen.start)
            for seen, kept in zip(self.seen, self.kept, strict=True)
        )


def tiling(wanted: np.ndarray, parameters: NetworkParameters) -> list[Tile]:
    """Return tiles of one size that keep all that is wanted, no voxel twice.

    The size is that with which the fewest voxels are seen, of those which are no smaller than a
    training patch and which memory allows. Small tiles follow the muscles closely, but are seen
    twice where they overlap; large ones hold more that nobody wants.

    Parameters
    ----------
    wanted
        Shape (x, y, z), true where logits are wanted: somewhere, at least.
    parameters
        Of the network.

    Notes
    -----
    Tiles lie evenly. What is kept of one ends in the middle of the overlap with the next, at least
    `HALO` from the tile's edge.
    """
    shape = wanted.shape
    by_axis = [
        _sizes(*axis)
        for axis in zip(shape, parameters.patch_size, parameters.coarsening, strict=True)
    ]
    most = max(parameters.tile_voxels, prod(parameters.patch_size))
    before = np.pad(wanted, [(1, 0)] * 3).astype(np.int32)
    for axis in range(3):
        np.cumsum(before, axis, out=before)
    tilings = [
        _meeting(before, [_cuts(n, size) for n, size in zip(shape, sizes, strict=True)])
        for sizes in product(*by_axis)
        if prod(sizes) <= most
    ]
    return min(tilings, key=lambda tiles: sum(tile.voxels for tile in tiles))


def _sizes(n: int, patch: int, coarsest: int) -> list[int]:
    """Return the sizes along one axis that are worth a try: the least for each number of tiles."""
    least = min(n, patch)
    most_tiles = -(-(n - 2 * HALO) // (least - 2 * HALO)) if least < n else 1
    even = (-(-(n - 2 * HALO) // count) + 2 * HALO for count in range(1, most_tiles))
    return [least, *(-(-size // coarsest) * coarsest for size in even)]


def _meeting(before: np.ndarray, cuts: Sequence[list[tuple[slice, slice]]]) -> list[Tile]:
    """Return the tiles that keep anything wanted.

    Parameters
    ----------
    before
        How many voxels are wanted before each corner, shape (x + 1, y + 1, z + 1).
    cuts
        Along each axis what is seen and what is kept.
    """
    ends = [[0, *(kept.stop for _, kept in along)] for along in cuts]
    count = before[np.ix_(*ends)]
    for axis in range(3):
        count = np.diff(count, axis=axis)
    return [
        Tile(*zip(*(along[i] for along, i in zip(cuts, where, strict=True)), strict=True))
        for where in np.argwhere(count)
    ]


def _cuts(n: int, size: int) -> list[tuple[slice, slice]]:
    """Return the tiles along one axis: what is seen, and what is kept."""
    count = -(-(n - 2 * HALO) // (size - 2 * HALO)) if size < n else 1
    starts = np.linspace(0, n - size, count).round().astype(int).tolist()
    inner = [(first + size + second) // 2 for first, second in pairwise(starts)]
    return [
        (slice(start, start + size), slice(low, high))
        for start, low, high in zip(starts, [0, *inner], [*inner, n], strict=True)
    ]

"""Tiles keep all that is wanted, no voxel twice, and see as little else as they can."""

from math import prod

import numpy as np
import pytest

from muscle_study.training.parameters import HALO
from muscle_study.training.tiles import tiling


def sizes(tiles):
    return {tuple(part.stop - part.start for part in tile.seen) for tile in tiles}


@pytest.mark.parametrize("tile_voxels", [4096, 10_000])
@pytest.mark.parametrize("shape", [(24, 16, 32), (16, 16, 16), (8, 40, 20), (100, 12, 36)])
def test_every_voxel_is_kept_once_and_none_at_an_inner_edge(network, shape, tile_voxels):
    tiles = tiling(np.ones(shape, bool), network.model_copy(update={"tile_voxels": tile_voxels}))
    kept = np.zeros(shape, int)
    for tile in tiles:
        kept[tile.kept] += 1
        for seen, inner, n in zip(tile.seen, tile.kept, shape, strict=True):
            assert seen.start == inner.start == 0 or inner.start - seen.start >= HALO
            assert seen.stop == inner.stop == n or seen.stop - inner.stop >= HALO
    assert (kept == 1).all()
    (size,) = sizes(tiles)
    assert prod(size) <= tile_voxels
    assert all(edge >= min(n, 16) for edge, n in zip(size, shape, strict=True))
    assert all(edge % 4 == 0 for edge in size)


def test_all_of_a_volume_is_seen_in_as_few_tiles_as_memory_allows(network):
    shape = (64, 16, 16)
    one, two = (
        tiling(np.ones(shape, bool), network.model_copy(update={"tile_voxels": most}))
        for most in (64 * 256, 63 * 256)
    )
    assert [sizes(one), len(one)] == [{shape}, 1]
    assert [sizes(two), len(two)] == [{(36, 16, 16)}, 2]


def test_tiles_follow_what_is_wanted(network):
    wanted = np.zeros((64, 64, 64), bool)
    wanted[:10, :10, :10] = wanted[-10:, -10:, -10:] = True
    tiles = tiling(wanted, network)
    assert [sizes(tiles), len(tiles)] == [{(16, 16, 16)}, 2]
    seen = np.zeros_like(wanted)
    for tile in tiles:
        seen[tile.kept] = True
    assert seen[wanted].all()


def test_a_patch_is_seen_where_less_would_be_allowed(network):
    few = network.model_copy(update={"tile_voxels": 100})
    assert sizes(tiling(np.ones((32, 32, 32), bool), few)) == {(16, 16, 16)}

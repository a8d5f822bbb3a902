"""Tiles cover the wanted voxels once, with minimal margins."""

from math import prod

import numpy as np
import pytest

from muscle_study.networks.parameters import HALO
from muscle_study.networks.tiles import Tile, batches, tiling


def times_kept(tiles, shape):
    kept = np.zeros(shape, int)
    for tile in tiles:
        kept[tile.kept] += 1
    return kept


def check_edges(tiles, shape):
    """What is kept lies within the volume and away from the tile's inner edges."""
    for tile in tiles:
        for seen, kept, n in zip(tile.seen, tile.kept, shape, strict=True):
            assert 0 <= seen.start <= kept.start < kept.stop <= seen.stop <= n
            assert seen.start == 0 or kept.start - seen.start >= HALO
            assert seen.stop == n or seen.stop - kept.stop >= HALO


def check_sizes(tiles, shape, most):
    """Tiles fit into the network and into memory, and are no smaller than a patch."""
    for tile in tiles:
        assert prod(tile.shape) <= most
        assert all(edge >= min(n, 16) for edge, n in zip(tile.shape, shape, strict=True))
        assert all(edge % 4 == 0 for edge in tile.shape)


@pytest.mark.parametrize("tile_voxels", [4096, 10_000])
@pytest.mark.parametrize("shape", [(24, 16, 32), (16, 16, 16), (8, 40, 20), (100, 12, 36)])
def test_a_whole_volume_is_kept_once(network, shape, tile_voxels):
    parameters = network.model_copy(update={"tile_voxels": tile_voxels})
    tiles = tiling(np.ones(shape, bool), parameters)
    assert (times_kept(tiles, shape) == 1).all()
    check_edges(tiles, shape)
    check_sizes(tiles, shape, tile_voxels)


@pytest.mark.parametrize("seed", range(20))
def test_all_that_is_wanted_is_kept_once(network, seed):
    rng = np.random.default_rng(seed)
    shape = tuple((4 * rng.integers(3, 20, 3)).tolist())
    wanted = np.zeros(shape, bool)
    for _ in range(rng.integers(1, 6)):
        low = [rng.integers(n) for n in shape]
        wanted[tuple(slice(first, first + rng.integers(1, 25)) for first in low)] = True
    tiles = tiling(wanted, network.model_copy(update={"tile_voxels": 9000}))
    kept = times_kept(tiles, shape)
    assert kept.max() == 1
    assert kept[wanted].all()
    check_edges(tiles, shape)
    check_sizes(tiles, shape, 9000)


def test_a_volume_is_divided_no_more_than_memory_demands(network):
    shape = (64, 16, 16)
    one, two = (
        tiling(np.ones(shape, bool), network.model_copy(update={"tile_voxels": most}))
        for most in (64 * 256, 63 * 256)
    )
    assert [tile.shape for tile in one] == [shape]
    assert [tile.shape for tile in two] == [(36, 16, 16)] * 2


def test_tiles_follow_what_is_wanted(network):
    wanted = np.zeros((64, 64, 64), bool)
    wanted[:10, :10, :10] = wanted[-10:, -10:, 10:30] = True
    tiles = tiling(wanted, network.model_copy(update={"tile_voxels": 64**3}))
    assert sorted(tile.shape for tile in tiles) == [(16, 16, 16), (16, 16, 28)]
    assert times_kept(tiles, wanted.shape)[wanted].all()


def test_a_patch_is_seen_where_memory_would_allow_less(network):
    few = network.model_copy(update={"tile_voxels": 100})
    tiles = tiling(np.ones((32, 32, 32), bool), few)
    assert {tile.shape for tile in tiles} == {(16, 16, 16)}
    assert (times_kept(tiles, (32, 32, 32)) == 1).all()


def test_tiles_of_one_shape_are_seen_together():
    def tile(start, edge):
        return Tile((slice(start, start + edge),) * 3, (slice(start, start + edge),) * 3)

    tiles = [tile(0, 8), tile(0, 4), tile(8, 8), tile(16, 8)]
    in_batches = list(batches(tiles, 2 * 8**3))
    assert in_batches == [[tile(0, 4)], [tile(0, 8), tile(8, 8)], [tile(16, 8)]]
    assert list(batches(tiles, 1)) == [[tile(0, 4)], [tile(0, 8)], [tile(8, 8)], [tile(16, 8)]]

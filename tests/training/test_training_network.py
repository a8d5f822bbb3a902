"""A network runs over volumes of any size, patch by patch where they are large."""

import numpy as np
import pytest
import torch

from muscle_study.labels import Label
from muscle_study.training.network import build_network, run_over, tiling
from muscle_study.training.parameters import HALO


class Levels(torch.nn.Module):
    """Looks at one voxel at a time; remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown.append(tuple(image.shape))
        return torch.cat([image[:, :1] * factor for factor in range(len(Label))], 1)


@pytest.fixture
def image():
    return torch.rand(1, 2, 21, 16, 30, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def parameters(network):
    """Patches of 16 x 16 x 16 and a network whose lowest level is four times coarser."""

    def of(tile_voxels):
        return network.model_copy(update={"tile_voxels": tile_voxels, "batch_size": 3})

    return of


def test_a_volume_is_filled_up_and_cut_back(image, parameters):
    network = Levels()
    logits = run_over(network, image, parameters(1_000_000))
    assert network.shown == [(1, 2, 24, 16, 32)]
    assert logits.shape == (1, len(Label), 21, 16, 30)
    assert torch.equal(logits[:, 1], image[:, 0])


def test_patches_give_the_same_as_the_whole(image, parameters):
    network = Levels()
    logits = run_over(network, image, parameters(5_000))
    # two along x and three along z: six, in batches of three
    assert network.shown == [(3, 2, 16, 16, 16)] * 2
    assert torch.equal(logits[:, 1], image[:, 0])


def test_patches_that_nobody_wants_are_passed_over_and_are_background(image, parameters):
    wanted = np.zeros(image.shape[2:], bool)
    wanted[2, 3, 4] = True
    network = Levels()
    logits = run_over(network, image, parameters(5_000), lambda: wanted)
    assert network.shown == [(1, 2, 16, 16, 16)]
    assert torch.equal(logits[0, 1, :12, :, :12], image[0, 0, :12, :, :12])
    assert (logits[0, :, 14:].argmax(0) == Label.BACKGROUND).all()


@pytest.mark.parametrize("shape", [(24, 16, 32), (16, 16, 16), (8, 40, 17), (100, 9, 33)])
def test_tiles_keep_every_voxel_once_and_none_at_an_inner_edge(shape):
    kept = np.zeros(shape, int)
    for tile in tiling(shape, (16, 16, 16)):
        assert [part.stop - part.start for part in tile.seen] == [min(n, 16) for n in shape]
        kept[tile.kept] += 1
        for seen, inner, n in zip(tile.seen, tile.kept, shape, strict=True):
            assert seen.start == inner.start == 0 or inner.start - seen.start >= HALO
            assert seen.stop == inner.stop == n or seen.stop - inner.stop >= HALO
    assert (kept == 1).all()


def test_strides_by_axis(network):
    by_axis = network.model_copy(update={"strides": [[2, 2, 1], [2, 2, 2]]})
    network = build_network(1, 3, [2, 4, 8], [[2, 2, 1], [2, 2, 2]]).eval()
    with torch.inference_mode():
        logits = run_over(network, torch.rand(1, 1, 12, 9, 7), by_axis)
    assert logits.shape == (1, 3, 12, 9, 7)

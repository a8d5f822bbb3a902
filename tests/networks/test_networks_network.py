"""A network processes volumes of any size, large ones in tiles."""

import numpy as np
import pytest
import torch

from muscle_study.networks.network import BACKGROUND_LOGIT, build_network, layout, run_over
from muscle_study.protocol.muscles import Label


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
        return network.model_copy(update={"tile_voxels": tile_voxels})

    return of


def test_a_volume_is_filled_up_and_cut_back(image, parameters):
    network = Levels()
    logits = run_over(network, image, parameters(1_000_000))
    assert network.shown == [(1, 2, 24, 16, 32)]
    assert logits.shape == (1, len(Label), 21, 16, 30)
    assert torch.equal(logits[:, 1], image[:, 0])


def test_tiles_give_the_same_as_the_whole(image, parameters):
    network = Levels()
    logits = run_over(network, image, parameters(5_000))
    # two along x and four along z
    assert network.shown == [(1, 2, 16, 16, 16)] * 8
    assert torch.equal(logits[:, 1], image[:, 0])


def test_tiles_that_nobody_wants_are_passed_over_and_are_background(image, parameters):
    wanted = np.zeros(image.shape[2:], bool)
    wanted[2, 3, 4] = True
    network = Levels()
    logits = run_over(network, image, parameters(5_000), lambda: wanted)
    assert network.shown == [(1, 2, 16, 16, 16)]
    assert logits[0, 1, 2, 3, 4] == image[0, 0, 2, 3, 4]
    logits[0, 0, 2, 3, 4] = BACKGROUND_LOGIT
    assert (logits[0].argmax(0) == Label.BACKGROUND).all()


def test_tiles_are_seen_together_where_memory_allows(image, parameters):
    wanted = np.zeros(image.shape[2:], bool)
    wanted[0, 0, 0] = wanted[-1, -1, -1] = True
    network = Levels()
    logits = run_over(network, image, parameters(9_000), lambda: wanted)
    assert network.shown == [(2, 2, 16, 16, 16)]
    for corner in (np.s_[0, 0, 0], np.s_[-1, -1, -1]):
        assert logits[(0, 1, *corner)] == image[(0, 0, *corner)]


def test_strides_by_axis(network):
    by_axis = network.model_copy(update={"strides": [[2, 2, 1], [2, 2, 2]]})
    network = build_network(1, 3, [2, 4, 8], [[2, 2, 1], [2, 2, 2]]).eval()
    with torch.inference_mode():
        logits = run_over(network, torch.rand(1, 1, 12, 9, 7), by_axis)
    assert logits.shape == (1, 3, 12, 9, 7)


def test_channels_come_last_on_a_processor_alone():
    assert layout(torch.device("cpu")) == torch.channels_last_3d
    assert layout(torch.device("cuda")) == torch.contiguous_format

"""A network runs over volumes of any size, in tiles where they are large."""

import pytest
import torch

from muscle_study.labels import Label
from muscle_study.training.network import build_network, run_over, tile_size


class Levels(torch.nn.Module):
    """Looks at one voxel at a time; remembers what it was shown."""

    def __init__(self):
        super().__init__()
        self.shown = []

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        self.shown.append(tuple(image.shape[2:]))
        return torch.cat([image[:, :1] * factor for factor in range(len(Label))], 1)


@pytest.fixture
def image():
    return torch.rand(1, 2, 21, 16, 30, generator=torch.Generator().manual_seed(0))


def test_a_volume_is_filled_up_and_cut_back(image):
    network = Levels()
    logits = run_over(network, image, (4, 4, 8), 1_000_000)
    assert network.shown == [(24, 16, 32)]
    assert logits.shape == (1, len(Label), 21, 16, 30)
    assert torch.equal(logits[:, 1], image[:, 0])


def test_tiles_give_the_same_as_the_whole(image):
    network = Levels()
    logits = run_over(network, image, (4, 4, 8), 12 * 16 * 16)
    assert len(network.shown) > 1 and set(network.shown) == {(12, 16, 16)}
    torch.testing.assert_close(logits[:, 1], image[:, 0])


def test_tiles_are_as_large_as_allowed_and_fit_the_levels():
    assert tile_size((64, 64, 64), (8, 8, 8), 64**3) == (64, 64, 64)
    assert tile_size((64, 48, 96), (8, 8, 8), 64 * 48 * 48) == (64, 48, 48)
    assert tile_size((40, 8, 8), (8, 8, 8), 2000) == (24, 8, 8)
    assert tile_size((8, 8, 8), (8, 8, 8), 100) == (8, 8, 8)  # one level cannot be cut


def test_strides_by_axis():
    network = build_network(1, 3, [2, 4, 8], [[2, 2, 1], [2, 2, 2]]).eval()
    with torch.inference_mode():
        logits = run_over(network, torch.rand(1, 1, 12, 9, 7), (4, 4, 2), 10_000)
    assert logits.shape == (1, 3, 12, 9, 7)

"""Label maps land on the participant's grid, where and how they should."""

import numpy as np
import pytest
import torch

from muscle_study.inference.segment import (
    Segmenter,
    body_box,
    keep_largest_components,
    most_probable,
)
from muscle_study.labels import Label
from muscle_study.training.model import ModelCard
from muscle_study.volumes import Volume

AFFINE = np.diag([4.0, 4.0, 5.0, 1.0])


class Threshold(torch.nn.Module):
    """Stands for a perfect network: its input's level is the label."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        levels = torch.arange(len(Label)).view(1, -1, 1, 1, 1) / 4
        return -400 * (image[:, :1] - levels) ** 2


@pytest.fixture
def scan():
    data = np.zeros((24, 28, 20), np.int16)
    for value in range(1, 5):
        data[2 + 5 * (value - 1) : 6 + 5 * (value - 1), 4:20, 3:16] = 100 * value
    return Volume(data, AFFINE)


def segmenter(spacing_mm: list[float], patch_size: list[int]) -> Segmenter:
    card = ModelCard(
        channels=["water"], spacing_mm=spacing_mm, patch_size=patch_size, features=[1, 1],
        normalisation="", synthetic=True, training_participants=1, validation_participants=1,
        data_sha256="", parameters={}, best_epoch=1, validation_dice=1, trainable_parameters=0,
    )  # fmt: skip
    return Segmenter(Threshold(), card, torch.device("cpu"), 0.25)


def test_patches_reproduce_what_the_network_sees(scan):
    labels = segmenter([4, 4, 5], [16, 16, 8])({"water": scan})
    np.testing.assert_array_equal(labels.data, scan.data // 100)
    np.testing.assert_array_equal(labels.affine, scan.affine)
    assert labels.data.dtype == np.uint8


def test_result_is_on_the_own_grid_when_the_network_has_another(scan):
    labels = segmenter([3, 3, 4], [16, 16, 16])({"water": scan})
    assert labels.same_grid(scan)
    # away from the borders, where interpolated levels look like other labels to this network
    for value in range(1, 5):
        middle = 4 + 5 * (value - 1)
        assert (labels.data[middle, 6:18, 5:14] == value).all()
    assert not labels.data[:, 22:, :].any()


def test_body_box_leaves_out_air():
    image = torch.zeros(1, 20, 20, 20)
    image[0, 5:12, 3:18, :] = 0.5
    assert body_box(image) == (slice(5, 12), slice(3, 18), slice(0, 20))


def test_body_box_of_nothing_is_everything():
    assert body_box(torch.zeros(1, 4, 4, 4)) == (slice(None),) * 3


def test_most_probable_on_a_finer_shifted_grid():
    probabilities = np.zeros((len(Label), 4, 4, 4), np.float32)
    probabilities[Label.BACKGROUND, :2] = 1
    probabilities[Label.PSOAS_RIGHT, 2:] = 1
    fine = np.diag([0.5, 0.5, 0.5, 1.0])
    fine[:3, 3] = -0.25
    labels = most_probable(probabilities, np.eye(4), Volume(np.zeros((8, 8, 8), np.uint8), fine))
    # voxel centres at x < 1.5 are nearer to the background half
    assert (labels.data[:4, 1:-1, 1:-1] == Label.BACKGROUND).all()
    assert (labels.data[4:7, 1:-1, 1:-1] == Label.PSOAS_RIGHT).all()


def test_stray_voxels_are_removed_and_counted():
    data = np.zeros((10, 10, 10), np.uint8)
    data[1:5, 1:5, 1:5] = Label.GLUTEUS_LEFT
    data[8, 8, 8] = Label.GLUTEUS_LEFT
    data[8, 1, 1] = Label.PSOAS_LEFT
    cleaned, removed = keep_largest_components(Volume(data, np.eye(4)))
    assert cleaned.data[8, 8, 8] == Label.BACKGROUND
    assert (cleaned.data == Label.GLUTEUS_LEFT).sum() == 64
    assert cleaned.data[8, 1, 1] == Label.PSOAS_LEFT
    assert removed == {
        "removed_psoas_left": 0, "removed_psoas_right": 0,
        "removed_gluteus_left": 1, "removed_gluteus_right": 0,
    }  # fmt: skip

"""A model on disk and in memory, for tests of inference."""

import pytest
import torch

from example_parameters import section
from muscle_study.networks.model import Learned, ModelCard


class Levels(torch.nn.Module):
    """Stands for a perfect segmenter: the level tells the muscle."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return torch.stack([-400 * (image[:, 0] - level) ** 2 for level in (0, 0.5, 1.0)], 1)


class HalvesAndLevels(torch.nn.Module):
    """Stands for a perfect localiser: the half of the image tells the side."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        right = torch.zeros_like(image[:, 0])
        right[:, image.shape[2] // 2 :] = 1
        logits = [-400 * image[:, 0] ** 2]
        for level in (0.5, 1.0):
            of_muscle = -400 * (image[:, 0] - level) ** 2
            logits += [of_muscle - 1000 * right, of_muscle - 1000 * (1 - right)]
        return torch.stack(logits, 1)


@pytest.fixture
def card_of():
    def make(
        spacing_mm=(4.0, 4.0, 5.0), features=(1, 1, 1), channels=("water",), tile_voxels=1_000_000
    ) -> ModelCard:
        network = section(
            "training.segmenter",
            spacing_mm=list(spacing_mm), patch_size=[16, 16, 12], features=list(features),
            strides=[[2, 2, 2], [2, 2, 2]], tile_voxels=tile_voxels,
        )  # fmt: skip
        # at once: its stand-in tells sides by the halves of all that it sees
        localiser = network.model_copy(update={"tile_voxels": 1_000_000})
        training = section(
            "training", channels=list(channels), localiser=localiser, segmenter=network
        )
        learned = {
            name: Learned(
                weights=f"{name}.safetensors", training_participants=1,
                validation_participants=1, best_epoch=1, validation_dice=0.5,
                log_odds_shifts={}, trainable_parameters=1,
            )
            for name in ("localiser", "segmenter_1")
        }  # fmt: skip
        return ModelCard(
            normalisation="", psoas="psoas major", synthetic=True, data_sha256="",
            parameters=training, localiser=learned["localiser"],
            segmenters=[learned["segmenter_1"]],
        )  # fmt: skip

    return make


@pytest.fixture
def perfect():
    return Levels()


@pytest.fixture
def knows_sides():
    return HalvesAndLevels()

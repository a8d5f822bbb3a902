"""Small networks, for tests of training."""

import pytest

from muscle_study.training.parameters import NetworkParameters, TrainingParameters


@pytest.fixture
def network():
    """Return parameters of a network for volumes of 4 mm."""
    return NetworkParameters(
        spacing_mm=[4.0, 4.0, 4.0], patch_size=[16, 16, 16], features=[4, 8, 8],
        strides=[[2, 2, 2], [2, 2, 2]], batch_size=2, patches_per_volume=2, max_epochs=2,
        validate_every=1, patience=None, learning_rate=0.01, tile_voxels=100_000,
    )  # fmt: skip


@pytest.fixture
def parameters(network):
    """Return parameters of a short training on water and fat."""
    localiser = network.model_copy(
        update={"spacing_mm": [8.0, 8.0, 8.0], "patch_size": [12, 12, 12]}
    )
    return TrainingParameters(
        channels=["water", "fat"], localiser=localiser, segmenter=network, learn_from="curated",
        folds=1, start_from=None, pretrained=None, loader_workers=0, weight_decay=0.0,
        augmentation={"flip": 0.5, "noise": 0.5},
        accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", seed=4,
    )  # fmt: skip

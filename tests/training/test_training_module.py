"""Dice on maps that can be counted by hand, and the loss of several levels."""

import pytest
import torch

from muscle_study.training.classes import CLASSES
from muscle_study.training.module import Segmentation, dice
from muscle_study.training.network import HEADS


def classes(*values: int) -> torch.Tensor:
    return torch.tensor(values)


def test_dice_by_hand():
    scores = dice(classes(1, 1, 0, 0), classes(1, 0, 1, 0), 3)
    # one voxel shared, two each
    assert scores[0] == 0.5
    # the other class is in neither map
    assert scores[1:].isnan().all()


def test_exchanged_classes_score_zero():
    assert dice(classes(1, 2), classes(2, 1), 3).tolist() == [0, 0]


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(3)
    image = torch.rand(2, 1, 16, 16, 16, generator=generator)
    return {"image": image, "label": (image > 0.5).long() + (image > 0.8)}


def supervised(network, levels):
    """Return a module whose loss judges so many lower levels."""
    four = {"features": [4, 6, 8, 10], "strides": [[2, 2, 2]] * 3, "deep_supervision": levels}
    torch.manual_seed(0)
    return Segmentation(1, CLASSES["segmenter"], network.model_copy(update=four), 0.0)


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
@pytest.mark.parametrize("levels", [0, 1, 2])
def test_every_level_that_is_judged_learns(network, batch, levels):
    module = supervised(network, levels)
    loss = module.training_step(batch, 0)
    assert loss.isfinite()
    loss.backward()
    gradients = {name: weights.grad for name, weights in module.network.named_parameters()}
    assert all(each.isfinite().all() and each.any() for each in gradients.values())
    heads = [name for name in gradients if name.startswith(HEADS) and name.endswith("weight")]
    assert len(heads) == levels


@pytest.mark.filterwarnings("ignore:You are trying to `self.log")
def test_a_lower_level_counts_half(network, batch):
    module = supervised(network, 2)
    one, two, three = (
        module.loss(logits, batch["label"]) for logits in module.network(batch["image"]).unbind(1)
    )
    expected = (one + two / 2 + three / 4) / 1.75
    torch.testing.assert_close(module.training_step(batch, 0), expected)

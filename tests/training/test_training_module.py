"""Dice of hand-checkable maps, and the loss of several levels."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import DistributedSampler

from muscle_study.networks.classes import CLASSES
from muscle_study.networks.network import HEADS
from muscle_study.training.module import Segmentation, dice


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


def test_scans_that_processes_share_out_count_once(network, monkeypatch):
    scores = torch.tensor([[0.1, 0.4], [0.2, torch.nan], [0.9, 0.5]])
    dealt = [[*DistributedSampler(scores, 2, rank, shuffle=False)] for rank in range(2)]
    assert dealt == [[0, 2], [1, 0]]  # the first once more, so that both have as many
    module, logged = supervised(network, 0), {}
    loader = SimpleNamespace(dataset=scores)
    trainer = SimpleNamespace(world_size=2, val_dataloaders=loader)
    module.trainer = trainer  # which holds it weakly
    monkeypatch.setattr(module, "all_gather", lambda _own: scores[torch.tensor(dealt)])
    monkeypatch.setattr(module, "log", lambda name, value, **_: logged.update({name: float(value)}))
    module.validation_scores = list(scores[dealt[0]])
    module.on_validation_epoch_end()
    assert logged == pytest.approx(
        {"dice_psoas": 0.4, "dice_gluteus": 0.45, "validation_dice": 0.425}
    )

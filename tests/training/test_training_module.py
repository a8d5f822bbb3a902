"""Dice on label maps that can be counted by hand."""

import torch

from muscle_study.labels import Label
from muscle_study.training.module import dice


def labels(*values: int) -> torch.Tensor:
    return torch.tensor(values)


def test_dice_by_hand():
    left = int(Label.PSOAS_LEFT)
    scores = dice(labels(left, left, 0, 0), labels(left, 0, left, 0))
    # one voxel shared, two each
    assert scores[0] == 0.5
    # the other structures are in neither map
    assert scores[1:].isnan().all()


def test_exchanged_sides_score_zero():
    left, right = int(Label.GLUTEUS_LEFT), int(Label.GLUTEUS_RIGHT)
    scores = dice(labels(left, right), labels(right, left))
    assert scores[2:].tolist() == [0, 0]

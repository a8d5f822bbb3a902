"""Dice on maps that can be counted by hand."""

import torch

from muscle_study.training.module import dice


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

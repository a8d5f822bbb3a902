"""Augmentation preserves sides and provides every transform of the parameters."""

from typing import get_args

import pytest
import torch
import torchio as tio

from muscle_study.protocol.muscles import Label
from muscle_study.training.augmentation import TRANSFORMS, augmentation, mirror_sides
from muscle_study.training.parameters import Transform


@pytest.fixture
def subject():
    label = torch.zeros(1, 8, 6, 4, dtype=torch.uint8)
    label[0, 0, 0, 0] = Label.PSOAS_LEFT
    label[0, 7, 1, 0] = Label.PSOAS_RIGHT
    label[0, 1, 2, 3] = Label.GLUTEUS_LEFT
    label[0, 6, 3, 3] = Label.GLUTEUS_RIGHT
    image = label.float() * 10
    return tio.Subject(image=tio.ScalarImage(tensor=image), label=tio.LabelMap(tensor=label))


def test_mirror_exchanges_the_sides(subject):
    mirrored = mirror_sides()(subject)["label"].data
    # what was left at low x is now at high x, and called right
    assert mirrored[0, 7, 0, 0] == Label.PSOAS_RIGHT
    assert mirrored[0, 0, 1, 0] == Label.PSOAS_LEFT
    assert mirrored[0, 6, 2, 3] == Label.GLUTEUS_RIGHT
    assert mirrored[0, 1, 3, 3] == Label.GLUTEUS_LEFT
    assert (mirrored > 0).sum() == 4


def test_mirror_moves_the_image_with_its_label(subject):
    mirrored = mirror_sides()(subject)
    assert mirrored["image"].data[0, 7, 0, 0] == 10 * Label.PSOAS_LEFT


def test_mirror_twice_is_nothing(subject):
    twice = mirror_sides()(mirror_sides()(subject))
    assert torch.equal(twice["label"].data, subject["label"].data)
    assert torch.equal(twice["image"].data, subject["image"].data)


def test_zero_probability_leaves_the_subject_alone(subject):
    unchanged = augmentation({"flip": 0.0, "noise": 0.0})(subject)
    assert torch.equal(unchanged["image"].data, subject["image"].data)


def test_every_transform_of_the_parameters_is_made():
    assert set(TRANSFORMS) == set(get_args(Transform))

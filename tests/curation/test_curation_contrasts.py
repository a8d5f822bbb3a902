"""Contrasts are identified by their sums, independently of names."""

from itertools import permutations

import numpy as np
import pytest

from muscle_study.curation.checks.contrasts import DIXON, disagreement, tell_contrasts
from muscle_study.imaging.volumes import Volume

AFFINE = np.diag([3.0, 3.0, 5.0, 1.0])


@pytest.fixture
def images():
    """Muscle and fat, mixed in each voxel, and air."""
    rng = np.random.default_rng(0)
    fat_share = rng.choice([0.05, 0.3, 0.9], (20, 16, 8))
    water, fat = 200 * (1 - fat_share), 300 * fat_share
    water[:4], fat[:4] = 1, 1
    voxels = {
        "water": water,
        "fat": fat,
        "in_phase": water + fat,
        "opposed_phase": abs(water - fat),
    }
    return {name: Volume(data.astype(np.float32), AFFINE) for name, data in voxels.items()}


def test_contrasts_that_add_up_keep_their_names(images):
    assert disagreement(images) == pytest.approx(0, abs=1e-6)
    assert tell_contrasts(images) == (images, None)


def test_every_mistake_but_a_swap_is_put_right(images):
    for order in permutations(DIXON):
        mistaken = {name: images[under] for name, under in zip(DIXON, order, strict=True)}
        righted, evidence = tell_contrasts(mistaken)
        for name in ("in_phase", "opposed_phase"):
            assert righted[name] is images[name], order
        if evidence is None:  # at most water and fat, left to another check
            assert set(order[:2]) == {"water", "fat"}
        else:
            assert "of the signal, and are by 0.0%" in evidence


def test_a_mistake_is_put_right_with_the_fewest_new_names(images):
    mistaken = {**images, "water": images["in_phase"], "in_phase": images["water"]}
    righted, evidence = tell_contrasts(mistaken)
    assert righted == images
    assert evidence.startswith("water lay under in_phase, in_phase lay under water: ")


def test_contrasts_of_two_scans_disagree_and_stay_as_they_are(images):
    other = Volume(images["in_phase"].data[::-1, ::-1].copy(), AFFINE)
    mixed = {**images, "in_phase": other}
    assert disagreement(mixed) > 0.1
    assert tell_contrasts(mixed) == (mixed, None)


def test_without_all_four_nothing_can_be_told(images):
    del images["fat"]
    assert np.isnan(disagreement(images))
    assert tell_contrasts(images) == (images, None)


def test_empty_images_are_left_to_the_check_that_names_them(images):
    empty = {name: Volume(np.zeros((4, 4, 4), np.int16), AFFINE) for name in images}
    assert tell_contrasts(empty) == (empty, None)

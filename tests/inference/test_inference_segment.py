"""Label maps lie correctly on the participant's grid."""

import numpy as np
import pytest
import torch

from muscle_study.imaging.volumes import Volume
from muscle_study.inference.segment import (
    Segmenter,
    Sides,
    agreement,
    box_around,
    expected_dice,
    keep_largest_parts,
    most_probable,
    near_muscle,
    part_of,
    without_unsure,
)
from muscle_study.networks.model import Model
from muscle_study.protocol.muscles import STRUCTURES, Label

AFFINE = np.diag([4.0, 4.0, 5.0, 1.0])


#: Where each structure of the scan is along x: the sides mirror each other about its middle.
PLACES = {
    Label.PSOAS_LEFT: slice(20, 24),
    Label.PSOAS_RIGHT: slice(36, 40),
    Label.GLUTEUS_LEFT: slice(12, 16),
    Label.GLUTEUS_RIGHT: slice(44, 48),
}


@pytest.fixture
def truth():
    labels = np.zeros((60, 60, 50), np.uint8)
    for label, place in PLACES.items():
        labels[place, 14:30, 13:26] = label
    return Volume(labels, AFFINE)


@pytest.fixture
def scan(truth):
    """Return an image in which psoas is grey and gluteus white."""
    levels = np.array([0, 500, 500, 1000, 1000], np.int16)
    return Volume(levels[truth.data], AFFINE)


@pytest.fixture
def segmenter(card_of, perfect, knows_sides):
    def make(network=perfect, **card) -> Segmenter:
        model = Model(knows_sides, [network], card_of(**card))
        return Segmenter(model, torch.device("cpu"), "32-true")

    return make


def test_a_perfect_network_gives_the_truth(segmenter, scan, truth):
    segmented = segmenter()({"water": scan})
    assert segmented.labels.same_grid(scan) and segmented.labels.data.dtype == np.uint8
    np.testing.assert_array_equal(segmented.labels.data, truth.data)
    assert segmented.predicted_dice == dict.fromkeys(STRUCTURES, 1.0)


def test_result_is_on_the_own_grid_when_the_network_has_another(segmenter, scan, truth):
    labels = segmenter(spacing_mm=(3.0, 3.0, 4.0))({"water": scan}).labels
    assert labels.same_grid(scan)
    # away from the borders, where interpolated levels look like other muscles to this network
    for label, place in PLACES.items():
        inside = slice(place.start + 1, place.stop - 1)
        assert (labels.data[inside, 16:28, 15:24] == label).all()
    assert not labels.data[:, 32:, :].any()


def test_orientation_of_the_scan_does_not_matter(segmenter, scan, truth):
    turned = Volume(scan.data[::-1].transpose(2, 0, 1), AFFINE[:, [2, 0, 1, 3]].copy())
    turned.affine[:3, 1] *= -1
    turned.affine[:3, 3] = [AFFINE[0, 0] * (scan.data.shape[0] - 1), 0, 0]
    labels = segmenter()({"water": turned}).labels
    np.testing.assert_array_equal(labels.data, truth.data[::-1].transpose(2, 0, 1))


def test_without_muscles_nothing_is_found(segmenter, scan):
    air = Volume(np.zeros_like(scan.data), AFFINE)
    segmented = segmenter()({"water": air})
    assert not segmented.labels.data.any()
    assert all(np.isnan(dice) for dice in segmented.predicted_dice.values())


def test_networks_that_disagree_predict_little_however_sure_they_are(segmenter, scan):
    class AllGluteus(torch.nn.Module):
        """Calls all muscle gluteus."""

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            logits = torch.full((1, 3, *image.shape[2:]), -100.0)
            logits[:, 2] = torch.where(image[:, 0] > 0.2, 100.0, -200.0)
            return logits

    predicted = segmenter(AllGluteus())({"water": scan}).predicted_dice
    # gluteus and psoas are of one size: twice the gluteus is called, and promised for sure
    assert predicted[Label.GLUTEUS_LEFT] == pytest.approx((2 / 3 * 1) ** 0.5)
    assert predicted[Label.PSOAS_LEFT] == 0


def test_expected_dice_by_hand():
    located = np.zeros((2, 1, 1), np.uint8)
    located[0], located[1] = Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT
    sides = Sides(Volume(located, np.diag([2.0, 1.0, 1.0, 1.0])))
    gluteus = np.array([0.9, 0.4, 0.8, 1.0]).reshape(4, 1, 1)
    labels = Volume(np.array([3, 0, 4, 4], np.uint8).reshape(4, 1, 1), np.eye(4))
    promised = expected_dice(np.stack([1 - gluteus, 0 * gluteus, gluteus]), labels, sides)
    # voxels at 0 and 1 are nearer to the left one, which lies at 0, than to the right one at 2
    assert promised[Label.GLUTEUS_LEFT] == pytest.approx(2 * 0.9 / (1 + 1.3))
    assert promised[Label.GLUTEUS_RIGHT] == pytest.approx(2 * 1.8 / (2 + 1.8))
    assert np.isnan(promised[Label.PSOAS_LEFT])


def test_patches_give_the_truth_too(segmenter, scan, truth):
    segmented = segmenter(tile_voxels=4096)({"water": scan})
    np.testing.assert_array_equal(segmented.labels.data, truth.data)


def test_near_muscle_is_within_15_mm_of_it():
    located = np.zeros((10, 10, 10), np.uint8)
    located[5, 5, 5] = Label.PSOAS_LEFT
    fine = np.diag([2.5, 5.0, 5.0, 1.0])
    near = near_muscle(Volume(located, np.diag([5.0, 5.0, 5.0, 1.0])), (20, 10, 10), fine)
    assert near[10, 5, 2:9].all() and not near[10, 5, [1, 9]].any()
    assert near[4:17, 5, 5].all() and not near[[2, 18], 5, 5].any()


def test_sides_are_those_where_the_muscle_was_located_nearest():
    muscles = np.zeros((12, 4, 4), np.uint8)
    muscles[1:4], muscles[8:11] = 1, 2
    located = np.zeros((6, 2, 2), np.uint8)
    located[0], located[5] = Label.PSOAS_LEFT, Label.PSOAS_RIGHT
    coarse = Volume(located, np.diag([2.0, 2.0, 2.0, 1.0]))
    labels = Sides(coarse).given_to(Volume(muscles, np.eye(4))).data
    assert (labels[1:4] == Label.PSOAS_LEFT).all()
    # no gluteus was located: its side is that of the psoas
    assert (labels[8:11] == Label.GLUTEUS_RIGHT).all()
    # nor does one that was missed on the right belong to the left
    located[0, 0] = Label.GLUTEUS_LEFT
    labels = Sides(coarse).given_to(Volume(muscles, np.eye(4))).data
    assert (labels[8:11] == Label.GLUTEUS_RIGHT).all()
    located[3:5] = Label.GLUTEUS_LEFT
    located[5, 0] = Label.GLUTEUS_RIGHT
    labels = Sides(coarse).given_to(Volume(muscles, np.eye(4))).data
    assert (labels[8] == Label.GLUTEUS_LEFT).all()
    assert not labels[4:8].any()


def test_a_side_is_known_at_the_border_of_the_coarse_grid():
    located = np.zeros((2, 2, 2), np.uint8)
    located[0] = Label.PSOAS_LEFT
    shifted = np.diag([3.0, 3.0, 3.0, 1.0])
    shifted[:3, 3] = 4.0  # the muscle reaches beyond the coarse grid
    sides = Sides(Volume(located, shifted))
    labels = sides.given_to(Volume(np.ones((9, 9, 9), np.uint8), np.eye(4)))
    assert (labels.data == Label.PSOAS_LEFT).all()


def test_agreement_by_hand():
    left = int(Label.PSOAS_LEFT)
    located, one, two = np.array([[left, left, 0], [left, 0, 0], [left, left, 0]])
    assert agreement(located, [one])[Label.PSOAS_LEFT] == pytest.approx(2 / 3)
    # with the localiser 2/3 and 1, among each other 2/3
    expected = np.sqrt(5 / 6 * 2 / 3)
    assert agreement(located, [one, two])[Label.PSOAS_LEFT] == pytest.approx(expected)
    assert np.isnan(agreement(located, [one, two])[Label.PSOAS_RIGHT])


@pytest.mark.parametrize("segmenters", [1, 5])
def test_what_was_not_located_has_no_agreement_however_many_segmenters_find_it(segmenters):
    located, outlined = np.zeros(3, np.uint8), np.full(3, Label.PSOAS_LEFT, np.uint8)
    assert agreement(located, [outlined] * segmenters)[Label.PSOAS_LEFT] == 0


def test_box_around_a_coarse_mask_on_a_fine_grid():
    mask = np.zeros((10, 10, 10), np.uint8)
    mask[4, 4, 4] = 1
    fine = Volume(np.zeros((40, 40, 40)), np.diag([2.0, 2.0, 2.0, 1.0]))
    # the voxel reaches from 28 to 36 mm, with the margin from 24 to 40: voxels 12 to 20
    box = box_around(Volume(mask, np.diag([8.0, 8.0, 8.0, 1.0])), fine, 4.0)
    assert box == (slice(12, 21),) * 3
    inside = part_of(fine, box)
    assert inside.data.shape == (9, 9, 9) and inside.affine[:3, 3].tolist() == [24, 24, 24]


def test_box_around_nothing():
    empty = Volume(np.zeros((4, 4, 4), np.uint8), np.eye(4))
    assert box_around(empty, empty, 1.0) is None


def test_most_probable_on_a_finer_shifted_grid():
    probabilities = np.zeros((3, 4, 4, 4), np.float32)
    probabilities[0, :2] = 1
    probabilities[2, 2:] = 1
    fine = np.diag([0.5, 0.5, 0.5, 1.0])
    fine[:3, 3] = -0.25
    found = most_probable(probabilities, np.eye(4), Volume(np.zeros((8, 8, 8), np.uint8), fine))
    classes = np.zeros((8, 8, 8), np.uint8)
    classes[found.box] = found.classes.data
    # voxel centres at x < 1.5 are nearer to the background half
    assert (classes[:4, 1:-1, 1:-1] == 0).all()
    assert (classes[4:7, 1:-1, 1:-1] == 2).all()


def test_where_no_muscle_is_probable_none_is_most_probable():
    probabilities = np.zeros((3, 4, 4, 4), np.float32)
    probabilities[0] = 1
    grid = Volume(np.zeros((8, 8, 8), np.uint8), np.eye(4))
    assert most_probable(probabilities, np.eye(4), grid) is None


def test_stray_voxels_are_removed_and_counted():
    data = np.zeros((10, 10, 10), np.uint8)
    data[1:5, 1:5, 1:5] = Label.GLUTEUS_LEFT
    data[8, 8, 8] = Label.GLUTEUS_LEFT
    data[8, 1, 1] = Label.PSOAS_LEFT
    cleaned, removed = keep_largest_parts(Volume(data, np.eye(4)))
    assert cleaned.data[8, 8, 8] == Label.BACKGROUND
    assert (cleaned.data == Label.GLUTEUS_LEFT).sum() == 64
    assert cleaned.data[8, 1, 1] == Label.PSOAS_LEFT
    assert removed == {**dict.fromkeys(STRUCTURES, 0), Label.GLUTEUS_LEFT: 1}


def test_what_the_localiser_connects_is_one_part():
    data = np.zeros((16, 8, 24), np.uint8)
    data[2:5, 2:5, 2:14] = Label.PSOAS_LEFT
    data[2:5, 2:5, 17:22] = Label.PSOAS_LEFT  # beyond an implant
    data[12, 6, 20] = Label.PSOAS_LEFT  # far away
    located = np.zeros((8, 4, 12), np.uint8)
    located[1:3, 1:3, 1:11] = Label.PSOAS_LEFT
    coarse = np.diag([2.0, 2.0, 2.0, 1.0])
    coarse[:3, 3] = 0.5
    labels = Volume(data, np.eye(4))
    cleaned, removed = keep_largest_parts(labels, Volume(located, coarse))
    assert (cleaned.data > 0).sum() == 9 * (12 + 5)
    assert removed[Label.PSOAS_LEFT] == 1
    # the other side's map connects nothing
    other_side = Volume(located * np.uint8(Label.PSOAS_RIGHT), coarse)
    assert keep_largest_parts(labels, other_side)[1][Label.PSOAS_LEFT] == 9 * 5 + 1
    assert keep_largest_parts(labels)[1][Label.PSOAS_LEFT] == 9 * 5 + 1


def test_a_structure_that_nothing_agrees_on_is_left_out():
    labels = Volume(np.arange(5, dtype=np.uint8).reshape(5, 1, 1), np.eye(4))
    predicted = dict(zip(STRUCTURES, (0.9, 0.49, 0.5, float("nan")), strict=True))
    kept = without_unsure(labels, predicted, 0.5).data
    # nothing is predicted of what is not there
    assert kept.ravel().tolist() == [0, 1, 0, 3, 4]

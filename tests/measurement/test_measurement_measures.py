import numpy as np
import pytest

from muscle_study.imaging.volumes import Volume, to_ras
from muscle_study.measurement.measures import measure, swapped
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.protocol.muscles import MIRRORED, Label
from muscle_study.protocol.outcomes import COLUMNS, MEASURES, asymmetry_percent

VOXEL_ML = 0.03
PIXEL_CM2 = 0.06


def measured(volume: Volume, **images) -> dict:
    return measure(LabelledVoxels(volume), **images)[0]


def mirrored(volume: Volume) -> Volume:
    """Exchange the labels of left and right and leave the voxels where they are."""
    table = np.array([MIRRORED.get(label, label) for label in Label], np.uint8)
    return Volume(table[volume.data], volume.affine)


def test_the_columns_are_those_of_the_table(four_boxes):
    assert tuple(measured(four_boxes)) == COLUMNS
    assert len(MEASURES) == 15


def test_four_boxes_by_hand(four_boxes):
    values = measured(four_boxes, height_cm=200.0)
    assert values["psoas_csa_left_cm2"] == pytest.approx(6 * PIXEL_CM2)
    assert values["psoas_csa_right_cm2"] == pytest.approx(6 * PIXEL_CM2)
    assert values["psoas_csa_total_cm2"] == pytest.approx(12 * PIXEL_CM2)
    assert values["psoas_csa_left_z_mm"] == 120
    assert values["psoas_csa_right_z_mm"] == 110
    assert values["psoas_volume_total_ml"] == pytest.approx(42 * VOXEL_ML)
    assert values["gluteus_volume_left_ml"] == pytest.approx(18 * VOXEL_ML)
    assert values["gluteus_volume_right_ml"] == pytest.approx(24 * VOXEL_ML)
    assert values["gluteus_volume_asymmetry_percent"] == pytest.approx(100 * 6 / 21)
    assert values["psoas_csa_asymmetry_percent"] == pytest.approx(0)
    assert values["psoas_csa_index_cm2_m2"] == pytest.approx(12 * PIXEL_CM2 / 4)
    assert values["psoas_volume_index_ml_m2"] == pytest.approx(42 * VOXEL_ML / 4)
    assert values["gluteus_volume_index_ml_m2"] == pytest.approx(42 * VOXEL_ML / 4)
    assert values["psoas_at_border"] is False
    assert values["gluteus_at_border"] is True


@pytest.fixture
def dixon():
    """Return labels, water and fat of two psoas of 5x5x4 voxels; their rims are half fat."""
    labels = np.zeros((14, 7, 4), np.uint8)
    labels[1:6, 1:6], labels[8:13, 1:6] = Label.PSOAS_LEFT, Label.PSOAS_RIGHT
    water, fat = np.full(labels.shape, 500, np.int16), np.full(labels.shape, 500, np.int16)
    for start in (2, 9):
        water[start : start + 3, 2:5], fat[start : start + 3, 2:5] = 900, 100
    return [Volume(data, np.diag([2.0, 2, 5, 1])) for data in (labels, water, fat)]


def fat_fractions(labels: Volume, water: Volume, fat: Volume) -> dict:
    values = measured(labels, water=water, fat=fat)
    return {side: values[f"psoas_fat_fraction_{side}"] for side in ("left", "right", "total")}


def test_fat_around_a_muscle_is_not_counted_in_it(dixon):
    assert fat_fractions(*dixon) == pytest.approx({"left": 0.1, "right": 0.1, "total": 0.1})


def test_fat_fraction_is_the_ratio_of_sums(dixon):
    _, water, fat = dixon
    # one of the left psoas's four slices is dark and fat
    water.data[2:5, 2:5, 3], fat.data[2:5, 2:5, 3] = 10, 90
    left = np.array([27 * 900 + 9 * 10, 27 * 100 + 9 * 90])
    right = np.array([36 * 900, 36 * 100])
    expected = {
        side: signal[1] / signal.sum()
        for side, signal in (("left", left), ("right", right), ("total", left + right))
    }
    assert fat_fractions(*dixon) == pytest.approx(expected)


def test_what_is_not_known_is_nan(four_boxes):
    values = measured(four_boxes)
    unknown = {name for name, value in values.items() if np.isnan(value)}
    assert unknown == {name for name in values if "fat_fraction" in name or "index" in name}


def test_an_absent_muscle_measures_zero_at_no_level(four_boxes):
    four_boxes.data[np.isin(four_boxes.data, [Label.PSOAS_LEFT, Label.PSOAS_RIGHT])] = 0
    dark = Volume(np.zeros(four_boxes.data.shape, np.int16), four_boxes.affine)
    values = measured(four_boxes, water=dark, fat=dark)
    assert values["psoas_csa_total_cm2"] == values["psoas_volume_total_ml"] == 0
    for name in ("csa_left_z_mm", "csa_asymmetry_percent", "fat_fraction_total"):
        assert np.isnan(values[f"psoas_{name}"])


@pytest.mark.parametrize(
    ("left", "right", "percent"), [(10, 10, 0), (9, 11, 20), (11, 9, -20), (0, 5, 200)]
)
def test_asymmetry_is_positive_where_the_right_is_larger(left, right, percent):
    assert asymmetry_percent(left, right) == pytest.approx(percent)


def test_sides_are_checked_against_their_place(four_boxes):
    assert swapped(LabelledVoxels(four_boxes)) == []
    assert swapped(LabelledVoxels(mirrored(four_boxes))) == ["psoas", "gluteus"]


@pytest.mark.parametrize("axes", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("reverse", [(1, 1, 1), (-1, 1, 1), (-1, -1, 1), (1, -1, -1)])
def test_measures_do_not_know_how_the_axes_were_stored(four_boxes, axes, reverse):
    data = four_boxes.data.transpose(axes)
    stored = np.eye(4)
    stored[:3, :3] = np.eye(3)[:, list(axes)] * reverse
    stored[:3, 3] = [
        0 if reverse[list(axes).index(axis)] > 0 else n - 1
        for axis, n in enumerate(four_boxes.data.shape)
    ]
    flipped = Volume(
        data[tuple(slice(None, None, step) for step in reverse)], four_boxes.affine @ stored
    )
    expected = measured(four_boxes, height_cm=170.0)
    assert measured(flipped, height_cm=170.0) == pytest.approx(expected, nan_ok=True)
    assert measured(to_ras(flipped), height_cm=170.0) == pytest.approx(expected, nan_ok=True)
    assert swapped(LabelledVoxels(flipped)) == []

"""Only measures of a muscle cut by the field of view are withheld."""

import numpy as np
import pytest

from muscle_study.imaging.volumes import Volume
from muscle_study.measurement.coverage import CUT, CUT_AT_SIDE, WIDEST_AT_END, withheld, without
from muscle_study.measurement.measures import measure
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.protocol.muscles import Label


def muscles(psoas_left=((4, 4), (6, 6)), psoas_right=((4, 4), (6, 6)), gluteus=(1, 5)):
    """Return a label map of 12 slices; each psoas as (slice, width) pairs, filled in between."""
    data = np.zeros((40, 12, 12), np.uint8)
    for label, x, rows in (
        (Label.PSOAS_LEFT, 2, psoas_left),
        (Label.PSOAS_RIGHT, 22, psoas_right),
    ):
        for z, width in rows:
            data[x : x + width, 2:8, z] = label
    for label, x in ((Label.GLUTEUS_LEFT, 12), (Label.GLUTEUS_RIGHT, 32)):
        data[x : x + 6, 2:8, gluteus[0] : gluteus[1]] = label
    return LabelledVoxels(Volume(data, np.diag([3.0, 3, 5, 1])))


def named(voxels):
    measures, profile = measure(voxels, height_cm=180.0)
    return withheld(measures, voxels, profile), measures


def test_nothing_is_withheld_of_muscles_that_are_whole():
    assert named(muscles())[0] == {}


def test_a_cut_gluteus_has_no_volume():
    found, measures = named(muscles(gluteus=(0, 5)))
    assert found == {"gluteus_volume_left_ml": CUT, "gluteus_volume_right_ml": CUT}
    kept = without(measures, found, 180.0)
    for name in (*found, "gluteus_volume_total_ml", "gluteus_volume_index_ml_m2",
                 "gluteus_volume_asymmetry_percent"):  # fmt: skip
        assert np.isnan(kept[name]), name
    assert kept["psoas_volume_total_ml"] == pytest.approx(measures["psoas_volume_total_ml"])


def test_a_psoas_cut_above_its_widest_part_keeps_its_section():
    cut = [(4, 4), (6, 8), (9, 5), (10, 4), (11, 3)]
    found, measures = named(muscles(psoas_left=cut))
    assert found == {"psoas_volume_left_ml": CUT}
    kept = without(measures, found, 180.0)
    assert np.isnan(kept["psoas_volume_total_ml"])
    assert kept["psoas_volume_right_ml"] == measures["psoas_volume_right_ml"]
    assert kept["psoas_csa_total_cm2"] == pytest.approx(measures["psoas_csa_total_cm2"])


def test_a_psoas_cut_where_it_is_widest_keeps_nothing():
    found, measures = named(muscles(psoas_right=[(9, 4), (10, 6), (11, 8)]))
    assert found == {
        "psoas_volume_right_ml": CUT,
        "psoas_csa_right_cm2": WIDEST_AT_END,
    }
    assert np.isnan(without(measures, found, 180.0)["psoas_csa_total_cm2"])


def test_a_field_of_view_too_narrow_leaves_neither_volume_nor_section():
    whole = muscles().grid
    narrow = Volume(np.ascontiguousarray(whole.data[4:]), whole.affine)  # through the left psoas
    found, _ = named(LabelledVoxels(narrow))
    assert found == {"psoas_volume_left_ml": CUT, "psoas_csa_left_cm2": CUT_AT_SIDE}

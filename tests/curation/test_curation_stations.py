"""Joined stations equal one scan of the whole."""

import numpy as np
import pytest

from muscle_study.curation.stations import compose
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded

AFFINE = np.array([[-2.0, 0, 0, 30], [0, -2, 0, 25], [0, 0, 3, -60], [0, 0, 0, 1]])
WHOLE = np.random.default_rng(0).integers(200, 800, (12, 10, 40)).astype(np.int16)


def slab(first, last, gain=1.0, off_slices=0.0, data=WHOLE):
    affine = AFFINE.copy()
    affine[2, 3] += 3 * (first + off_slices)
    return Volume((data[:, :, first:last] * gain).round().astype(np.int16), affine)


def ras(data):
    return data[::-1, ::-1]


def test_one_slab_is_the_volume():
    only = slab(0, 40)
    assert compose({"water": [only]}) == {"water": only}


def test_overlapping_slabs_are_the_whole_whatever_their_order():
    whole = compose({"water": [slab(24, 40), slab(0, 14), slab(10, 28)]})["water"]
    np.testing.assert_array_equal(whole.data, ras(WHOLE))
    assert whole.orientation == "RAS"
    assert whole.affine[2, 3] == -60
    assert whole.data.dtype == np.int16


def test_brightness_is_matched_by_the_overlap_of_the_in_phase_image():
    gains = (1.3, 1.0, 0.8)
    parts = [(0, 14), (10, 28), (24, 40)]
    fat = WHOLE[::-1].copy()
    slabs = {
        name: [slab(*part, gain, data=data) for part, gain in zip(parts, gains, strict=True)]
        for name, data in (("fat", fat), ("in_phase", WHOLE))
    }
    whole = compose(slabs)
    # rounded twice, at values from 160 on
    mean_gain = np.prod(gains) ** (1 / 3)
    for name, data in (("fat", fat), ("in_phase", WHOLE)):
        np.testing.assert_allclose(whole[name].data, ras(data) * mean_gain, rtol=0.005)


def test_slabs_off_the_lattice_are_interpolated_onto_it():
    ramp = np.broadcast_to(np.arange(40) * 20.0 + 100, (12, 10, 40))
    upper = Volume((ramp[:, :, 10:30] + 8).astype(np.float32), slab(10, 30, off_slices=0.4).affine)
    whole = compose({"water": [slab(0, 14, data=ramp), upper]})["water"]
    inner = whole.data[5, 5]
    np.testing.assert_allclose(inner, ramp[0, 0, : len(inner)], rtol=0.005)
    assert len(inner) == 30


def test_a_gap_is_told_with_its_place():
    with pytest.raises(Excluded, match=r"station_gap: no station from z -18 to -6 mm"):
        compose({"water": [slab(0, 14), slab(18, 40)]})


def test_slabs_that_touch_make_no_gap():
    whole = compose({"water": [slab(0, 20), slab(20, 40)]})["water"]
    np.testing.assert_array_equal(whole.data, ras(WHOLE))


def test_contrasts_of_a_station_on_different_grids_are_told():
    slabs = {"water": [slab(0, 14), slab(10, 40)], "fat": [slab(0, 14), slab(11, 40)]}
    with pytest.raises(Excluded, match="grid_mismatch: station 2 from the feet: fat and water"):
        compose(slabs)


def test_stations_of_other_grids_are_told():
    other = Volume(WHOLE[:10, :, 10:40], slab(10, 40).affine)
    with pytest.raises(Excluded, match="grid_mismatch: station 2 from the feet has another grid"):
        compose({"water": [slab(0, 14), other]})

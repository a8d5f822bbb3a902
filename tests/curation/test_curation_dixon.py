"""Water–fat swaps are found, without false findings."""

import numpy as np
import pytest

from muscle_study.curation.checks.dixon import body_rim, correct_swap, fat_shares
from muscle_study.curation.corrections import correct_slabs
from muscle_study.curation.stations import compose
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.findings import Correction

#: RAS, 5 x 5 x 10 mm, heights 0 to 180 mm.
AFFINE = np.diag([5.0, 5.0, 10.0, 1.0])


@pytest.fixture
def trunk():
    """A box of water, 150 mm wide, in a coat of fat 20 mm thick, with air around it."""
    water, fat = np.zeros((2, 50, 40, 18), np.int16)
    fat[6:44, 6:34] = 300
    water[10:40, 10:30] = 250
    fat[10:40, 10:30] = 20
    return water, fat


def swap(pair, region):
    water, fat = (array.copy() for array in pair)
    water[region], fat[region] = fat[region].copy(), water[region].copy()
    return Volume(water, AFFINE), Volume(fat, AFFINE)


def test_a_right_pair_passes(trunk):
    water, fat = (Volume(array, AFFINE) for array in trunk)
    images, evidence = correct_swap({"water": water, "fat": fat}, "whole")
    assert (images, evidence) == ({"water": water, "fat": fat}, None)
    assert min(fat_shares(water, fat).values()) > 0.9


@pytest.mark.parametrize(
    ("region", "named"),
    [
        (np.s_[:25], ["left, z 0 to 60 mm", "left, z 120 to 180 mm"]),
        (np.s_[:, :, 6:12], ["left, z 60 to 120 mm", "right, z 60 to 120 mm"]),
    ],
    ids=["side", "station"],
)
def test_swaps_are_named_where_they_are(trunk, region, named):
    with pytest.raises(Excluded, match="water_fat_swap") as excluded:
        correct_swap(dict(zip(("water", "fat"), swap(trunk, region), strict=True)), "whole")
    for part in named:
        assert part in excluded.value.detail
    if region == np.s_[:25]:
        assert "right" not in excluded.value.detail


def test_a_swap_of_the_whole_is_put_right_with_its_evidence(trunk):
    water, fat = swap(trunk, np.s_[:])
    images, evidence = correct_swap({"water": water, "fat": fat, "in_phase": water}, "station 2")
    assert images == {"water": fat, "fat": water, "in_phase": water}
    assert evidence.startswith("station 2: fat's share of the signal under the skin was 0.0")
    assert evidence.endswith("in all 6 parts")


def test_empty_slices_are_left_out(trunk):
    for array in trunk:
        array[:, :, :12] = 0
    water, fat = (Volume(array, AFFINE) for array in trunk)
    assert list(fat_shares(water, fat)) == ["left, z 120 to 180 mm", "right, z 120 to 180 mm"]


def test_rim_is_ten_millimetres_deep_and_ignores_holes():
    body = np.zeros((20, 20, 1), bool)
    body[5:15, 5:15] = True
    body[9:11, 9:11] = False
    rim = body_rim(body, np.array([5.0, 5.0, 10.0]))
    expected = np.zeros_like(body)
    expected[5:15, 5:15] = True
    expected[7:13, 7:13] = False
    np.testing.assert_array_equal(rim, expected)


def station(trunk, first, last, is_swapped):
    """Return water and fat of some slices, stored L, P, S."""
    affine = np.diag([-5.0, -5.0, 10.0, 1.0])
    affine[:3, 3] = 245, 195, 10 * first
    water, fat = (Volume(array[::-1, ::-1, first:last].copy(), affine) for array in trunk)
    return (fat, water) if is_swapped else (water, fat)


def test_a_swapped_station_is_put_right_before_it_is_joined(trunk):
    parts = [
        station(trunk, 11, 18, False),
        station(trunk, 5, 13, True),
        station(trunk, 0, 7, False),
    ]
    slabs = dict(zip(("water", "fat"), map(list, zip(*parts, strict=True)), strict=True))
    righted, corrections = correct_slabs(slabs)
    ((correction, evidence),) = corrections
    assert correction is Correction.WATER_FAT_SWAP
    assert evidence.startswith("station 2 from the feet: fat's share")
    whole = compose(righted)
    for name, array in zip(("water", "fat"), trunk, strict=True):
        np.testing.assert_array_equal(whole[name].data, array)


def test_one_slab_alone_is_left_for_the_check_of_the_whole(trunk):
    water, fat = swap(trunk, np.s_[:])
    slabs = {"water": [water], "fat": [fat]}
    righted, corrections = correct_slabs(slabs)
    np.testing.assert_array_equal(righted["water"][0].data, water.data)
    assert corrections == []

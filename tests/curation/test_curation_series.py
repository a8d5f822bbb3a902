"""Identification of contrasts and repeats, and the choice of the scan."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import (
    OTHER,
    Series,
    choose_scan,
    number_repeats,
    unreadable,
)
from muscle_study.curation.sources.traits import Traits, contrast_of
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason

FOUR = ("water", "fat", "in_phase", "opposed_phase")
ECHO = Traits("MR", ("GR",), "3D", ("ORIGINAL", "PRIMARY", "M", "ND"), 2.46, 3.0, False, "", False)
DERIVED = replace(ECHO, image_type=("DERIVED", "PRIMARY", "M", "DIXON"), echo_time_ms=1.23)


@pytest.mark.parametrize(
    ("traits", "contrast"),
    [
        (replace(DERIVED, dixon="DIXW"), "water"),
        (replace(DERIVED, dixon="A1/DIXF"), "fat"),
        (ECHO, "in_phase"),
        (replace(ECHO, echo_time_ms=1.23), "opposed_phase"),
        (replace(ECHO, echo_time_ms=4.77, field_t=1.5), "in_phase"),
        (replace(ECHO, echo_time_ms=2.38, field_t=1.5), "opposed_phase"),
        (replace(ECHO, image_type=("DERIVED", "PRIMARY", "DIXON", "WATER")), "water"),
        (replace(ECHO, image_type=("DERIVED", "PRIMARY", "OPP_PHASE")), "opposed_phase"),
        (replace(ECHO, echo_time_ms=1.85), None),  # a quarter turn off both
        (replace(ECHO, echo_time_ms=None), None),
        (replace(ECHO, fat_suppressed=True), None),
        (replace(ECHO, image_type=("ORIGINAL", "PRIMARY", "P", "ND")), None),
        (replace(ECHO, sequence=("SE",)), None),
        (replace(ECHO, sequence=("GR", "IR")), None),  # MPRAGE
        (replace(ECHO, acquisition="2D"), None),
        (replace(ECHO, modality="CT"), None),
    ],
)
def test_content_tells_the_contrast(traits, contrast):
    assert contrast_of(traits, FOUR, "3D") == contrast


def test_a_single_image_is_any_gradient_echo_but_a_computed_one():
    assert contrast_of(replace(ECHO, echo_time_ms=1.85), ("image",), "3D") == "image"
    assert contrast_of(replace(DERIVED, dixon="DIXF"), ("image",), "3D") is None


def series(contrast, number, low_mm=0.0, height_mm=100.0, **more):
    affine = np.diag([5.0, 5.0, 10.0, 1.0])
    affine[2, 3] = low_mm + 5
    volume = Volume(np.full((2, 2, int(height_mm / 10)), number), affine)
    file = SourceFile(Path(f"{contrast}{number}.zip"), b"", "")
    return Series((file,), file.path.name, contrast, lambda: volume, number, **more)


def test_the_same_place_again_is_a_repeat_and_the_next_place_a_station():
    found = [series("water", 1), series("water", 2, low_mm=88), series("water", 3, low_mm=-3)]
    number_repeats(found)
    assert [one.repeat for one in found] == [1, 1, 2]


def test_composed_and_stations_are_no_repeats_of_each_other():
    found = [series("water", 1), series("water", 2, height_mm=200, composed=True)]
    number_repeats(found)
    assert [one.repeat for one in found] == [1, 1]


def test_the_last_complete_scan_is_taken():
    found = [series(contrast, 10 * repeat + place)
             for repeat, contrasts in ((1, FOUR), (2, FOUR), (3, FOUR[:2]))
             for place, contrast in enumerate(contrasts)]  # fmt: skip
    number_repeats(found)
    assert {one.number // 10 for slabs in choose_scan(found, FOUR).values() for one in slabs} == {2}


def scan_of(*stations):
    """Return all contrasts of stations, given as the first number and the lowest slice each."""
    return [series(name, first + i, low_mm=low)
            for first, low in stations for i, name in enumerate(FOUR)]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "taken"),
    [
        (scan_of((0, 0)) + scan_of((10, 0), (20, 90)), [10, 20]),  # broken off, begun again
        (scan_of((0, 0), (10, 90)) + scan_of((20, 90)), [0, 10]),  # one station once more
        (scan_of((0, 0), (10, 90)) + scan_of((20, 0), (30, 90))[:-1], [0, 10]),  # lacks a contrast
        (scan_of((0, 0), (10, 90)) + scan_of((20, 0), (30, 90)), [20, 30]),
    ],
)
def test_a_scan_is_complete_with_all_its_stations(found, taken):
    number_repeats(found)
    assert [one.number for one in choose_scan(found, FOUR)["water"]] == taken


def test_contrasts_of_two_scans_are_not_mixed():
    first = [series(name, i) for i, name in enumerate(FOUR) if name != "fat"]
    again = [series(name, 10 + i) for i, name in enumerate(FOUR)]
    number_repeats(first + again)
    scan = choose_scan(first + again, FOUR)
    assert [one.number for slabs in scan.values() for one in slabs] == [10, 11, 12, 13]


def test_a_repeat_that_the_name_tells_is_one():
    first = [series(name, i) for i, name in enumerate(FOUR[:2])]
    again = [series(name, i, repeat=2) for i, name in enumerate(FOUR)]
    number_repeats(first + again)
    assert [one.repeat for one in first + again] == [1, 1, 2, 2, 2, 2]


def test_stations_stand_in_where_a_composed_volume_is_missing():
    stations = [series(name, i) for i, name in enumerate(FOUR)]
    composed = [series(name, 10 + i, composed=True) for i, name in enumerate(FOUR)]
    whole = choose_scan(stations + composed, FOUR)
    assert all(one.composed for slabs in whole.values() for one in slabs)
    parts = choose_scan(stations + composed[:3], FOUR)
    assert not any(one.composed for slabs in parts.values() for one in slabs)


def test_a_broken_repeat_does_not_cost_the_whole_scan_before_it():
    good = [series(name, i) for i, name in enumerate(FOUR)]
    broken = unreadable(good[0].files[0], Excluded(Reason.UNREADABLE_IMAGE, "cut short"))
    assert choose_scan([*good, broken], FOUR)["fat"] == [good[1]]
    with pytest.raises(Excluded, match="unreadable_image: cut short"):
        choose_scan([*good[1:], broken], FOUR)


def test_what_is_missing_is_named():
    with pytest.raises(Excluded, match="missing_contrast: fat, opposed_phase"):
        choose_scan([series("water", 1), series("in_phase", 2)], FOUR)
    with pytest.raises(Excluded, match="no_images: none of water, fat"):
        choose_scan([series(OTHER, 1)], FOUR)

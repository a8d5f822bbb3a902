"""Each fault changes its part of a scan and nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from muscle_study.cohort.anatomy.body import build_body
from muscle_study.cohort.anatomy.habitus import REFERENCE_HEIGHT_CM
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.faults.dixon import station_ranges_mm
from muscle_study.cohort.faults.implants import (
    EXCHANGE_MM,
    VOID_MM,
    distance_from_metal,
    with_hip_implant,
    with_spine_implant,
)
from muscle_study.cohort.faults.scans import FIRST_SCAN, break_scan, take_scans
from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.cohort.scanner.scan import CONTRASTS, Scan
from muscle_study.imaging.volumes import Volume, resample
from muscle_study.protocol.faults import Fault, Problem

SPACING = 10.0
SHAPE = (40, 30, 40)
#: Slices of the two stations, which share four; from head to feet.
UPPER, LOWER = slice(18, 40), slice(0, 22)

ELSEWHERE = {
    Fault.SEVERE_MOTION, Fault.REPEAT_SCAN, Fault.DUPLICATE_SCAN, Fault.EMPTY_FILE,
    Fault.TRUNCATED_FILE, Fault.BMI_CONTRADICTION, Fault.DUPLICATE_ID, Fault.MISSING_AGE,
}  # fmt: skip


def volume(data, first_slice=0):
    """Store L, P, S: the first voxel is the rightmost, foremost and lowest."""
    affine = np.diag([-SPACING, -SPACING, SPACING, 1.0])
    affine[:3, 3] = 195, 145, -195 + SPACING * first_slice
    return Volume(np.ascontiguousarray(data), affine)


@pytest.fixture
def scan():
    """Return a block of water 300 mm wide with a tenth of fat, without noise."""
    water = np.zeros(SHAPE, np.int16)
    water[5:35, 5:25] = 900
    labels = np.zeros(SHAPE, np.uint8)
    labels[10:15, 10:15, 10:30] = 2
    data = {"water": water, "fat": water // 9, "in_phase": water + water // 9,
            "opposed_phase": water - water // 9}  # fmt: skip
    return Scan(
        contrasts={name: volume(data[name]) for name in CONTRASTS},
        stations=[
            {name: volume(data[name][:, :, place], place.start) for name in CONTRASTS}
            for place in (UPPER, LOWER)
        ],
        labels=volume(labels),
        fat_fraction={},
    )


def broken(scan, fault, detail=""):
    return break_scan(scan, Problem(fault, detail), Body([]))


def pairs(before, after):
    """Return the contrasts of both scans: composed, then by station."""
    return zip(
        [before.contrasts, *before.stations], [after.contrasts, *after.stations], strict=True
    )


def assert_exchanged(before, after, where):
    """Water and fat have changed places there, and nowhere else; the phases are the same."""
    for one, other in (("water", "fat"), ("fat", "water")):
        expected = before[one].data.copy()
        expected[where] = before[other].data[where]
        np.testing.assert_array_equal(after[one].data, expected)
    for name in ("in_phase", "opposed_phase"):
        assert after[name] is before[name]


def test_swap_whole(scan):
    swapped = broken(scan, Fault.SWAP_WHOLE)
    for before, after in zip(
        [scan.contrasts, *scan.stations], [swapped.contrasts, *swapped.stations], strict=True
    ):
        assert_exchanged(before, after, np.s_[:])
    assert swapped.labels is scan.labels


@pytest.mark.parametrize(("number", "slices"), [("1", np.s_[20:]), ("2", np.s_[:20])])
def test_swap_station_reaches_to_the_middle_of_the_overlap(scan, number, slices):
    swapped = broken(scan, Fault.SWAP_STATION, number)
    assert station_ranges_mm(scan) == [(0.0, np.inf), (-np.inf, 0.0)]  # slice 20 lies at 5 mm
    assert_exchanged(scan.contrasts, swapped.contrasts, np.s_[:, :, slices])
    assert_exchanged(scan.stations[int(number) - 1], swapped.stations[int(number) - 1], np.s_[:])
    assert swapped.stations[2 - int(number)] is scan.stations[2 - int(number)]


def test_swap_of_a_station_that_is_not_there(scan):
    with pytest.raises(ValueError, match="station 3 of a scan of 2"):
        broken(scan, Fault.SWAP_STATION, "3")


@pytest.mark.parametrize(("side", "columns"), [("right", np.s_[:20]), ("left", np.s_[20:])])
def test_swap_side_is_the_participants(scan, side, columns):
    swapped = broken(scan, Fault.SWAP_SIDE, side)
    for before, after in pairs(scan, swapped):
        assert_exchanged(before, after, columns)


def test_midline_follows_the_body(scan):
    water = np.zeros(SHAPE, np.int16)
    water[20:30] = 900  # x from -95 to -5 mm
    off = replace(scan, contrasts={**scan.contrasts, "in_phase": volume(water)})
    swapped = broken(off, Fault.SWAP_SIDE, "right")
    assert_exchanged(off.contrasts, swapped.contrasts, np.s_[:25])


@pytest.mark.parametrize(
    ("fault", "detail", "kept", "n_stations"),
    [
        (Fault.CUT_TOP, "100", np.s_[:, :, :30], 2),
        (Fault.CUT_BOTTOM, "100", np.s_[:, :, 10:], 2),
        (Fault.CUT_BOTTOM, "220", np.s_[:, :, 22:], 1),  # the lower station is gone
        (Fault.CUT_SIDES, "30", np.s_[8:32], 2),  # of the body, which begins at column 5
    ],
)
def test_cuts_crop_images_and_labels_in_place(scan, fault, detail, kept, n_stations):
    cut = broken(scan, fault, detail)
    assert len(cut.stations) == n_stations
    composed = [(scan.contrasts[name], cut.contrasts[name]) for name in CONTRASTS]
    for before, after in [*composed, (scan.labels, cut.labels)]:
        np.testing.assert_array_equal(after.data, before.data[kept])
        # every voxel of the cut volume equals the whole volume's at its position
        back = resample(before, after.data.shape, after.affine, order=0)
        np.testing.assert_array_equal(after.data, back.data)
    for station in cut.stations:
        back = resample(scan.contrasts["water"], station["water"].data.shape,
                        station["water"].affine, order=0)  # fmt: skip
        np.testing.assert_array_equal(station["water"].data, back.data)


def test_affines(scan):
    lost = broken(scan, Fault.IDENTITY_AFFINE)
    for contrasts in (lost.contrasts, *lost.stations):
        np.testing.assert_array_equal(contrasts["fat"].affine, np.eye(4))
    assert lost.labels is scan.labels
    flipped = broken(scan, Fault.FLIPPED_AFFINE, "left-right")
    assert flipped.contrasts["water"].orientation == "RPS"
    corner = flipped.contrasts["water"].affine @ [0, 0, 0, 1]
    np.testing.assert_allclose(corner[:3], [-195, 145, -195])  # in the same box
    upside_down = broken(scan, Fault.FLIPPED_AFFINE, "head-feet")
    assert upside_down.contrasts["water"].orientation == "LPI"
    heights = [station["water"].affine[2, 3] for station in upside_down.stations]
    assert heights == [195 - 180, 195]


def test_missing_contrast_and_images(scan):
    less = broken(scan, Fault.MISSING_CONTRAST, "fat")
    for contrasts in (less.contrasts, *less.stations):
        assert set(contrasts) == {"water", "in_phase", "opposed_phase"}
    none = broken(scan, Fault.NO_IMAGES)
    assert not none.contrasts
    assert not none.stations


def test_mislabelled_contrasts_lie_under_each_others_names(scan):
    mistaken = broken(scan, Fault.MISLABELLED_CONTRAST, "water+in_phase")
    for before, after in pairs(scan, mistaken):
        assert after["water"] is before["in_phase"]
        assert after["in_phase"] is before["water"]
        assert after["fat"] is before["fat"]


def test_voxels(scan):
    nan = broken(scan, Fault.NAN_VOXELS, "water").contrasts
    assert np.isnan(nan["water"].data).sum() == SHAPE[1]
    assert nan["fat"] is scan.contrasts["fat"]
    short = broken(scan, Fault.WRONG_SHAPE, "in_phase").contrasts
    assert short["in_phase"].data.shape == (40, 30, 38)
    assert short["water"] is scan.contrasts["water"]
    unknown = broken(scan, Fault.UNKNOWN_LABEL)
    assert unknown.labels.data.max() == 9
    assert (unknown.labels.data != scan.labels.data).sum() == 1
    assert unknown.contrasts is scan.contrasts


@pytest.mark.parametrize("fault", sorted(ELSEWHERE))
def test_other_faults_leave_the_scan_alone(scan, fault):
    assert broken(scan, fault, "x" * bool(fault.detail)) is scan


@pytest.mark.parametrize("side", ["left", "right"])
def test_hip_implant_voids_its_side(scan, side):
    body = with_hip_implant(Body([]), side, scale=1.0)
    assert {part.tissue for part in body.parts} == {Tissue.IMPLANT}
    marred = break_scan(scan, Problem(Fault.IMPLANT_HIP, side), body)
    water = marred.contrasts["water"]
    distance = distance_from_metal(body)
    away = resample(distance, SHAPE, water.affine, outside=100.0).data
    far = away > EXCHANGE_MM + 15
    assert (away < VOID_MM).sum() > 50
    for name in CONTRASTS:
        before, after = scan.contrasts[name].data, marred.contrasts[name].data
        assert not after[away < VOID_MM].any()
        np.testing.assert_array_equal(after[far], before[far])
    # fat stands where water was, somewhere around the metal
    assert (marred.contrasts["fat"].data > marred.contrasts["water"].data).any()
    void_x = water.affine[0, 3] + water.affine[0, 0] * np.argwhere(away < VOID_MM)[:, 0]
    assert (void_x > 0).all() == (side == "right")
    assert marred.labels is scan.labels


@pytest.mark.parametrize(("place", "least"), [("hip", 0.6), ("spine", 0.4)])
def test_metal_lies_in_bone(place, least):
    """Rods lie behind the spine, and the psoas's tendon covers a little of the hip."""
    people = draw_participants(2, np.random.default_rng(0))
    sizes = draw_muscles(people, np.random.default_rng(0)).to_dict("records")
    axes = tuple(np.arange(low, high, 4.0) for low, high in ((0, 160), (-100, 60), (-235, 110)))
    for person, muscles in zip(people.to_dict("records"), sizes, strict=True):
        body = build_body(person, muscles, np.random.default_rng(1))
        scale = person["height_cm"] / REFERENCE_HEIGHT_CM
        if place == "hip":
            mended = with_hip_implant(body, "right", scale)
        else:
            mended = with_spine_implant(body, scale)
        metal = sample(mended, axes) == Tissue.IMPLANT
        bone = np.isin(sample(body, axes)[metal], [Tissue.RED_MARROW, Tissue.YELLOW_MARROW,
                                                   Tissue.CORTEX])  # fmt: skip
        assert metal.sum() > 30
        assert bone.mean() > least


def test_spine_implant_is_symmetric_and_scales():
    small, large = (with_spine_implant(Body([]), scale) for scale in (0.9, 1.1))
    tops = [max(part.stack.z_range_mm[1] for part in body.parts) for body in (small, large)]
    assert tops[1] / tops[0] == pytest.approx(1.1 / 0.9)
    assert sum(part.stack.rows[:, 1].sum() for part in small.parts) == pytest.approx(0)


def test_take_scans_asks_for_the_scans_that_the_fault_needs(scan):
    asked = []

    def image(body, motion_mm):
        asked.append((len(body.parts), motion_mm))
        return scan

    body = Body([])
    assert take_scans(body, None, 1.0, image) == {"": scan}
    take_scans(body, Problem(Fault.SEVERE_MOTION, "17"), 1.0, image)
    take_scans(body, Problem(Fault.IMPLANT_HIP, "left"), 1.0, image)
    assert asked == [(0, None), (0, 17.0), (2, None)]
    asked.clear()
    scans = take_scans(body, Problem(Fault.REPEAT_SCAN, "missing_contrast"), 1.0, image)
    assert set(scans[""].contrasts) == {"water", "in_phase", "opposed_phase"}
    assert scans["_2"] is scan
    take_scans(body, Problem(Fault.REPEAT_SCAN, "severe_motion"), 1.0, image)
    assert asked[2:] == [(0, float(FIRST_SCAN[Fault.SEVERE_MOTION])), (0, None)]

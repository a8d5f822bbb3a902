"""Scans show the body in its place, as water and fat, and label it without bias."""

import numpy as np
import pytest
from scipy import ndimage

from example_parameters import section
from muscle_study.cohort.anatomy.fields import FIELD_OF_VIEW_MM, SmoothField
from muscle_study.cohort.anatomy.sampling import Body
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.scan import Voxels, scan
from muscle_study.imaging.volumes import to_ras
from muscle_study.protocol.muscles import STRUCTURES, Label

FAT = dict.fromkeys(STRUCTURES, 0.1)


def parameters(**changes):
    values = {
        "spacing_mm": [6.0, 6.0, 8.0], "supersampling": [2, 2, 2], "stations": 3,
        "station_gain_sd": 0.0, "breath_mm": 0.0, "noise_sd": 0.0, "bias_amplitude": 0.0,
        "ghost_amplitude": 0.0, "motion_mm": 0.0,
    }  # fmt: skip
    return section("cohort.imaging", **values | changes)


def cylinder(x_mm: float, radius_mm: float, height_mm: float = 200.0) -> Stack:
    return Stack(
        np.array([[z, x_mm, 0, radius_mm, radius_mm] for z in (-height_mm / 2, height_mm / 2)])
    )


@pytest.fixture
def body():
    """Return a cylinder of fat with two muscles on each side."""
    muscles = {
        Label.PSOAS_LEFT: [Part(Tissue.PSOAS_LEFT, cylinder(-60, 30))],
        Label.PSOAS_RIGHT: [Part(Tissue.PSOAS_RIGHT, cylinder(60, 40))],
        Label.GLUTEUS_LEFT: [Part(Tissue.GLUTEUS_LEFT, cylinder(-120, 20))],
        Label.GLUTEUS_RIGHT: [Part(Tissue.GLUTEUS_RIGHT, cylinder(120, 20))],
    }
    return Body([Part(Tissue.FAT, cylinder(0, 150, 460.0))], muscles)


def test_nako_grid_has_its_matrix():
    assert Grid((1.40625, 1.40625, 3.0)).shape == (320, 260, 160)


def test_voxels_know_their_tissues():
    points = np.zeros((2, 2, 4), np.uint8)
    points[..., 0] = 1
    points[0, 0, 1] = 1  # five of eight
    points[..., 2] = 2  # half; the first point is one of them
    voxels = Voxels(points, [2, 2, 2])
    np.testing.assert_allclose(voxels.share(1)[0, 0], [5 / 8, 0])
    np.testing.assert_array_equal(voxels.majority()[0, 0], [1, 2])
    np.testing.assert_allclose(voxels.mean(np.array([0, 8, 2], np.float32))[0, 0], [5, 1])


def test_labels_have_the_muscles_position_and_size(body):
    images = scan(body, FAT, parameters(spacing_mm=[3.0, 3.0, 8.0]), np.random.default_rng(0))
    assert images.labels.orientation == "LPS"
    labels = to_ras(images.labels)
    for label, parts in body.muscles.items():
        inside = labels.data == label
        volume = parts[0].stack.volume_mm3() / 1000
        assert inside.sum() * labels.voxel_ml == pytest.approx(volume, rel=0.01)
        x = np.argwhere(inside).mean(0) @ labels.affine[0, :3] + labels.affine[0, 3]
        assert x == pytest.approx(parts[0].stack.rows[0, 1], abs=1)


def test_echoes_are_sum_and_difference_of_water_and_fat(body):
    noisy = parameters(noise_sd=0.04, bias_amplitude=0.2, station_gain_sd=0.1, motion_mm=1.0)
    images = scan(body, FAT, noisy, np.random.default_rng(0))
    for contrasts in (images.contrasts, *images.stations):
        water, fat, in_phase, opposed = (
            contrasts[name].data.astype(int)
            for name in ("water", "fat", "in_phase", "opposed_phase")
        )
        # each is rounded separately; water and fat are clipped at zero
        inside = (water > 0) & (fat > 0)
        assert inside.any()
        assert abs(in_phase - (water + fat))[inside].max() <= 1
        assert abs(opposed - abs(water - fat))[inside].max() <= 1


@pytest.mark.parametrize(
    ("finer", "error"),
    [({"stations": 1}, 1e-6), ({"spacing_mm": [2.0, 2.0, 3.0], "stations": 1}, 2e-3)],
    ids=["one station", "finer grid"],
)
def test_true_fat_fraction_depends_on_neither_stations_nor_grid(body, finer, error):
    """The error is below 0.2 %."""
    demo = {"spacing_mm": [3.5, 3.5, 5.0]}
    here, there = (
        scan(body, FAT, parameters(**demo | changes), np.random.default_rng(2)).fat_fraction
        for changes in ({}, finer)
    )
    for label in STRUCTURES:
        assert there[label] == pytest.approx(here[label], rel=error)


def test_ghosts_of_fat_raise_and_lower_a_muscles_fat_but_not_on_average(body):
    """Ghosts of random phase are unbiased; ghosts in phase with the image would only add fat."""
    errors = []
    for seed in range(12):
        ghosted = parameters(ghost_amplitude=0.05, stations=1)
        images = scan(body, FAT, ghosted, np.random.default_rng(seed))
        right = to_ras(images.labels).data == Label.PSOAS_RIGHT
        inside = ndimage.binary_erosion(right, np.ones((3, 3, 1)))
        water, fat = (
            to_ras(images.contrasts[name]).data[inside].sum(dtype=float)
            for name in ("water", "fat")
        )
        errors.append(fat / (water + fat) - images.fat_fraction[Label.PSOAS_RIGHT])
    assert min(errors) < -0.01
    assert max(errors) > 0.01
    assert abs(np.mean(errors)) < 2 * np.std(errors, ddof=1) / np.sqrt(len(errors))


def test_true_fat_fraction_is_what_noise_free_images_show(body):
    images = scan(body, FAT, parameters(spacing_mm=[3.0, 3.0, 8.0]), np.random.default_rng(0))
    water, fat = (images.contrasts[name].data.astype(float) for name in ("water", "fat"))
    # away from the edge, where fat of the surroundings shows through
    x, y, z = (axis[:, None, None] for axis in Grid((3.0, 3.0, 8.0)).axes_mm())
    core = np.hypot(x.reshape(1, 1, -1) - 60, y.reshape(1, -1, 1)) < 34
    core = (core & (abs(z) < 90)).transpose(2, 1, 0)[::-1, ::-1]
    shown = fat[core].sum() / (water + fat)[core].sum()
    assert shown == pytest.approx(images.fat_fraction[Label.PSOAS_RIGHT], rel=0.05)


def test_composed_volume_is_what_one_station_would_give(body):
    one = scan(body, FAT, parameters(stations=1), np.random.default_rng(0))
    three = scan(body, FAT, parameters(stations=3), np.random.default_rng(0))
    a, b = (images.contrasts["in_phase"].data.astype(float) for images in (one, three))
    middle = np.s_[:, :, 8:-8]
    inside = a[middle] > 100
    # the remaining difference is the drop towards the stations' edges
    assert np.median(b[middle][inside] / a[middle][inside]) == pytest.approx(1, abs=0.05)
    np.testing.assert_array_equal(one.labels.data, three.labels.data)


def test_stations_lie_in_their_place(body):
    images = scan(body, FAT, parameters(bias_amplitude=0.2), np.random.default_rng(0))
    whole = images.contrasts["water"]
    for station in images.stations:
        slab = station["water"]
        first = round((slab.affine[2, 3] - whole.affine[2, 3]) / 8.0)
        there = whole.data[:, :, first : first + slab.data.shape[2]]
        assert there.shape == slab.data.shape
        assert np.corrcoef(there.ravel(), slab.data.ravel())[0, 1] > 0.95


def test_same_seed_same_bytes_and_another_differs(body):
    noisy = parameters(noise_sd=0.04, bias_amplitude=0.2, breath_mm=2.0, motion_mm=1.0)
    first, again, other = (
        scan(body, FAT, noisy, np.random.default_rng(seed)).contrasts["fat"].data
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_smooth_fields_have_their_size_and_length():
    rng = np.random.default_rng(3)
    field = SmoothField.draw(FIELD_OF_VIEW_MM, 20.0, rng)
    values = field.at(Grid((4.0, 4.0, 4.0)).axes_mm())
    assert values.std() == pytest.approx(1, abs=0.05)
    assert np.corrcoef(values[:, :, :-1].ravel(), values[:, :, 1:].ravel())[0, 1] > 0.95
    assert abs(np.corrcoef(values[:, :, :-15].ravel(), values[:, :, 15:].ravel())[0, 1]) < 0.1
    points = rng.uniform(-150, 150, (3, 20_000))
    assert field.at_points(*points).std() == pytest.approx(1, abs=0.1)

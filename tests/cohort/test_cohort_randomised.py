"""Random images show their tissue map, with labels in the same place."""

import numpy as np
import pytest

from example_parameters import section
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.randomised.contrasts import (
    DARK,
    FAMILIES,
    FATS,
    LEAST_DIFFERENCE,
    MUSCLES,
    Contrast,
    draw_contrast,
)
from muscle_study.cohort.randomised.images import displaced, randomise, render, thick_slices
from muscle_study.protocol.muscles import Label

SPACING = (4.0, 4.0, 5.0)


def parameters(**changes):
    """Return parameters that randomise nothing but contrast."""
    values = {
        "n_images": 1, "spacing_mm": [4.0, 4.0, 4.0], "psoas": "psoas major",
        "rotation_deg": 0.0, "scale": 1.0, "shift_mm": 0.0, "deformation_mm": 0.0,
        "slab_probability": 0.0, "least_slab_mm": 40.0, "crop_probability": 0.0,
        "thickest_slice_mm": 1.0, "blur_mm": 0.0, "texture": 0.0, "most_patches": 0, "bias": 0.0,
        "noise": 0.0, "gamma": 0.0, "inversion_probability": 0.0,
    }  # fmt: skip
    return section("cohort.randomised", **values | changes)


WILD = parameters(
    rotation_deg=8.0, scale=1.3, shift_mm=40.0, deformation_mm=8.0, slab_probability=0.5,
    crop_probability=0.5, thickest_slice_mm=12.0, blur_mm=4.0, texture=0.08, most_patches=4,
    bias=0.5, noise=0.12, gamma=0.3, inversion_probability=0.2,
)  # fmt: skip


@pytest.fixture
def tissues():
    """Return a cylinder of fat with a different muscle on each side."""
    x, y, z = np.ogrid[-20:20, -18:18, -16:16]
    body = np.zeros((40, 36, 32), np.uint8)
    body[x**2 + y**2 + 0 * z < 16**2] = Tissue.FAT
    body[(x + 8) ** 2 + y**2 + 0 * z < 4**2] = Tissue.PSOAS_LEFT
    body[(x - 8) ** 2 + y**2 + 0 * z < 5**2] = Tissue.GLUTEUS_RIGHT
    return body


def test_nothing_but_contrast_changes_nothing_but_contrast(tissues):
    for seed in range(20):
        image, labels, seen = randomise(tissues, SPACING, parameters(), np.random.default_rng(seed))
        assert image.shape == labels.shape == tissues.shape
        assert seen == (slice(0, 40), slice(0, 36), slice(0, 32))
        for label in (Tissue.PSOAS_LEFT, Tissue.GLUTEUS_RIGHT):
            assert np.ptp(image[labels == label]) == 0


def test_brightness_follows_the_tissue_alone(tissues):
    image = render(tissues, SPACING, parameters(), np.random.default_rng(3))
    values = [np.unique(image[tissues == tissue]) for tissue in np.unique(tissues)]
    assert [len(of_tissue) for of_tissue in values] == [1, 1, 1, 1]
    assert values[0] == 0
    assert image.max() == pytest.approx(1, abs=1e-6)


def test_patches_are_foreign_and_leave_air_and_muscle_alone(tissues):
    patched = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        image = render(tissues, SPACING, parameters(most_patches=4), rng)
        for alone in (Tissue.AIR, Tissue.PSOAS_LEFT, Tissue.GLUTEUS_RIGHT):
            assert np.ptp(image[tissues == alone]) == 0
        patched += np.ptp(image[tissues == Tissue.FAT]) > 0
    assert 10 <= patched < 20  # one in five has none


def test_same_seed_same_image(tissues):
    one, two = (randomise(tissues, SPACING, WILD, np.random.default_rng(5)) for _ in "ab")
    other = randomise(tissues, SPACING, WILD, np.random.default_rng(6))
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.labels, two.labels)
    assert (one.image != other.image).any()


def test_ranges_types_and_blank_outside_the_field_of_view(tissues):
    for seed in range(40):
        image, labels, seen = randomise(tissues, SPACING, WILD, np.random.default_rng(seed))
        assert (image.dtype, labels.dtype) == (np.float32, np.uint8)
        assert np.isfinite(image).all()
        assert image.min() >= 0
        assert set(np.unique(labels)) <= {0, Tissue.PSOAS_LEFT, Tissue.GLUTEUS_RIGHT}
        outside = np.ones(image.shape, bool)
        outside[seen] = False
        assert not image[outside].any()
        assert not labels[outside].any()
        assert image[seen].any()


def test_labels_move_with_the_body(tissues):
    moving = parameters(rotation_deg=15.0, scale=1.3, shift_mm=30.0)
    for seed in range(10):
        image, labels, _ = randomise(tissues, SPACING, moving, np.random.default_rng(seed))
        for label in (Tissue.PSOAS_LEFT, Tissue.GLUTEUS_RIGHT):
            assert np.ptp(image[labels == label]) == 0  # none of the voxels lies in fat
            assert (labels == label).sum() > 100
        assert abs(image[labels > 0].mean() - image[(labels == 0) & (image > 0)].mean()) > 0.05


def test_deformation_moves_by_the_millimetres_asked_for_and_tears_nothing(monkeypatch):
    monkeypatch.setattr("muscle_study.cohort.randomised.images.STRETCH_SD", 0.0)
    ramp = np.broadcast_to(np.arange(1, 101, dtype=np.uint8)[:, None, None], (100, 70, 60))
    middle = (slice(20, 80), slice(20, 50), slice(20, 40))  # nothing comes in from outside
    by_mm = []
    for seed in range(30):
        moved = displaced(ramp, SPACING, parameters(deformation_mm=12.0), draws_the_most(seed))
        inside = moved[middle].astype(float)
        assert np.abs(np.diff(inside, axis=1)).max() <= 2  # neighbours stay neighbours
        by_mm.append(4.0 * (inside - ramp[middle]))
    assert np.std(by_mm) == pytest.approx(12.0, rel=0.25)


def draws_the_most(seed):
    """Return a generator whose uniform draws are the largest, so that the SD is known."""
    rng = np.random.default_rng(seed)

    class Most:
        normal, standard_normal = rng.normal, rng.standard_normal

        @staticmethod
        def uniform(low, high, n=None):
            return high if n is None else np.zeros(n)

    return Most()


def test_shift_and_scale_are_in_mm_about_the_middle(monkeypatch):
    monkeypatch.setattr("muscle_study.cohort.randomised.images.STRETCH_SD", 0.0)
    cube = np.zeros((41, 41, 41), np.uint8)
    cube[10:31, 10:31, 10:31] = 1  # 21 voxels a side

    class Fixed:
        """Give the largest scale, and a shift of 8 mm along x."""

        def normal(self, mean, sd, n):
            return np.zeros(n)

        def standard_normal(self, n):
            return np.zeros(n)

        def uniform(self, low, high, n=None):
            return high if n is None else np.array([8.0, 0.0, 0.0])

    moved = displaced(cube, SPACING, parameters(scale=1.2, shift_mm=10.0), Fixed())
    x, y, z = (np.flatnonzero(moved.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1)))
    assert (x[0] + x[-1]) / 2 == 20 + 2  # 8 mm are two voxels
    assert (y[0] + y[-1]) / 2 == (z[0] + z[-1]) / 2 == 20
    assert len(x) == len(y) == len(z) == 25  # 21 x 1.2, whole voxels


def test_slabs_and_crops_are_never_smaller_than_asked(tissues):
    heights, widths = set(), set()
    asked = parameters(slab_probability=1.0, crop_probability=1.0, least_slab_mm=60.0)
    for seed in range(60):
        seen = randomise(tissues, SPACING, asked, np.random.default_rng(seed)).field_of_view
        widths.add(seen[0].stop - seen[0].start)
        heights.add(seen[2].stop - seen[2].start)
    assert min(heights) >= 12  # of 5 mm
    assert max(heights) > 25
    assert min(widths) >= 16  # of 40, at most 0.3 lost at each end
    assert len(widths) > 5


@pytest.mark.parametrize("factor", [1.0, 1.7, 3.0, 8.0])
def test_thick_slices_keep_what_is_level_and_slopes(factor):
    matrix = thick_slices(32, factor)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, rtol=1e-5)
    slope = matrix @ np.arange(32)
    inside = slice(int(factor), 32 - int(factor))
    np.testing.assert_allclose(slope[inside], np.arange(32)[inside], atol=0.1)
    if factor == 1.0:
        np.testing.assert_allclose(matrix, np.eye(32), atol=1e-6)


def test_thick_slices_average():
    spike = np.zeros(9)
    spike[4] = 3.0
    np.testing.assert_allclose((thick_slices(9, 3.0) @ spike)[[1, 4, 7]], [0, 1, 0], atol=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_families_draw_valid_and_varied_brightness(family):
    rng = np.random.default_rng(0)
    tables = np.array([(drawn := family(rng)).shown(drawn.values) for _ in range(100)])
    assert tables.shape == (100, len(Tissue))
    assert np.isfinite(tables).all()
    assert tables.min() >= 0
    assert (tables[:, Tissue.MUSCLE] - tables[:, Tissue.FAT]).std() > 0.05
    within = np.ptp(tables[:, list(MUSCLES)], axis=1)
    assert within.max() < 0.3  # muscles look alike


def test_muscle_is_told_from_fat_in_every_contrast_bright_or_dark():
    rng = np.random.default_rng(0)
    drawn = [draw_contrast(rng, 0.2) for _ in range(300)]
    shown = np.array([contrast.shown(contrast.values) for contrast in drawn]).clip(0, 1)
    difference = shown[:, Tissue.MUSCLE] - shown[:, Tissue.FAT]
    assert abs(difference).min() >= LEAST_DIFFERENCE - 1e-6
    assert 0.2 < (difference > 0).mean() < 0.8


def test_inversion_leaves_air_dark():
    plain, inverted = (
        draw_contrast(np.random.default_rng(4), probability) for probability in (0.0, 1.0)
    )
    assert not inverted.values[list(DARK)].any()
    body = [tissue for tissue in Tissue if tissue not in DARK]
    expected = 1 - plain.shown(plain.values).clip(0, 1)
    np.testing.assert_allclose(inverted.values[body], expected[body])


def test_opposed_phases_outline_fat_against_muscle(tissues, monkeypatch):
    """Where water and fat share a voxel they cancel: the dark line of opposed phases."""
    values = np.zeros(len(Tissue), np.float32)
    values[list(MUSCLES)], values[list(FATS)] = 0.8, -0.8
    monkeypatch.setattr(
        "muscle_study.cohort.randomised.images.draw_contrast",
        lambda *_: Contrast(values, signed=True),
    )
    image = render(tissues, SPACING, parameters(blur_mm=8.0), np.random.default_rng(1))
    line = image[20:36, 18, 16]  # fat, then a muscle from voxels 4 to 12
    assert line[8] > 0.9
    assert line[2:6].min() < 0.5
    assert line[11:15].min() < 0.5


def test_iliacus_is_labelled_with_the_psoas_where_asked_for(tissues):
    tissues[20:24, 16:20, 10:20] = Tissue.ILIACUS_RIGHT
    for psoas, expected in (("psoas major", Label.BACKGROUND), ("iliopsoas", Label.PSOAS_RIGHT)):
        made = randomise(tissues, SPACING, parameters(psoas=psoas), np.random.default_rng(0))
        assert set(np.unique(made.labels[tissues == Tissue.ILIACUS_RIGHT])) == {expected}
        assert (made.labels[tissues == Tissue.PSOAS_LEFT] == Label.PSOAS_LEFT).all()

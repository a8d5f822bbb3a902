"""Reorientation keeps voxels; interpolation keeps position and volume."""

import numpy as np
import pytest
from nibabel.affines import apply_affine

from muscle_study.curation.images import check_extent, image_on_grid, labels_on_grid
from muscle_study.imaging.labels import merge_labels
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.muscles import Label

SPACING = [3.0, 3.0, 5.0]


def affine_of(directions, spacing, origin=(10.0, -20.0, 30.0)):
    affine = np.eye(4)
    affine[:3, :3] = np.array(directions) @ np.diag(spacing)
    affine[:3, 3] = origin
    return affine


#: Columns: where the stored axes point, in R, A, S.
STORED = {
    "RAS": np.eye(3),
    "LPS": np.diag([-1.0, -1, 1]),
    "LAS": np.diag([-1.0, 1, 1]),
    "PIR": np.array([[0.0, 0, 1], [-1, 0, 0], [0, -1, 0]]),
}


@pytest.mark.parametrize("stored", STORED)
def test_turning_moves_no_voxel_and_changes_no_value(stored):
    directions = STORED[stored]
    spacing = np.abs(directions).T @ SPACING
    volume = Volume(np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6),
                    affine_of(directions, spacing))  # fmt: skip
    assert volume.orientation == stored

    turned = image_on_grid(volume, SPACING)

    assert turned.orientation == "RAS"
    assert turned.data.dtype == np.int16
    for index in np.ndindex(volume.data.shape):
        place = apply_affine(volume.affine, index)
        there = apply_affine(np.linalg.inv(turned.affine), place)
        np.testing.assert_allclose(there, there.round(), atol=1e-6)
        assert turned.data[tuple(there.round().astype(int))] == volume.data[index]


def test_rounded_header_does_not_cause_interpolation():
    volume = Volume(np.arange(8, dtype=np.int16).reshape(2, 2, 2),
                    affine_of(np.eye(3), [3.001, 2.999, 5.0]))  # fmt: skip
    np.testing.assert_array_equal(image_on_grid(volume, SPACING).data, volume.data)


@pytest.mark.parametrize("degrees", [0, 20])
def test_other_grids_become_upright_and_keep_places(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)],
                     [0, np.sin(angle), np.cos(angle)]])  # fmt: skip
    affine = affine_of(turn, [2.0, 2.0, 4.0])
    index = np.indices((20, 20, 12)).reshape(3, -1).T
    along_z = apply_affine(affine, index)[:, 2].reshape(20, 20, 12)  # each voxel holds its z
    curated = image_on_grid(Volume(along_z, affine), SPACING)

    np.testing.assert_allclose(curated.affine[:3, :3], np.diag(SPACING))
    assert curated.data.dtype == np.float32
    centre = (np.array(curated.data.shape) - 1) // 2
    expected = apply_affine(curated.affine, centre)[2]
    assert curated.data[tuple(centre)] == pytest.approx(expected, abs=1e-3)


def test_outside_of_an_oblique_ct_is_air():
    turn = np.array([[np.cos(0.5), -np.sin(0.5), 0], [np.sin(0.5), np.cos(0.5), 0], [0, 0, 1]])
    ct = np.full((10, 10, 4), 40, np.int16)
    ct[0] = -1000
    curated = image_on_grid(Volume(ct, affine_of(turn, SPACING)), SPACING)
    assert curated.data[0, 0, 0] == -1000


@pytest.mark.parametrize("spacing", [[1.5, 1.5, 1.5], [3.0, 3.0, 5.0], [4.0, 4.0, 5.0]])
@pytest.mark.parametrize("degrees", [0, 15])
def test_labels_keep_their_volume_on_average(spacing, degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0],
                     [0, 0, 1]])  # fmt: skip
    change = []
    for centre in np.random.default_rng(0).uniform(11, 16, (20, 3)):
        distance = np.linalg.norm(np.indices((28, 28, 28)).T - centre, axis=-1)
        ball = Volume((distance < 10).astype(np.uint8), affine_of(turn, [3.0, 3.0, 3.0]))
        curated = labels_on_grid(ball, spacing)
        assert curated.data.dtype == np.uint8
        change.append(curated.data.sum() * curated.voxel_ml / (ball.data.sum() * ball.voxel_ml) - 1)
    assert np.mean(change) == pytest.approx(0, abs=0.005)
    assert np.abs(change).max() < 0.04


def test_labels_and_image_share_the_curated_grid():
    affine = affine_of(STORED["LPS"], [1.7, 1.9, 3.3])
    image = image_on_grid(Volume(np.random.default_rng(0).random((9, 8, 7)), affine), SPACING)
    labels = labels_on_grid(Volume(np.ones((9, 8, 7), np.uint8), affine), SPACING)
    assert labels.same_grid(image)


BINARY = {0: Label.BACKGROUND, 1: Label.GLUTEUS_LEFT}


def mask(*voxels, dtype=np.uint8, value=1):
    data = np.zeros((3, 3, 3), dtype)
    for voxel in voxels:
        data[voxel] = value
    return Volume(data, np.diag([3.0, 3, 5, 1]))


def test_parts_are_joined_not_added():
    files = [("maximus", mask((0, 0, 0), (1, 1, 1)), BINARY), ("medius", mask((1, 1, 1)), BINARY)]
    merged = merge_labels(files, mask())
    assert merged.data.dtype == np.uint8
    assert np.argwhere(merged.data == 3).tolist() == [[0, 0, 0], [1, 1, 1]]


def test_float_masks_are_read():
    merged = merge_labels([("m", mask((0, 1, 2), dtype=np.float32), BINARY)], mask())
    assert merged.data.sum() == Label.GLUTEUS_LEFT


@pytest.mark.parametrize(("dtype", "value", "text"), [(np.uint8, 2, "2"), (np.float32, 0.5, "0.5")])
def test_value_without_meaning_is_named(dtype, value, text):
    with pytest.raises(Excluded, match=f"unknown_label: m: {text}"):
        merge_labels([("m", mask((0, 0, 0), dtype=dtype, value=value), BINARY)], mask())


@pytest.mark.parametrize(("slices", "kept"), [(40, True), (30, False)])
def test_a_field_of_view_must_hold_the_muscles(slices, kept):
    volume = Volume(np.zeros((100, 90, slices), np.int16), np.diag([3.0, 3.0, 10.0, 1.0]))
    if kept:
        check_extent(volume, [300, 250, 350])
    else:
        with pytest.raises(Excluded, match="field_of_view: 300x270x300 mm, at least 300x250x350"):
            check_extent(volume, [300, 250, 350])

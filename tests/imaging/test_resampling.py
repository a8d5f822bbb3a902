"""Resampling between parallel grids: means if coarser, linear if finer, zero outside."""

import numpy as np
import pytest

from muscle_study.imaging.resampling import axis_weights, parallel_grid, resample_parallel
from muscle_study.imaging.volumes import Volume, resample

RNG = np.random.default_rng(3)


def test_a_coarser_voxel_is_the_mean_of_what_it_covers():
    weights = axis_weights(6, 2, 3.0, 1.0)
    np.testing.assert_allclose(weights, [[1 / 3] * 3 + [0] * 3, [0] * 3 + [1 / 3] * 3], rtol=1e-6)
    # 1.5 voxels each, the middle one is shared
    np.testing.assert_allclose(
        axis_weights(3, 2, 1.5, 0.25), [[2 / 3, 1 / 3, 0], [0, 1 / 3, 2 / 3]], rtol=1e-6
    )


def test_a_finer_voxel_is_interpolated_and_the_border_goes_on_to_the_edge():
    weights = axis_weights(2, 6, 0.5, -0.75)
    np.testing.assert_allclose(weights[:, 1], [0, 0, 0.25, 0.75, 1, 0], rtol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=1), [0, 1, 1, 1, 1, 0], rtol=1e-6)


def test_a_grid_along_the_own_axes_covers_the_volume_from_one_middle_nearest_to_ras():
    affine = np.array([[0, 2.0, 0, 5], [-3, 0, 0, 7], [0, 0, 4, 1], [0, 0, 0, 1]])
    volume = Volume(np.zeros((10, 20, 30)), affine)
    shape, coarse = parallel_grid(volume, [6.0, 5.0, 8.0])
    assert shape == (7, 6, 15)
    middle = affine @ [4.5, 9.5, 14.5, 1]
    np.testing.assert_allclose(coarse @ [3, 2.5, 7, 1], middle)
    np.testing.assert_allclose(coarse[:3, :3], np.diag([6.0, 5.0, 8.0]))


def test_the_same_grid_gives_the_same_image():
    data = RNG.integers(-500, 500, (5, 6, 7)).astype(np.int16)
    affine = np.diag([1.4, 1.4, 3.0, 1.0])
    shape, same = parallel_grid(Volume(data, affine), [1.4, 1.4, 3.0])
    np.testing.assert_array_equal(resample_parallel(Volume(data, affine), shape, same).data, data)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_finer_is_what_interpolation_point_by_point_gives(order, sign):
    volume = Volume(RNG.random((6, 7, 8), np.float32), np.diag([3.0, 3.0, 5.0, 1.0]))
    fine = np.zeros((4, 4))
    fine[order, range(3)] = np.array([1.1, 1.3, 1.7]) * [sign, 1, 1]
    fine[:3, 3] = 8.0  # well inside, whichever way the axes run
    fine[3, 3] = 1
    wanted = resample(volume, (5, 5, 6), fine)
    found = resample_parallel(volume, (5, 5, 6), fine)
    inside = wanted.data > 0
    assert inside.any()
    np.testing.assert_allclose(found.data[inside], wanted.data[inside], atol=1e-5)


def test_coarser_keeps_the_mean():
    data = RNG.random((32, 24, 20), np.float32)
    volume = Volume(data, np.diag([1.0, 1.0, 2.0, 1.0]))
    shape, affine = parallel_grid(volume, [4.0, 3.0, 5.0])
    coarse = resample_parallel(volume, shape, affine)
    assert coarse.data.dtype == np.float32 and coarse.data.shape == (8, 8, 8)
    assert coarse.data.mean() == pytest.approx(data.mean(), rel=1e-5)


def test_oblique_grids_are_refused():
    angle = np.deg2rad(5)
    turned = np.eye(4)
    turned[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    with pytest.raises(ValueError, match="not parallel"):
        resample_parallel(Volume(np.zeros((9, 9, 9)), np.eye(4)), (9, 9, 9), turned)

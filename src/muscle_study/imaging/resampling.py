"""Fast separable resampling between grids with parallel axes.

A voxel of a coarser grid has the mean of the voxels that it covers, so that noise and partial
volume are those of a coarser scan; a voxel of a finer grid is interpolated linearly.
"""

import nibabel as nib
import numpy as np

from muscle_study.imaging.volumes import Volume

#: Greatest deviation of parallel axes along the whole target grid, voxel edges.
PARALLEL = 1e-3


def parallel_grid(volume: Volume, spacing_mm: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Return shape and affine of the grid that covers a volume along the volume's own axes.

    Both have the same centre. The axes of the grid, and `spacing_mm` along them, are in the order
    nearest to R, A and S.
    """
    orientation = nib.io_orientation(volume.affine)
    turned = volume.affine @ nib.orientations.inv_ornt_aff(orientation, volume.data.shape)
    voxels = np.array(volume.data.shape)[orientation[:, 0].argsort()]
    factor = np.asarray(spacing_mm) / nib.affines.voxel_sizes(turned)
    extent = voxels / factor
    # a tolerance, so that rounding in the header does not add an empty slice
    shape = tuple(int(n) for n in np.maximum(np.ceil(extent - 1e-3), 1))
    scale = np.diag([*factor, 1.0])
    scale[:3, 3] = ((voxels - 1) - factor * (np.array(shape) - 1)) / 2
    return shape, turned @ scale


def resample_parallel(volume: Volume, shape: tuple[int, ...], affine: np.ndarray) -> Volume:
    """Return a volume on a grid with parallel axes in any order and direction, float32.

    Voxels outside the volume are 0.

    Raises
    ------
    ValueError
        If the axes are not parallel.
    """
    to_source = np.linalg.inv(volume.affine) @ affine
    steps = to_source[:3, :3]
    source_axis = abs(steps).argmax(axis=0)
    across = steps.copy()
    across[source_axis, range(3)] = 0
    if sorted(source_axis) != [0, 1, 2] or (abs(across) * shape > PARALLEL).any():
        raise ValueError("the axes of the two grids are not parallel")
    data = volume.data.transpose(source_axis)
    weights = [
        axis_weights(data.shape[axis], shape[axis], steps[source, axis], to_source[source, 3])
        for axis, source in enumerate(source_axis)
    ]
    # for speed, the axis that shrinks most comes first
    order = sorted(range(3), key=lambda axis: shape[axis] / data.shape[axis])
    # in memory order, so that no step copies the data
    reverse = data.strides[0] < data.strides[2]
    if reverse:
        data, order = data.T, [2 - axis for axis in order]
        weights.reverse()
    data = data.astype(np.float32, copy=False)
    for axis in order:
        data = _combine(weights[axis], data, axis)
    return Volume(np.ascontiguousarray(data.T if reverse else data), affine)


def _combine(weights: np.ndarray, data: np.ndarray, axis: int) -> np.ndarray:
    """Return weighted sums along one of three axes, one for each row of `weights`."""
    if axis == 0:
        sums = weights @ data.reshape(len(data), -1)
        return sums.reshape(len(weights), *data.shape[1:])
    return weights @ data if axis == 1 else data @ weights.T


def axis_weights(n_source: int, n_target: int, step: float, start: float) -> np.ndarray:
    """Return the weight of each source voxel in each target voxel along an axis.

    The centre of target voxel i lies at ``start + step * i`` in source voxels.

    Returns
    -------
    numpy.ndarray
        Shape (n_target, n_source), float32; a row adds up to 1, or to 0 outside the source.
    """
    middles = start + step * np.arange(n_target)
    voxels = np.arange(n_source)
    if abs(step) > 1:
        reach = abs(step) / 2
        low, high = middles[:, None] - reach, middles[:, None] + reach
        weights = (np.minimum(high, voxels + 0.5) - np.maximum(low, voxels - 0.5)).clip(0)
        covered = weights.sum(axis=1, keepdims=True)
        weights = np.divide(weights, covered, out=np.zeros_like(weights), where=covered > 1e-6)
    else:
        inside = middles.clip(0, n_source - 1)  # the outer half of border voxels is constant
        weights = (1 - abs(inside[:, None] - voxels)).clip(0)
        weights[(middles < -0.5 - 1e-6) | (middles > n_source - 0.5 + 1e-6)] = 0
    return weights.astype(np.float32)

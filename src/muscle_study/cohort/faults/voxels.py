"""Faults of voxels: missing images, wrong names and impossible values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.muscles import STRUCTURES

#: Number of slices that a wrong shape lacks.
LOST_SLICES = 2
#: Label without a meaning.
UNKNOWN = max(STRUCTURES) + 5


def without_images(scan: Scan) -> Scan:
    """Remove all images."""
    return replace(scan, contrasts={}, stations=[])


def without_contrast(scan: Scan, contrast: str) -> Scan:
    """Remove a contrast."""
    return scan.with_images(
        lambda contrasts: {name: image for name, image in contrasts.items() if name != contrast}
    )


def mislabelled(scan: Scan, one: str, other: str) -> Scan:
    """Exchange the names of two contrasts."""
    return scan.with_images(
        lambda contrasts: {**contrasts, one: contrasts[other], other: contrasts[one]}
    )


def nan_voxels(scan: Scan, contrast: str) -> Scan:
    """Put NaN into a line of voxels in the first slice of a contrast, which becomes float32."""

    def change(data: np.ndarray) -> np.ndarray:
        data = data.astype(np.float32)
        data[data.shape[0] // 2, :, 0] = np.nan
        return data

    return _changed(scan, contrast, change)


def wrong_shape(scan: Scan, contrast: str) -> Scan:
    """Remove the last slices of a contrast."""
    return _changed(scan, contrast, lambda data: data[:, :, :-LOST_SLICES])


def unknown_label(scan: Scan) -> Scan:
    """Give one voxel of the reference labels a value without a meaning."""
    data = scan.labels.data.copy()
    data[0, 0, 0] = UNKNOWN
    return replace(scan, labels=Volume(data, scan.labels.affine))


def _changed(scan: Scan, contrast: str, change: Callable[[np.ndarray], np.ndarray]) -> Scan:
    """Return the scan with the voxels of one contrast changed."""

    def changed(contrasts: dict[str, Volume]) -> dict[str, Volume]:
        volume = contrasts[contrast]
        return {**contrasts, contrast: Volume(change(volume.data), volume.affine)}

    return scan.with_images(changed)

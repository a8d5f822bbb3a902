"""Images and labels with missing or impossible voxels."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.muscles import STRUCTURES

#: Slices that a wrong shape lacks.
LOST_SLICES = 2
#: Means nothing in any label map of the project.
UNKNOWN = max(STRUCTURES) + 5


def without_images(scan: Scan) -> Scan:
    """Leave out every image."""
    return replace(scan, contrasts={}, stations=[])


def without_contrast(scan: Scan, contrast: str) -> Scan:
    """Leave out a contrast."""

    def rest(contrasts: dict[str, Volume]) -> dict[str, Volume]:
        return {name: volume for name, volume in contrasts.items() if name != contrast}

    return replace(
        scan,
        contrasts=rest(scan.contrasts),
        stations=[rest(station) for station in scan.stations],
    )


def mislabelled(scan: Scan, one: str, other: str) -> Scan:
    """Put two contrasts under each other's names."""

    def exchanged(contrasts: dict[str, Volume]) -> dict[str, Volume]:
        return {**contrasts, one: contrasts[other], other: contrasts[one]}

    return replace(
        scan,
        contrasts=exchanged(scan.contrasts),
        stations=[exchanged(station) for station in scan.stations],
    )


def nan_voxels(scan: Scan, contrast: str) -> Scan:
    """Put NaN into a line of voxels in the first slice of a contrast, which becomes float32."""

    def change(data: np.ndarray) -> np.ndarray:
        data = data.astype(np.float32)
        data[data.shape[0] // 2, :, 0] = np.nan
        return data

    return _changed(scan, contrast, change)


def wrong_shape(scan: Scan, contrast: str) -> Scan:
    """Leave out the last slices of a contrast."""
    return _changed(scan, contrast, lambda data: data[:, :, :-LOST_SLICES])


def unknown_label(scan: Scan) -> Scan:
    """Give a voxel of the reference labels a value that stands for nothing."""
    data = scan.labels.data.copy()
    data[0, 0, 0] = UNKNOWN
    return replace(scan, labels=Volume(data, scan.labels.affine))


def _changed(scan: Scan, contrast: str, change: Callable[[np.ndarray], np.ndarray]) -> Scan:
    """Change the voxels of a contrast, composed and in each station."""

    def each(contrasts: dict[str, Volume]) -> dict[str, Volume]:
        volume = contrasts[contrast]
        return {**contrasts, contrast: Volume(change(volume.data), volume.affine)}

    return replace(
        scan,
        contrasts=each(scan.contrasts),
        stations=[each(station) for station in scan.stations],
    )

"""Affines that do not say where the voxels are."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from muscle_study.cohort.faults.dixon import axis_mm
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

#: World axis of the directions that can be turned round.
DIRECTIONS = {"left-right": 0, "head-feet": 2}


def identity_affine(scan: Scan) -> Scan:
    """Lose the images' affine, as conversions do; reference labels keep theirs."""
    return placed(scan, lambda _: np.eye(4))


def flipped_affine(scan: Scan, direction: str) -> Scan:
    """Reflect the images' affine at the middle of the volume; reference labels keep theirs.

    Parameters
    ----------
    scan
        The scan.
    direction
        ``left-right`` or ``head-feet``.
    """
    axis = DIRECTIONS[direction]
    places = axis_mm(scan.contrasts["water"], axis)
    mirror = np.eye(4)
    mirror[axis, axis] = -1
    mirror[axis, 3] = places[0] + places[-1]
    return placed(scan, lambda affine: mirror @ affine)


def placed(scan: Scan, change: Callable[[np.ndarray], np.ndarray]) -> Scan:
    """Return the scan with its images' affines changed."""

    def each(contrasts: dict[str, Volume]) -> dict[str, Volume]:
        return {
            name: Volume(volume.data, change(volume.affine)) for name, volume in contrasts.items()
        }

    return replace(
        scan,
        contrasts=each(scan.contrasts),
        stations=[each(station) for station in scan.stations],
    )

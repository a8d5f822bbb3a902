"""Faults of affines."""

from collections.abc import Callable

import numpy as np

from muscle_study.cohort.faults.dixon import axis_mm
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

#: World axis of each direction that can be reversed.
DIRECTIONS = {"left-right": 0, "head-feet": 2}


def identity_affine(scan: Scan) -> Scan:
    """Replace the images' affine by the identity; reference labels keep theirs."""
    return _changed(scan, lambda _: np.eye(4))


def flipped_affine(scan: Scan, direction: str) -> Scan:
    """Reflect the images' affine along one of `DIRECTIONS`; reference labels keep theirs."""
    axis = DIRECTIONS[direction]
    places = axis_mm(scan.contrasts["water"], axis)
    mirror = np.eye(4)
    mirror[axis, axis] = -1
    mirror[axis, 3] = places[0] + places[-1]
    return _changed(scan, lambda affine: mirror @ affine)


def _changed(scan: Scan, change: Callable[[np.ndarray], np.ndarray]) -> Scan:
    return scan.with_images(
        lambda contrasts: {
            name: Volume(volume.data, change(volume.affine)) for name, volume in contrasts.items()
        }
    )

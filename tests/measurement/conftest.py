import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.muscles import Label


def boxes(spacing_mm=(2.0, 3.0, 5.0)) -> Volume:
    """Return an upright label map of four boxes that can be counted by hand.

    Voxels: psoas left 2x2 in slices 2–5, but 3x2 in slice 4; psoas right 2x3 in slices 2–5;
    gluteus left 3x3x2 from slice 0; gluteus right 4x3x2 from slice 1.
    """
    data = np.zeros((14, 10, 8), np.uint8)
    data[4:6, 6:8, 2:6] = Label.PSOAS_LEFT
    data[3:6, 6:8, 4] = Label.PSOAS_LEFT
    data[8:10, 6:9, 2:6] = Label.PSOAS_RIGHT
    data[3:6, 1:4, 0:2] = Label.GLUTEUS_LEFT
    data[8:12, 1:4, 1:3] = Label.GLUTEUS_RIGHT
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -14, -15, 100
    return Volume(data, affine)


def grid(spacing_mm, tilt_degrees, axes, flips, half_mm=55.0) -> Volume:
    """Return an empty cube-shaped label map around the origin, its axes in any order and sense."""
    signed = np.eye(3)[:, list(axes)] * np.where(flips, -1, 1)
    rotation = Rotation.from_euler("xyz", tilt_degrees, degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = rotation @ signed * spacing_mm
    shape = tuple(int(np.ceil(2 * half_mm / mm)) for mm in spacing_mm)
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Volume(np.zeros(shape, np.uint8), affine)


def add_ellipsoid(volume: Volume, label: Label, centre_mm, radii_mm) -> None:
    """Draw an ellipsoid whose axes are the participant's."""
    index = np.indices(volume.data.shape).reshape(3, -1)
    place = volume.affine[:3, :3] @ index + volume.affine[:3, 3:]
    distance = (place - np.reshape(centre_mm, (3, 1))) / np.reshape(radii_mm, (3, 1))
    volume.data[((distance**2).sum(axis=0) < 1).reshape(volume.data.shape)] = label


@pytest.fixture
def four_boxes() -> Volume:
    return boxes()


@pytest.fixture
def empty_grid():
    return grid


@pytest.fixture
def ellipsoid():
    return add_ellipsoid

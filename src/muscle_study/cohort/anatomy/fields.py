"""Smooth random fields."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

#: SD of a cubic B-spline with independent heights of SD 1 in three dimensions: along one axis the
#: mean over a cell of the sum of squared weights is 151/315.
SPLINE_SD = (151 / 315) ** 1.5

Axes = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Region that is drawn and scanned (mm): low and high of x, y and z, with z = 0 at the promontory.
#: In the plane it is NAKO's: 320 x 260 voxels of 1.40625 mm.
FIELD_OF_VIEW_MM = ((-225.0, 225.0), (-195.0, 170.625), (-252.0, 228.0))


@dataclass(frozen=True)
class SmoothField:
    """Random field of mean 0 and SD 1: Gaussian bumps of random height on a lattice.

    ``heights`` has shape (kz, ky, kx), ``low_mm`` is the first point of the lattice (x, y, z), and
    ``length_mm`` is both its pitch and the width of a bump.
    """

    heights: np.ndarray
    low_mm: np.ndarray
    length_mm: float

    @classmethod
    def draw(
        cls, box_mm: tuple[tuple[float, float], ...], length_mm: float, rng: np.random.Generator
    ) -> "SmoothField":
        """Draw a field over a box (low and high of x, y, z)."""
        low = np.array([low for low, _ in box_mm]) - 2 * length_mm
        counts = [int((high - low) / length_mm) + 5 for low, high in reversed(box_mm)]
        return cls(rng.standard_normal(counts, np.float32), low, length_mm)

    def at(self, axes_mm: Axes) -> np.ndarray:
        """Return the field on the grid of axes x, y, z: shape (nz, ny, nx), float32."""
        field = self.heights
        for axis_mm, low in zip(reversed(axes_mm), reversed(self.low_mm), strict=True):
            place = (axis_mm - low) / self.length_mm
            bumps = np.exp(-((place - np.arange(field.shape[0])[:, None]) ** 2))
            # the sum of squares is the variance that independent heights of SD 1 give
            bumps /= np.sqrt((bumps**2).sum(axis=0))
            # contracts the first axis and appends the new one: after three turns the order is back
            field = np.tensordot(field, bumps.astype(np.float32), axes=(0, 0))
        return field

    def at_points(self, x_mm: np.ndarray, y_mm: np.ndarray, z_mm: np.ndarray) -> np.ndarray:
        """Return a field of the same heights at single points, shape (n,); SD about 1.

        Cubic B-splines replace the Gaussian bumps; outside the box the edge value continues.
        """
        points = np.stack([z_mm, y_mm, x_mm]).astype(np.float32)
        points -= self.low_mm[::-1, None].astype(np.float32)
        points /= np.float32(self.length_mm)
        smooth = ndimage.map_coordinates(
            self.heights, points, order=3, prefilter=False, mode="nearest"
        )
        return smooth / np.float32(SPLINE_SD)

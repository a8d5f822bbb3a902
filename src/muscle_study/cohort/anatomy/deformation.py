"""Posture and irregularity of a body as maps that keep every axial area.

A shift, a rotation about z and shears within the axial plane (x moves by a function of y, then y
by a function of x) keep the area of any section, so the true sizes of a deformed muscle stay exact.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator


@dataclass(frozen=True)
class Waves:
    """A smooth random function of one in-plane coordinate and z: a sum of k plane waves.

    Each field has shape (k,); the wave numbers ``across`` (over the coordinate) and ``along`` (over
    z) are in radians per mm, ``phase`` in radians.
    """

    amplitude_mm: np.ndarray
    across: np.ndarray
    along: np.ndarray
    phase: np.ndarray

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        sd_mm: float,
        lengths_mm: tuple[float, float],
        count: int = 6,
    ) -> "Waves":
        """Draw waves with lengths in `lengths_mm` and an SD of `sd_mm` of their sum."""
        number = 2 * np.pi / rng.uniform(*lengths_mm, count)
        direction = rng.uniform(0, 2 * np.pi, count)
        return cls(
            np.full(count, sd_mm * np.sqrt(2 / count)),
            number * np.cos(direction),
            number * np.sin(direction),
            rng.uniform(0, 2 * np.pi, count),
        )

    def at(self, coordinate_mm: np.ndarray, z_mm: float) -> np.ndarray:
        """Return the function at coordinates of shape (n,) and height `z_mm`."""
        angles = np.outer(coordinate_mm, self.across) + self.along * z_mm + self.phase
        return np.sin(angles) @ self.amplitude_mm

    @property
    def reach_mm(self) -> float:
        """Upper bound of the displacement."""
        return float(abs(self.amplitude_mm).sum())


#: Step of the lookup table of the second shear (mm). A stepwise shear keeps areas too.
TABLE_MM = 0.25


@dataclass(frozen=True)
class Deformation:
    """Map from the body's coordinates to the scanner's: rotation about z, shift, then shears.

    The knots ``z_mm``, ``shift_x_mm`` and ``shift_y_mm`` describe the curves of the spine and the
    body's offset; ``shear_x`` displaces x by y and z, ``shear_y`` y by x and z.
    """

    z_mm: np.ndarray
    shift_x_mm: np.ndarray
    shift_y_mm: np.ndarray
    rotation: float = 0.0
    shear_x: Waves | None = None
    shear_y: Waves | None = None

    @classmethod
    def none(cls) -> "Deformation":
        """Return the identity."""
        return cls(np.array([-1000.0, 1000.0]), np.zeros(2), np.zeros(2))

    @cached_property
    def _course(self) -> PchipInterpolator:
        return PchipInterpolator(self.z_mm, np.column_stack([self.shift_x_mm, self.shift_y_mm]))

    def shift_mm(self, z_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the shifts in x and y at heights of shape (n,)."""
        x, y = self._course(z_mm).T
        return x, y

    @property
    def reach_mm(self) -> float:
        """Upper bound of the displacement by the shears."""
        return sum(waves.reach_mm for waves in (self.shear_x, self.shear_y) if waves is not None)

    def body_coordinates(
        self,
        x_mm: np.ndarray,
        y_mm: np.ndarray,
        z_mm: float,
        columns: slice = slice(None),
        lines: slice = slice(None),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return body coordinates of points of a slice: two arrays (lines, columns), float32.

        `x_mm` and `y_mm` are the rising scanner coordinates of the columns and lines of the whole
        slice, of which `columns` and `lines` select a part.
        """
        y_mm = y_mm[lines]
        wanted_x = x_mm[columns].astype(np.float32)
        x = np.broadcast_to(wanted_x, (len(y_mm), len(wanted_x)))
        y = np.broadcast_to(y_mm.astype(np.float32)[:, None], x.shape)
        if self.shear_y is not None:
            reach = 0.0 if self.shear_x is None else self.shear_x.reach_mm
            low = x_mm[0] - reach
            table_x = np.arange(low, x_mm[-1] + reach + 2 * TABLE_MM, TABLE_MM)
            table = self.shear_y.at(table_x, z_mm).astype(np.float32)
        if self.shear_x is not None:
            x = x - self.shear_x.at(y_mm, z_mm).astype(np.float32)[:, None]
        if self.shear_y is not None:
            y = y - table[((x - np.float32(low)) * np.float32(1 / TABLE_MM)).astype(np.int32)]
        shift_x, shift_y = (np.float32(s[0]) for s in self.shift_mm(np.array([z_mm])))
        cos_r, sin_r = np.float32(np.cos(self.rotation)), np.float32(np.sin(self.rotation))
        x, y = x - shift_x, y - shift_y
        return cos_r * x + sin_r * y, cos_r * y - sin_r * x

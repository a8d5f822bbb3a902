"""Continuous shapes whose axial area is known in closed form.

A `Stack` is a closed section at each height z, its centre, semi-axes, angle and outline running
smoothly along z. The maximum cross-sectional area and the volume are exact, and stay so under
every `Deformation`, since those keep areas within an axial plane.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from muscle_study.cohort.anatomy.tissues import Tissue

#: Sectors in which the radius of a section is constant. At a radius of 50 mm one is 1.2 mm wide.
SECTORS = 256
#: The sectors' middles, anticlockwise from the a-axis.
SECTOR_ANGLES = 2 * np.pi * (np.arange(SECTORS) + 0.5) / SECTORS

#: Of a stack that is shrunk away this much is left (mm), too little to be seen.
LEAST_MM = 0.05


class Sections(NamedTuple):
    """A stack's axial sections at given heights; each field has the heights' length.

    ``radius`` has shape (n, SECTORS): the section's radius in units of its semi-axes; None where
    it is an ellipse, whose radius is 1.
    """

    x_mm: np.ndarray
    y_mm: np.ndarray
    a_mm: np.ndarray
    b_mm: np.ndarray
    angle: np.ndarray
    radius: np.ndarray | None


@dataclass(frozen=True)
class Stack:
    """Sections piled along z.

    Parameters
    ----------
    rows
        Shape (k, 5), by rising z: z, centre x, centre y, semi-axes a and b, all mm.
    angle_deg
        Of the a-axis against x, anticlockwise seen from the head; one value, or one a row.
    bend_per_mm
        Curvature of the a-axis: a point at u along it is moved by ``bend · u²`` along b.
    exponent
        2 for an ellipse, larger for a rounder box.
    outline
        Factor on the radius by angle, shape (m,) or (k, m), at m equal steps anticlockwise from
        the a-axis, in units of the semi-axes; between the steps a periodic cubic spline. None: 1.
    """

    rows: np.ndarray
    angle_deg: float | np.ndarray = 0.0
    bend_per_mm: float = 0.0
    exponent: float = 2.0
    outline: np.ndarray | None = None

    @property
    def z_range_mm(self) -> tuple[float, float]:
        """Lowest and highest section."""
        return float(self.rows[0, 0]), float(self.rows[-1, 0])

    @cached_property
    def _along_z(self) -> PchipInterpolator:
        """Monotone interpolation, which keeps the largest knot the largest section."""
        angles = np.broadcast_to(self.angle_deg, len(self.rows))
        knots = np.column_stack([self.rows[:, 1:], np.deg2rad(angles)])
        if self._radius_varies:
            knots = np.column_stack([knots, self._radius])
        return PchipInterpolator(self.rows[:, 0], knots, extrapolate=False)

    @property
    def _radius_varies(self) -> bool:
        return self.outline is not None and np.ndim(self.outline) == 2

    @cached_property
    def _radius(self) -> np.ndarray | None:
        """Radius by sector, shape (SECTORS,) or (k, SECTORS)."""
        if self.exponent == 2 and self.outline is None:
            return None
        n = self.exponent
        radius = (abs(np.cos(SECTOR_ANGLES)) ** n + abs(np.sin(SECTOR_ANGLES)) ** n) ** (-1 / n)
        if self.outline is None:
            return radius
        factor = np.asarray(self.outline, float)
        closed = np.concatenate([factor, factor[..., :1]], axis=-1)
        steps = np.linspace(0, 2 * np.pi, closed.shape[-1])
        return radius * CubicSpline(steps, closed, axis=-1, bc_type="periodic")(SECTOR_ANGLES)

    def sections(self, z_mm: np.ndarray) -> Sections:
        """Interpolate the sections at `z_mm`; semi-axes are zero outside the stack."""
        values = np.nan_to_num(self._along_z(z_mm))
        x, y, a, b, angle = values[:, :5].T
        if self._radius_varies:
            radius = values[:, 5:]
        elif self._radius is not None:
            radius = np.broadcast_to(self._radius, (len(values), SECTORS))
        else:
            radius = None
        return Sections(x, y, a, b, angle, radius)

    def area_mm2(self, z_mm: np.ndarray) -> np.ndarray:
        """Return the exact area of the axial sections at `z_mm`."""
        sections = self.sections(z_mm)
        of_radius = 1.0 if sections.radius is None else (sections.radius**2).mean(axis=1)
        return np.pi * of_radius * sections.a_mm * sections.b_mm

    def volume_mm3(self) -> float:
        """Integrate the sections' areas along z (trapezoids of 0.1 mm: relative error < 1e-5)."""
        z = self.heights_mm()
        return float(np.trapezoid(self.area_mm2(z), z))

    def max_area_mm2(self) -> float:
        """Return the largest axial section, among heights 0.1 mm apart and the knots."""
        return float(self.area_mm2(np.append(self.heights_mm(), self.rows[:, 0])).max())

    def heights_mm(self) -> np.ndarray:
        """Return heights from end to end, at most 0.1 mm apart."""
        low, high = self.z_range_mm
        return np.linspace(low, high, int(np.ceil((high - low) / 0.1)) + 1)

    def mirrored(self) -> Self:
        """Return the stack reflected at x = 0."""
        outline = self.outline
        if outline is not None:  # turning the other way round, from the same first step
            outline = np.roll(np.flip(outline, axis=-1), 1, axis=-1)
        return replace(
            self,
            rows=self.rows * [1, -1, 1, 1, 1],
            angle_deg=180 - np.asarray(self.angle_deg),
            bend_per_mm=-self.bend_per_mm,
            outline=outline,
        )

    def inflated(self, by_mm: float) -> Self:
        """Return the stack with semi-axes larger by `by_mm` and its ends further by as much.

        A stack that shrinks (negative `by_mm`) is pressed together along z; of one that is too
        small for that, next to nothing is left.
        """
        rows = self.rows.copy()
        rows[:, 3:] = np.maximum(rows[:, 3:] + by_mm, LEAST_MM)
        low, high = self.z_range_mm
        if by_mm >= 0:
            rows[0, 0], rows[-1, 0] = low - by_mm, high + by_mm
        else:
            middle, half = (low + high) / 2, (high - low) / 2
            rows[:, 0] = middle + (rows[:, 0] - middle) * max(1 + by_mm / half, LEAST_MM / half)
        return replace(self, rows=rows)


@dataclass(frozen=True)
class Part:
    """A piece of the body.

    Parameters
    ----------
    tissue
        What it is made of.
    stack
        Its shape.
    breathes
        Whether breathing moves it: organs and the belly's wall, but no muscle that is measured.
    """

    tissue: Tissue
    stack: Stack
    breathes: bool = False


def both_sides(tissue: Tissue, right: Stack, breathes: bool = False) -> list[Part]:
    """Return a part of the right side and its mirror image."""
    return [Part(tissue, right, breathes), Part(tissue, right.mirrored(), breathes)]

"""Continuous shapes with axial areas in closed form.

A `Stack` has a closed section at each height z, with centre, semi-axes, angle and outline that
vary smoothly along z. The largest cross-sectional area and the volume are exact, also under a
`Deformation`, which keeps areas within an axial plane.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from scipy.interpolate import CubicSpline, PchipInterpolator

from muscle_study.cohort.anatomy.tissues import Tissue

#: Number of sectors with a constant radius. At a radius of 50 mm a sector is 1.2 mm wide.
SECTORS = 256
#: Middles of the sectors, anticlockwise from the a-axis, radians.
SECTOR_ANGLES = 2 * np.pi * (np.arange(SECTORS) + 0.5) / SECTORS

#: Size below which no stack shrinks (mm), too small to be visible.
LEAST_MM = 0.05


class Sections(NamedTuple):
    """Axial sections of a stack at n heights: each field has shape (n,).

    ``radius`` has shape (n, SECTORS): radius in units of the semi-axes; None for ellipses.
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
        z (rising), centre x and y, semi-axes a and b, mm, shape (k, 5).
    angle_deg
        Angle of the a-axis from x, towards y; one value, or one per row.
    bend_per_mm
        Curvature of the a-axis: a point at u along a moves by ``bend · u²`` along b.
    exponent
        Exponent of the superellipse: 2 for an ellipse, larger for a fuller section.
    outline
        Factor on the radius at m equal angles anticlockwise from the a-axis, in units of the
        semi-axes, interpolated by a periodic cubic spline, shape (m,) or (k, m); None for 1.
    """

    rows: np.ndarray
    angle_deg: float | np.ndarray = 0.0
    bend_per_mm: float = 0.0
    exponent: float = 2.0
    outline: np.ndarray | None = None

    @property
    def z_range_mm(self) -> tuple[float, float]:
        """Heights of the lowest and the highest section."""
        return float(self.rows[0, 0]), float(self.rows[-1, 0])

    @cached_property
    def _along_z(self) -> PchipInterpolator:
        """Monotone interpolation: no section is larger than the largest knot's."""
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
        """Return the sections at heights `z_mm`; semi-axes are zero outside the stack."""
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
        """Return the exact areas of the sections at heights `z_mm`."""
        sections = self.sections(z_mm)
        of_radius = 1.0 if sections.radius is None else (sections.radius**2).mean(axis=1)
        return np.pi * of_radius * sections.a_mm * sections.b_mm

    def volume_mm3(self) -> float:
        """Return the volume (trapezoids of 0.1 mm: relative error below 1e-5)."""
        z = self.heights_mm()
        return float(np.trapezoid(self.area_mm2(z), z))

    def max_area_mm2(self) -> float:
        """Return the largest section at the knots and at heights 0.1 mm apart."""
        return float(self.area_mm2(np.append(self.heights_mm(), self.rows[:, 0])).max())

    def heights_mm(self) -> np.ndarray:
        """Return heights from end to end, at most 0.1 mm apart."""
        low, high = self.z_range_mm
        return np.linspace(low, high, int(np.ceil((high - low) / 0.1)) + 1)

    def mirrored(self) -> Self:
        """Return the stack reflected at x = 0."""
        outline = self.outline
        if outline is not None:  # reversed direction, same first angle
            outline = np.roll(np.flip(outline, axis=-1), 1, axis=-1)
        return replace(
            self,
            rows=self.rows * [1, -1, 1, 1, 1],
            angle_deg=180 - np.asarray(self.angle_deg),
            bend_per_mm=-self.bend_per_mm,
            outline=outline,
        )

    def inflated(self, by_mm: float) -> Self:
        """Return the stack with semi-axes and ends extended by `by_mm`.

        A negative `by_mm` shrinks the stack, and compresses all rows along z; `LEAST_MM` remains.
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
    """A stack of one tissue; `breathes` tells whether it moves with breathing."""

    tissue: Tissue
    stack: Stack
    breathes: bool = False


def both_sides(tissue: Tissue, right: Stack) -> list[Part]:
    """Return a part of the right side and its reflection."""
    return [Part(tissue, right), Part(tissue, right.mirrored())]

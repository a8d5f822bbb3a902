"""Sampling of a body: the tissue at the points of a grid."""

from dataclasses import dataclass, field

import numpy as np

from muscle_study.cohort.anatomy.deformation import Deformation
from muscle_study.cohort.anatomy.shapes import SECTORS, Part, Sections
from muscle_study.protocol.muscles import Label


@dataclass(frozen=True)
class Breath:
    """Displacement of the parts that move with breathing."""

    y_mm: float = 0.0
    z_mm: float = 0.0


@dataclass(frozen=True)
class Body:
    """A participant's body: parts in painting order, later ones covering earlier ones.

    The parts of each labelled muscle in ``muscles`` are painted last.
    """

    parts: list[Part]
    muscles: dict[Label, list[Part]] = field(default_factory=dict)
    deformation: Deformation = field(default_factory=Deformation.none)

    @property
    def painted(self) -> list[Part]:
        """All parts in painting order."""
        return [*self.parts, *(part for parts in self.muscles.values() for part in parts)]


Axes = tuple[np.ndarray, np.ndarray, np.ndarray]


def sample(body: Body, axes_mm: Axes, breath: Breath | None = None) -> np.ndarray:
    """Return the tissue at each point of a grid: shape (nz, ny, nx), uint8.

    `axes_mm` are the rising x, y and z of the points. Each slice is independent of the others.
    """
    x_mm, y_mm, z_mm = axes_mm
    tissues = np.zeros((len(z_mm), len(y_mm), len(x_mm)), np.uint8)
    placed = [
        placing
        for part in body.painted
        if (placing := _place(part, axes_mm, body.deformation, breath)) is not None
    ]
    for index, height in enumerate(z_mm):
        here = [placing for placing in placed if placing.first <= index < placing.last]
        if here:
            # for speed, only the box around the parts of this slice
            x0, x1, y0, y1 = np.array([placing.boxes[index - placing.first] for placing in here]).T
            columns, lines = slice(x0.min(), x1.max()), slice(y0.min(), y1.max())
            x, y = body.deformation.body_coordinates(x_mm, y_mm, height, columns, lines)
            for placing in here:
                placing.paint(tissues[index], index, x, y, columns.start, lines.start)
    return tissues


@dataclass(frozen=True)
class _Placed:
    """A part's sections at the slices from `first` to `last`, with a box of points around each.

    ``boxes`` has shape (n, 4): first and last column, first and last line.
    """

    part: Part
    first: int
    last: int
    sections: Sections
    boxes: np.ndarray

    def paint(
        self,
        tissues: np.ndarray,
        index: int,
        x: np.ndarray,
        y: np.ndarray,
        first_column: int,
        first_line: int,
    ) -> None:
        """Set the points inside the section of slice `index`, in place.

        `x` and `y` are the body coordinates of the points from `first_column` and `first_line` on.
        """
        i = index - self.first
        x0, x1, y0, y1 = self.boxes[i]
        section = self.sections
        if x0 == x1 or y0 == y1 or section.a_mm[i] <= 0 or section.b_mm[i] <= 0:
            return
        known = slice(y0 - first_line, y1 - first_line), slice(x0 - first_column, x1 - first_column)
        dx = x[known] - np.float32(section.x_mm[i])
        dy = y[known] - np.float32(section.y_mm[i])
        cos_a, sin_a = np.float32(np.cos(section.angle[i])), np.float32(np.sin(section.angle[i]))
        u, v = cos_a * dx + sin_a * dy, cos_a * dy - sin_a * dx
        if self.part.stack.bend_per_mm:
            v -= np.float32(self.part.stack.bend_per_mm) * u**2
        u *= np.float32(1 / section.a_mm[i])
        v *= np.float32(1 / section.b_mm[i])
        radius2 = u * u + v * v
        if section.radius is None:
            inside = radius2 <= 1
        else:
            inside = _within(radius2, u, v, (section.radius[i] ** 2).astype(np.float32))
        tissues[y0:y1, x0:x1][inside] = self.part.tissue


def _within(radius2: np.ndarray, u: np.ndarray, v: np.ndarray, limit2: np.ndarray) -> np.ndarray:
    """Return which squared radii are at most the squared radius of their sector."""
    inside = radius2 <= limit2.min()
    # computing angles is slow: only where they decide
    unsure = (radius2 <= limit2.max()) & ~inside
    angle = np.arctan2(v[unsure], u[unsure])
    sector = (angle * np.float32(SECTORS / (2 * np.pi))).astype(np.float32)
    sector = np.floor(sector).astype(np.int32) % SECTORS
    inside[unsure] = radius2[unsure] <= limit2[sector]
    return inside


def _place(
    part: Part, axes_mm: Axes, deformation: Deformation, breath: Breath | None
) -> _Placed | None:
    """Return a part's sections on the grid; None if no slice meets the part."""
    x_mm, y_mm, z_mm = axes_mm
    stack = part.stack
    moved = breath if part.breathes and breath is not None else Breath()
    first, last = np.searchsorted(z_mm - moved.z_mm, stack.z_range_mm)
    if first == last:
        return None
    section = stack.sections(z_mm[first:last] - moved.z_mm)
    section = section._replace(y_mm=section.y_mm + moved.y_mm)
    # half the sides of a box around the section: in its own frame, the body's, the scanner's
    a, b = section.a_mm, section.b_mm
    if section.radius is not None:
        largest = section.radius.max(axis=1)
        a, b = a * largest, b * largest
    b = b + abs(stack.bend_per_mm) * a**2
    cos_a, sin_a = abs(np.cos(section.angle)), abs(np.sin(section.angle))
    along_x, along_y = cos_a * a + sin_a * b, sin_a * a + cos_a * b
    cos_r, sin_r = np.cos(deformation.rotation), np.sin(deformation.rotation)
    shift_x, shift_y = deformation.shift_mm(z_mm[first:last])
    centre_x = shift_x + cos_r * section.x_mm - sin_r * section.y_mm
    centre_y = shift_y + sin_r * section.x_mm + cos_r * section.y_mm
    reach_x = abs(cos_r) * along_x + abs(sin_r) * along_y + deformation.reach_mm
    reach_y = abs(sin_r) * along_x + abs(cos_r) * along_y + deformation.reach_mm
    boxes = [
        *np.searchsorted(x_mm, [centre_x - reach_x, centre_x + reach_x]),
        *np.searchsorted(y_mm, [centre_y - reach_y, centre_y + reach_y]),
    ]
    return _Placed(part, int(first), int(last), section, np.column_stack(boxes))

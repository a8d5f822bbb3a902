"""Shapes of a participant from tables of the reference body.

A table holds rows of z, x, y and two semi-axes (mm), from the feet up, of the right half or the
middle of a body of 175 cm. Positions and proportions are our reading of common anatomy, compared
with one segmented body in `atlas`.
"""

from collections.abc import Sequence

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, Stack, both_sides
from muscle_study.cohort.anatomy.tissues import Tissue

Rows = Sequence[tuple[float, ...]]


def stack(rows: Rows, body: Habitus, **shape) -> Stack:
    """Return a table scaled by height."""
    return Stack(np.array(rows, dtype=float) * body.scale, **shape)


def tube(rows: Rows, body: Habitus) -> Stack:
    """Return a round tube from rows of z, x, y and radius."""
    return stack([(z, x, y, radius, radius) for z, x, y, radius in rows], body)


def hip_stack(rows: Rows, body: Habitus, **shape) -> Stack:
    """Return a table scaled by height, with x scaled by the breadth of the pelvis as well."""
    wider = np.array(rows, dtype=float)
    wider[:, 1] *= body.hip
    return Stack(wider * body.scale, **shape)


def ellipsoid(
    place_mm: tuple[float, float, float],
    radii_mm: tuple[float, float, float],
    body: Habitus,
    **shape,
) -> Stack:
    """Return an ellipsoid from its centre and semi-axes x, y, z in the reference body."""
    height = np.cos(np.linspace(np.pi, 0, 9))
    share = np.sqrt(np.clip(1 - height**2, 1e-4, None))
    x, y, z = place_mm
    a, b, c = radii_mm
    rows = np.column_stack([z + height * c, np.full(9, x), np.full(9, y), share * a, share * b])
    return Stack(rows * body.scale, **shape)


def shelled(outside: Tissue, inside: Tissue, right: Stack, shell_mm: float) -> list[Part]:
    """Return a shape on both sides with a shell of another tissue, such as a bone with cortex."""
    return [*both_sides(outside, right), *both_sides(inside, right.inflated(-shell_mm))]

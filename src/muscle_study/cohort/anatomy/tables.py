"""How tables of the reference body become shapes of a participant.

A table holds the right half, or the middle, of a body of 175 cm: rows of z, x, y and two semi-axes
(mm), from the feet up. Positions and proportions are our reading of common anatomy, checked against
one segmented body (see `atlas`).
"""

from collections.abc import Sequence

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.tissues import Tissue

Rows = Sequence[tuple[float, ...]]


def stack(rows: Rows, body: Habitus, **shape) -> Stack:
    """Scale a table by height."""
    return Stack(np.array(rows, dtype=float) * body.scale, **shape)


def hip_stack(rows: Rows, body: Habitus, **shape) -> Stack:
    """Scale a table by height, and its distance from the middle by the pelvis's breadth."""
    wider = np.array(rows, dtype=float)
    wider[:, 1] *= body.hip
    return Stack(wider * body.scale, **shape)


def ellipsoid(
    place_mm: tuple[float, float, float],
    radii_mm: tuple[float, float, float],
    body: Habitus,
    **shape,
) -> Stack:
    """Return an ellipsoid: middle and semi-axes x, y, z of the reference body."""
    height = np.cos(np.linspace(np.pi, 0, 9))
    share = np.sqrt(np.clip(1 - height**2, 1e-4, None))
    x, y, z = place_mm
    a, b, c = radii_mm
    rows = np.column_stack([z + height * c, np.full(9, x), np.full(9, y), share * a, share * b])
    return Stack(rows * body.scale, **shape)


def shelled(outside: Tissue, inside: Tissue, right: Stack, shell_mm: float) -> list[Part]:
    """Return a shape on both sides whose rim, e.g. a bone's cortex, is another tissue."""
    core = right.inflated(-shell_mm)
    return [
        Part(tissue, shape)
        for tissue, side in ((outside, right), (inside, core))
        for shape in (side, side.mirrored())
    ]

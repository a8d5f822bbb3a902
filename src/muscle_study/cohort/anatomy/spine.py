"""The spine from T10 down and the sacrum."""

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, Stack, both_sides
from muscle_study.cohort.anatomy.tables import stack
from muscle_study.cohort.anatomy.tissues import Tissue

#: Height of a vertebra and of the disc above it (mm); the promontory lies at z = 0.
VERTEBRA_MM, DISC_MM = 26.0, 10.0

#: Vertebrae from L5 up to T10.
LEVELS = ("L5", "L4", "L3", "L2", "L1", "T12", "T11", "T10")

#: y of the middle of the vertebral bodies.
BODY_Y_MM = -28.0

#: Outline of a vertebral body in steps of 45° from the right: flat behind, at the canal.
BODY_OUTLINE = np.array([1.0, 0.98, 1.0, 0.98, 1.0, 0.99, 0.86, 0.99])


def level_z_mm(level: str) -> tuple[float, float]:
    """Return the heights of a vertebra's lower and upper end plate in the reference body."""
    low = LEVELS.index(level) * (VERTEBRA_MM + DISC_MM)
    return low, low + VERTEBRA_MM


def end_plate_mm(level: str) -> float:
    """Return half the breadth of a vertebra's end plates in the reference body."""
    return 25.0 - 0.9 * LEVELS.index(level)


def spine(body: Habitus) -> list[Part]:
    """Return vertebrae, discs, canal and sacrum."""
    parts = []
    for level in LEVELS:
        parts += _vertebra(*level_z_mm(level), half_mm=end_plate_mm(level), body=body)
    return [*parts, *_canal(body), *_sacrum(body)]


def _vertebra(low: float, high: float, half_mm: float, body: Habitus) -> list[Part]:
    half, depth, y = half_mm * body.frame, 17.0, BODY_Y_MM
    middle = (low + high) / 2

    def column(rows: list[tuple[float, float]], shrink_mm: float = 0.0) -> Stack:
        """Return a vertebral body from heights and shares of the breadth of the end plates."""
        return stack(
            [(z, 0, y, share * half - shrink_mm, share * depth - shrink_mm) for z, share in rows],
            body,
            exponent=2.4,
            outline=BODY_OUTLINE,
        )

    waist = [(low, 1.0), (low + 5, 0.95), (middle, 0.88), (high - 5, 0.95), (high, 1.0)]
    marrow = [(low + 0.8, 1.0), (low + 5, 0.95), (middle, 0.88), (high - 5, 0.95),
              (high - 0.8, 1.0)]  # fmt: skip
    disc = column([(high, 1.0), (high + DISC_MM / 2, 1.06), (high + DISC_MM, 1.0)])
    pedicle = stack(
        [(middle, 15, -50, 4, 9), (middle + 6, 15, -50, 6, 10), (high - 1, 15, -50, 3, 8)], body
    )
    lamina = stack(
        [(low - 6, 9, -68, 6, 4), (low + 6, 10, -66, 12, 5), (middle + 4, 11, -63, 8, 4)],
        body,
        angle_deg=30.0,
    )
    facet = stack(
        [(low - 8, 17, -62, 6, 5), (low - 2, 18, -61, 9, 7), (low + 5, 17, -60, 6, 5)], body
    )
    transverse = stack(
        [(middle - 1, 34, -54, 12, 2.5), (middle + 4, 36, -54, 19, 4), (high - 3, 34, -54, 12, 2)],
        body,
        angle_deg=-12.0,
    )
    spinous = stack(
        [(low - 8, 0, -88, 3, 5), (low, 0, -84, 4, 12), (middle, 0, -80, 3.5, 13),
         (middle + 6, 0, -74, 2.5, 7)],
        body,
    )  # fmt: skip
    return [
        Part(Tissue.DISC, disc),
        Part(Tissue.CORTEX, column(waist)),
        Part(Tissue.RED_MARROW, column(marrow, shrink_mm=1.3)),
        *both_sides(Tissue.RED_MARROW, transverse),
        *both_sides(Tissue.RED_MARROW, pedicle),
        *both_sides(Tissue.CORTEX, facet),
        *both_sides(Tissue.RED_MARROW, facet.inflated(-2.0)),
        *both_sides(Tissue.RED_MARROW, lamina),
        Part(Tissue.CORTEX, spinous.inflated(1.2)),
        Part(Tissue.RED_MARROW, spinous),
    ]


def _canal(body: Habitus) -> list[Part]:
    """Return the canal: fat, cerebrospinal fluid, nerve roots, and the cord down to L1–L2."""
    fat = stack([(-60, 0, -88, 8, 5), (0, 0, -54, 11, 9), (290, 0, -54, 11, 9)], body)
    fluid = stack([(-45, 0, -80, 5, 3), (0, 0, -54, 8, 6), (290, 0, -53, 8, 7)], body)
    roots = stack([(-10, 0, -56, 4, 1.5), (60, 0, -56, 5, 2), (130, 0, -55, 5, 3)], body)
    cord = stack([(125, 0, -54, 2, 1.5), (150, 0, -53.5, 4.5, 3.5), (290, 0, -53, 5, 4)], body)
    return [
        Part(Tissue.VISCERAL_FAT, fat),
        Part(Tissue.FLUID, fluid),
        Part(Tissue.NERVE, roots),
        Part(Tissue.NERVE, cord),
    ]


#: Sacrum and coccyx.
SACRUM = [(-128, 0, -80, 5, 4), (-112, 0, -92, 12, 6), (-88, 0, -96, 28, 9),
          (-62, 0, -86, 44, 14), (-36, 0, -70, 54, 20), (-14, 0, -56, 56, 22),
          (0, 0, -38, 40, 18), (4, 0, -32, 24, 12)]  # fmt: skip


def _sacrum(body: Habitus) -> list[Part]:
    bone = stack(SACRUM, body, exponent=2.4)
    foramina = [
        part
        for z, x, y in ((-24, 20, -62), (-48, 19, -76), (-70, 16, -90))
        for part in both_sides(
            Tissue.VISCERAL_FAT,
            stack([(z - 5, x, y, 2, 3), (z, x, y, 4, 6), (z + 5, x, y, 2, 3)], body),
        )
    ]
    canal = stack([(-90, 0, -100, 5, 2), (-40, 0, -82, 9, 4), (2, 0, -56, 10, 7)], body)
    return [
        Part(Tissue.CORTEX, bone),
        Part(Tissue.RED_MARROW, bone.inflated(-1.8)),
        *foramina,
        Part(Tissue.FLUID, canal),
    ]

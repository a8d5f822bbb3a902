"""The labelled muscles: psoas major and the gluteus, solved to the sizes that were drawn."""

import numpy as np
from scipy.optimize import brentq

from muscle_study.cohort.habitus import Habitus
from muscle_study.cohort.sampling import Body, sample
from muscle_study.cohort.shapes import Part, Stack
from muscle_study.cohort.tissues import Tissue

#: Cross-section of the psoas along z, as a share of its largest; the largest lies at the pelvic
#: brim. A maximum there is about twice the section at L3.
PSOAS_PROFILE = np.array(
    [
        (-158.0, 0.04),
        (-125.0, 0.22),
        (-85.0, 0.48),
        (-45.0, 0.82),
        (8.0, 1.00),
        (40.0, 0.90),
        (76.0, 0.66),
        (110.0, 0.42),
        (146.0, 0.22),
        (192.0, 0.04),
    ]
)
#: Medial edge (x) and centre (y) of the right psoas at these heights; half-breadth over half-depth.
PSOAS_COURSE = np.array(
    [
        (74.0, -12.0),
        (66.0, 20.0),
        (57.0, 38.0),
        (40.0, 24.0),
        (27.0, 0.0),
        (26.0, -10.0),
        (25.0, -18.0),
        (24.0, -24.0),
        (23.0, -30.0),
        (22.0, -38.0),
    ]
)
PSOAS_BREADTH_TO_DEPTH = 0.82


def psoas(csa_mm2: float, body: Habitus) -> Stack:
    """Return the right psoas major with a maximum axial cross-section of exactly `csa_mm2`."""
    z, share = PSOAS_PROFILE.T
    depth = np.sqrt(csa_mm2 * share / (np.pi * PSOAS_BREADTH_TO_DEPTH))
    breadth = PSOAS_BREADTH_TO_DEPTH * depth
    medial, y = PSOAS_COURSE.T
    rows = np.column_stack([z * body.scale, medial * body.scale + breadth, y, breadth, depth])
    return Stack(rows)


#: The right gluteus muscles: z, deep surface's middle (x, y), half-length and half-thickness.
#: They are scaled until the volume is met: mostly in thickness, away from the deep surface.
MAXIMUS = np.array(
    [
        (-196, 122, -26, 10, 6),
        (-175, 116, -36, 28, 14),
        (-145, 104, -48, 50, 21),
        (-105, 90, -58, 66, 27),
        (-60, 80, -66, 68, 26),
        (-15, 64, -72, 50, 19),
        (20, 50, -70, 18, 7),
    ],
    dtype=float,
)
MAXIMUS_ANGLE_DEG = np.array([40, 36, 30, 24, 20, 16, 12], dtype=float)
MAXIMUS_BEND = 0.0028
MEDIUS = np.array(
    [
        (-94, 134, -12, 12, 5),
        (-70, 128, -10, 30, 11),
        (-35, 114, -8, 54, 18),
        (0, 106, -8, 64, 18),
        (28, 101, -2, 56, 13),
        (48, 96, 2, 24, 5),
    ],
    dtype=float,
)
MEDIUS_ANGLE_DEG = np.array([62, 60, 57, 55, 54, 54], dtype=float)
MEDIUS_BEND = 0.0022
MINIMUS = np.array(
    [
        (-88, 127, -6, 8, 3),
        (-60, 117, -4, 26, 6),
        (-25, 104, -6, 36, 7.5),
        (2, 100, -8, 20, 3),
    ],
    dtype=float,
)
MINIMUS_ANGLE_DEG = np.array([62, 60, 57, 56], dtype=float)
MINIMUS_BEND = 0.0018

#: Heights and in-plane points between which the union of the gluteus parts is summed (mm). At
#: this pitch the sum differs from one at a quarter of it by less than 0.1 %.
GLUTEUS_PITCH_MM = (1.5, 1.5, 2.0)


def gluteus(volume_mm3: float, body: Habitus) -> list[Stack]:
    """Return the right gluteus maximus, medius and minimus with `volume_mm3` together.

    The volume is met within 0.3 %; what the shapes really hold is `union_volume_mm3`.
    """

    def parts(growth: float) -> list[Stack]:
        return [
            _sheet(MAXIMUS, MAXIMUS_ANGLE_DEG, MAXIMUS_BEND, growth, body),
            _sheet(MEDIUS, MEDIUS_ANGLE_DEG, MEDIUS_BEND, growth, body),
            _sheet(MINIMUS, MINIMUS_ANGLE_DEG, MINIMUS_BEND, growth, body),
        ]

    def excess(growth: float, wanted: float) -> float:
        return sum(part.volume_mm3() for part in parts(growth)) - wanted

    # the sum of the parts counts their overlap twice: correct it by the union's volume
    wanted = volume_mm3
    for _ in range(3):
        growth = brentq(excess, 0.1, 6.0, args=(wanted,), xtol=1e-4)
        wanted *= volume_mm3 / union_volume_mm3(parts(growth), pitch_mm=(3.0, 3.0, 4.0))
    return parts(growth)


#: Share of a sheet's growth that widens it (an exponent); the rest thickens it. Our assumption.
WIDENING = 0.35


def _sheet(
    rows: np.ndarray, angle_deg: np.ndarray, bend: float, growth: float, body: Habitus
) -> Stack:
    z, x, y, half_length, half_thickness = rows.T
    half_length = half_length * body.scale * growth**WIDENING
    half_thickness = half_thickness * growth
    angle = np.deg2rad(angle_deg)
    # outwards from the deep surface: to the right and back
    x = x * body.scale * body.hip + np.sin(angle) * half_thickness
    y = y - np.cos(angle) * half_thickness
    return Stack(
        np.column_stack([z * body.scale, x, y, half_length, half_thickness]),
        angle_deg=angle_deg,
        bend_per_mm=bend,
    )


def union_volume_mm3(
    stacks: list[Stack], pitch_mm: tuple[float, float, float] = GLUTEUS_PITCH_MM
) -> float:
    """Sum the volume that any of the right side's `stacks` covers, on points `pitch_mm` apart."""
    axes = tuple(
        np.arange(low, high, pitch) + pitch / 2
        for (low, high), pitch in zip(((-50, 280), (-260, 140), (-280, 280)), pitch_mm, strict=True)
    )
    covered = sample(Body([Part(Tissue.MUSCLE, stack) for stack in stacks]), axes)
    return float(np.count_nonzero(covered) * np.prod(pitch_mm))

"""The labelled muscles: psoas major and gluteus, solved for the drawn sizes."""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.tissues import Tissue

#: The right psoas major: height, medial edge (x), middle (y), share of the largest axial section,
#: ratio of the section's long to its short axis, and the long axis' angle. The muscle is flat
#: beside the vertebrae, round and largest above the pelvic brim, and ends at the lesser trochanter.
#: The course is our reading of anatomy; the section at L3 is a little more than half of the largest
#: because the study measures about half there.
PSOAS = np.array(
    [(-152.0, 92, -13, 0.03, 1.2, 30), (-130.0, 86, 3, 0.13, 1.3, 35),
     (-106.0, 75, 22, 0.21, 1.3, 45), (-82.0, 63, 27, 0.29, 1.5, 60),
     (-56.0, 54, 13, 0.44, 1.6, 72), (-30.0, 47, 3, 0.66, 1.5, 76), (-5.0, 41, -8, 0.92, 1.4, 78),
     (20.0, 34, -19, 1.00, 1.4, 80), (45.0, 29, -26, 0.90, 1.4, 84),
     (72.0, 26, -32, 0.69, 1.5, 90), (100.0, 24, -38, 0.46, 1.7, 97),
     (125.0, 23, -43, 0.28, 1.9, 101), (150.0, 22, -47, 0.13, 2.0, 103),
     (174.0, 22, -49, 0.02, 1.8, 103)]
)  # fmt: skip

#: Range of the exponent on the shares that is searched for the drawn volume; a larger exponent
#: makes the ends thinner.
PROFILE_EXPONENTS = (0.4, 2.5)


def psoas(csa_mm2: float, volume_mm3: float, body: Habitus) -> Stack:
    """Return the right psoas major with exactly this largest axial section and volume.

    Raises
    ------
    ValueError
        If no profile with that section has the volume.
    """

    def excess(exponent: float) -> float:
        return _psoas(csa_mm2, exponent, body).volume_mm3() - volume_mm3

    low, high = PROFILE_EXPONENTS
    if excess(low) < 0 or excess(high) > 0:
        raise ValueError(
            f"a psoas of {csa_mm2 / 100:.1f} cm2 and {body.scale * 175:.0f} cm height cannot hold "
            f"{volume_mm3 / 1000:.0f} mL"
        )
    return _psoas(csa_mm2, brentq(excess, low, high, xtol=1e-7), body)


def _psoas(csa_mm2: float, exponent: float, body: Habitus) -> Stack:
    z, medial, y, share, long_to_short, angle = PSOAS.T
    section = csa_mm2 * share**exponent
    long = np.sqrt(section * long_to_short / np.pi)
    short = long / long_to_short
    # half the breadth along x of a rotated ellipse
    turn = np.deg2rad(angle)
    breadth = np.hypot(long * np.cos(turn), short * np.sin(turn))
    x = medial * body.scale + breadth
    # below the brim the muscle follows the breadth of the pelvis
    x += np.interp(z, [-110, -20], [1.0, 0.0]) * (body.hip - 1) * medial * body.scale
    rows = np.column_stack([z * body.scale, x, y * body.scale, long, short])
    return Stack(rows, angle_deg=angle)


class Sheet(NamedTuple):
    """A right gluteus muscle before growth to the drawn volume.

    ``rows`` hold height, middle of the deep surface (x, y), half-length and half-thickness, mm;
    ``angle_deg`` the angle of the long axis by row; ``bend_per_mm`` its curvature, as in `Stack`.
    """

    rows: list[tuple[float, ...]]
    angle_deg: list[float]
    bend_per_mm: float


#: Maximus, medius and minimus. Their volumes stand as 61 : 31 : 8, as Belzunce et al. measured
#: (NMR Biomed 2022;35:e4636).
SHEETS = (
    Sheet(
        [(-206, 118, -26, 8, 4), (-188, 111, -32, 32, 10), (-160, 101, -40, 58, 15),
         (-125, 94, -49, 74, 18.5), (-90, 90, -57, 78, 18.5), (-58, 85, -65, 70, 15),
         (-28, 79, -72, 47, 11), (-4, 74, -77, 28, 7), (12, 72, -78, 8, 2)],
        [42, 38, 33, 29, 27, 27, 29, 31, 32],
        0.0038,
    ),
    Sheet(
        [(-108, 133, -10, 12, 4.5), (-88, 125, -8, 34, 11.5), (-64, 117, -10, 48, 16),
         (-38, 109, -16, 58, 17), (-10, 106, -27, 60, 14), (16, 108, -36, 44, 9),
         (34, 110, -40, 18, 3)],
        [68, 64, 58, 53, 48, 44, 42],
        0.0026,
    ),
    Sheet(
        [(-98, 126, -4, 9, 3.5), (-76, 117, -2, 29, 8.5), (-52, 106, -8, 43, 9.5),
         (-28, 101, -18, 37, 7), (-8, 101, -24, 17, 3)],
        [66, 62, 57, 54, 52],
        0.0016,
    ),
)  # fmt: skip

#: Pitch in x, y, z at which the union of the gluteus muscles is summed (mm). At this pitch the sum
#: differs from one at a quarter of it by less than 0.1 %.
GLUTEUS_PITCH_MM = (1.5, 1.5, 2.0)


def gluteus(volume_mm3: float, body: Habitus) -> list[Stack]:
    """Return the right gluteus maximus, medius and minimus, whose union is `volume_mm3`.

    The union meets the volume within 0.1 %; `union_volume_mm3` gives its actual size.
    """

    def parts(growth: float) -> list[Stack]:
        return [_grown(sheet, growth, body) for sheet in SHEETS]

    def excess(growth: float, wanted: float) -> float:
        return sum(part.volume_mm3() for part in parts(growth)) - wanted

    # the sum of the parts counts overlaps twice: correct it by the volume of the union
    wanted = volume_mm3
    for _ in range(4):
        growth = brentq(excess, 0.1, 6.0, args=(wanted,), xtol=1e-4)
        wanted *= volume_mm3 / union_volume_mm3(parts(growth))
    return parts(growth)


#: Sections of a sheet are fuller than ellipses.
SHEET_EXPONENT = 2.5

#: Exponent on the growth by which a sheet widens (our assumption).
WIDENING = 0.20


def _grown(sheet: Sheet, growth: float, body: Habitus) -> Stack:
    """Return a sheet whose thickness is multiplied by `growth`, outwards from the deep surface."""
    z, x, y, half_length, half_thickness = np.array(sheet.rows, dtype=float).T
    angle_deg = np.array(sheet.angle_deg, dtype=float)
    longer = half_length * body.scale * (growth**WIDENING - 1)
    half_thickness = half_thickness * growth
    angle = np.deg2rad(angle_deg)
    # the middle moves outwards, so that the sheet lengthens mostly away from the midline
    x = x * body.scale * body.hip + np.sin(angle) * half_thickness + np.cos(angle) * longer / 2
    y = y * body.scale - np.cos(angle) * half_thickness + np.sin(angle) * longer / 2
    return Stack(
        np.column_stack([z * body.scale, x, y, half_length * body.scale + longer, half_thickness]),
        angle_deg=angle_deg,
        # a longer sheet bows less sharply, so that its ends stay off the midline
        bend_per_mm=sheet.bend_per_mm / (body.scale * growth ** (2 * WIDENING)),
        exponent=SHEET_EXPONENT,
    )


def union_volume_mm3(
    stacks: list[Stack], pitch_mm: tuple[float, float, float] = GLUTEUS_PITCH_MM
) -> float:
    """Return the volume of the union of stacks on the right, summed over points."""
    axes = tuple(
        np.arange(low, high, pitch) + pitch / 2
        for (low, high), pitch in zip(((-50, 280), (-260, 140), (-280, 280)), pitch_mm, strict=True)
    )
    covered = sample(Body([Part(Tissue.MUSCLE, stack) for stack in stacks]), axes)
    return float(np.count_nonzero(covered) * np.prod(pitch_mm))

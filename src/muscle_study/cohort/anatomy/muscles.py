"""The labelled muscles: psoas major and the gluteus, solved to the sizes that were drawn."""

import numpy as np
from scipy.optimize import brentq

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.tissues import Tissue

#: The right psoas major: height, medial edge (x), middle (y), share of its largest axial section,
#: long over short axis of the section, and the long axis' angle. Flat beside the vertebrae, round
#: above the pelvic brim, where it is largest, then over the pubis to the lesser trochanter. The
#: course is our reading of anatomy; that L3 has a little more than half of the maximum follows the
#: study's rule that a section there is about half of it.
PSOAS = np.array(
    [
        (-152.0, 92, -13, 0.03, 1.2, 30),
        (-130.0, 86, 3, 0.13, 1.3, 35),
        (-106.0, 75, 22, 0.21, 1.3, 45),
        (-82.0, 63, 27, 0.29, 1.5, 60),
        (-56.0, 54, 13, 0.44, 1.6, 72),
        (-30.0, 47, 3, 0.66, 1.5, 76),
        (-5.0, 41, -8, 0.92, 1.4, 78),
        (20.0, 34, -19, 1.00, 1.4, 80),
        (45.0, 29, -26, 0.90, 1.4, 84),
        (72.0, 26, -32, 0.69, 1.5, 90),
        (100.0, 24, -38, 0.46, 1.7, 97),
        (125.0, 23, -43, 0.28, 1.9, 101),
        (150.0, 22, -47, 0.13, 2.0, 103),
        (174.0, 22, -49, 0.02, 1.8, 103),
    ]
)

#: Exponents on the shares between which the drawn volume must be met: a larger one makes the ends
#: thinner.
PROFILE_EXPONENTS = (0.4, 2.5)


def psoas(csa_mm2: float, volume_mm3: float, body: Habitus) -> Stack:
    """Return the right psoas major of a given maximum axial section and volume, both exact.

    Raises
    ------
    ValueError
        If no profile of that section has the volume.
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
    # half the breadth along x of an ellipse turned by the angle
    turn = np.deg2rad(angle)
    breadth = np.hypot(long * np.cos(turn), short * np.sin(turn))
    x = medial * body.scale + breadth
    # below the brim it hangs on the pelvis
    x += np.interp(z, [-110, -20], [1.0, 0.0]) * (body.hip - 1) * medial * body.scale
    rows = np.column_stack([z * body.scale, x, y * body.scale, long, short])
    return Stack(rows, angle_deg=angle)


#: The right gluteus muscles: height, middle of the deep surface (x, y), half-length and
#: half-thickness. They are scaled until the volume is met: mostly in thickness, outwards from the
#: deep surface. The order of sizes is 61 : 31 : 8, as Belzunce et al. measured
#: (NMR Biomed 2022;35:e4636).
MAXIMUS = np.array(
    [
        (-206, 118, -26, 8, 4),
        (-188, 111, -32, 32, 10),
        (-160, 101, -40, 58, 15),
        (-125, 94, -49, 74, 18.5),
        (-90, 90, -57, 78, 18.5),
        (-58, 85, -65, 70, 15),
        (-28, 79, -72, 47, 11),
        (-4, 74, -77, 28, 7),
        (12, 72, -78, 8, 2),
    ],
    dtype=float,
)
MAXIMUS_ANGLE_DEG = np.array([42, 38, 33, 29, 27, 27, 29, 31, 32], dtype=float)
MAXIMUS_BEND = 0.0038
MEDIUS = np.array(
    [
        (-108, 133, -10, 12, 4.5),
        (-88, 125, -8, 34, 11.5),
        (-64, 117, -10, 48, 16),
        (-38, 109, -16, 58, 17),
        (-10, 106, -27, 60, 14),
        (16, 108, -36, 44, 9),
        (34, 110, -40, 18, 3),
    ],
    dtype=float,
)
MEDIUS_ANGLE_DEG = np.array([68, 64, 58, 53, 48, 44, 42], dtype=float)
MEDIUS_BEND = 0.0026
MINIMUS = np.array(
    [
        (-98, 126, -4, 9, 3.5),
        (-76, 117, -2, 29, 8.5),
        (-52, 106, -8, 43, 9.5),
        (-28, 101, -18, 37, 7),
        (-8, 101, -24, 17, 3),
    ],
    dtype=float,
)
MINIMUS_ANGLE_DEG = np.array([66, 62, 57, 54, 52], dtype=float)
MINIMUS_BEND = 0.0016

#: Heights and in-plane points between which the union of the gluteus parts is summed (mm). At
#: this pitch the sum differs from one at a quarter of it by less than 0.1 %.
GLUTEUS_PITCH_MM = (1.5, 1.5, 2.0)


def gluteus(volume_mm3: float, body: Habitus) -> list[Stack]:
    """Return the right gluteus maximus, medius and minimus with `volume_mm3` together.

    The volume is met within 0.1 %; what the shapes really hold is `union_volume_mm3`.
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
    for _ in range(4):
        growth = brentq(excess, 0.1, 6.0, args=(wanted,), xtol=1e-4)
        wanted *= volume_mm3 / union_volume_mm3(parts(growth))
    return parts(growth)


#: Sections of a sheet are fuller than ellipses.
SHEET_EXPONENT = 2.5

#: Share of a sheet's growth that widens it (an exponent); the rest thickens it. Our assumption.
WIDENING = 0.20


def _sheet(
    rows: np.ndarray, angle_deg: np.ndarray, bend: float, growth: float, body: Habitus
) -> Stack:
    z, x, y, half_length, half_thickness = rows.T
    longer = half_length * body.scale * (growth**WIDENING - 1)
    half_thickness = half_thickness * growth
    angle = np.deg2rad(angle_deg)
    # it thickens outwards from the deep surface, and lengthens mostly away from the midline
    x = x * body.scale * body.hip + np.sin(angle) * half_thickness + np.cos(angle) * longer / 2
    y = y * body.scale - np.cos(angle) * half_thickness + np.sin(angle) * longer / 2
    return Stack(
        np.column_stack([z * body.scale, x, y, half_length * body.scale + longer, half_thickness]),
        angle_deg=angle_deg,
        # a longer sheet is as deep a bow, so that its ends stay off the midline
        bend_per_mm=bend / (body.scale * growth ** (2 * WIDENING)),
        exponent=SHEET_EXPONENT,
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

"""Everything around the four muscles: outline, organs, bones, other muscles.

Tables hold the right half or the middle of a body of 175 cm: z, x, y and the semi-axes, in mm.
"""

from collections.abc import Sequence
from functools import partial

import numpy as np

from muscle_study.cohort.habitus import Habitus
from muscle_study.cohort.shapes import Stack
from muscle_study.cohort.tissues import Tissue

Painted = list[tuple[Tissue, Stack]]


def _stack(rows: Sequence[tuple[float, ...]], body: Habitus, **shape) -> Stack:
    """Scale a table in height and breadth; depths stay, they follow the fat."""
    scaled = np.array(rows, dtype=float)
    scaled[:, [0, 1, 3]] *= body.scale
    return Stack(scaled, **shape)


def _hip(body: Habitus, rows: Sequence[tuple[float, ...]], **shape) -> Stack:
    """Scale a table as `_stack` does, and its distance from the middle by the pelvis's breadth."""
    wider = np.array(rows, dtype=float)
    wider[:, 1] *= body.hip
    return _stack(wider, body, **shape)


def _both(tissue: Tissue, right: Stack) -> Painted:
    return [(tissue, right), (tissue, right.mirrored())]


#: Outside of the abdominal wall's muscles.
WALL = [
    (-80, 0, 30, 60, 40),
    (-50, 0, 22, 86, 62),
    (-20, 0, 10, 106, 82),
    (15, 0, 2, 122, 92),
    (60, 0, 0, 131, 92),
    (150, 0, 0, 131, 94),
    (250, 0, 0, 140, 98),
]
#: Hips below the belly: bones, muscles and what lies between them.
HIPS = [
    (-190, 0, -8, 120, 66),
    (-150, 0, -8, 150, 82),
    (-100, 0, -8, 156, 90),
    (-50, 0, -8, 150, 90),
    (10, 0, -6, 136, 90),
    (60, 0, 0, 120, 80),
]
#: The right thigh's muscles as a whole.
THIGH = [
    (-290, 86, 0, 66, 72),
    (-230, 88, 0, 70, 76),
    (-170, 92, -2, 70, 78),
    (-120, 98, 0, 56, 66),
]


def _wall(body: Habitus) -> Stack:
    """Visceral fat pushes the wall forward, and a third as much to the sides."""
    stack = _stack(WALL, body, exponent=2.4)
    share = np.interp(stack.rows[:, 0] / body.scale, [-80, 0, 60, 180], [0.2, 0.8, 1.0, 0.8])
    stack.rows[:, 2] += share * body.visceral_mm / 2
    stack.rows[:, 3] += share * body.visceral_mm / 3
    stack.rows[:, 4] += share * body.visceral_mm / 2
    return stack


def outline(body: Habitus, muscles: list[Stack]) -> Painted:
    """Return skin and the fat under it, thick enough to cover each of `muscles`."""
    fat = Tissue.FAT
    hips = _stack(HIPS, body, exponent=2.4)
    hips.rows[:, 3] *= body.hip
    hip_fat = 0.8 * body.hip_fat_mm
    return [
        (fat, _wall(body).inflated(body.subcutaneous_mm)),
        (fat, hips.inflated(hip_fat)),
        *_both(fat, _stack(THIGH, body).inflated(hip_fat)),
        *((fat, muscle.inflated(body.hip_fat_mm)) for muscle in muscles),
    ]


def trunk(body: Habitus) -> Painted:
    """Return the abdominal wall and the cavity inside it."""
    wall = _wall(body)
    cavity = wall.inflated(-11.0)
    pelvic_cavity = _stack(
        [(-135, 0, 10, 22, 22), (-100, 0, 8, 48, 44), (-55, 0, 4, 66, 58), (-5, 0, 8, 92, 66)],
        body,
    )
    return [
        (Tissue.MUSCLE, wall),
        (Tissue.VISCERAL_FAT, cavity),
        (Tissue.VISCERAL_FAT, pelvic_cavity),
    ]


def _blob(x: float, y: float, z: float, radii: tuple[float, float, float], body: Habitus) -> Stack:
    """Return an ellipsoid, as a stack."""
    height = np.linspace(-1, 1, 9)
    share = np.sqrt(np.clip(1 - height**2, 1e-4, None))
    return _stack(
        np.column_stack(
            [
                z + height * radii[2],
                np.full(9, x),
                np.full(9, y),
                share * radii[0],
                share * radii[1],
            ]
        ),
        body,
    )


def organs(body: Habitus, rng: np.random.Generator) -> Painted:
    """Return liver, spleen, kidneys, bowel with some gas, bladder, great vessels."""
    front = body.visceral_mm
    painted: Painted = [
        (Tissue.LIVER, _blob(68, 18, 235, (66, 66, 80), body)),
        (Tissue.SPLEEN, _blob(-92, -28, 225, (32, 44, 55), body)),
        (Tissue.KIDNEY_CORTEX, _blob(66, -38, 142 + rng.normal(0, 6), (26, 28, 54), body)),
        (Tissue.KIDNEY_CORTEX, _blob(-66, -38, 150 + rng.normal(0, 6), (26, 28, 54), body)),
    ]
    for _ in range(int(rng.integers(22, 34))):
        x, z = rng.uniform(-85, 85), rng.uniform(-45, 180)
        y = rng.uniform(22, 58) + 0.7 * front
        radii = tuple(rng.uniform((14, 11, 12), (30, 20, 26)))
        painted.append((Tissue.BOWEL_WALL, _blob(x, y, z, radii, body)))
        if rng.random() < 0.3:
            gas = tuple(0.6 * radius for radius in radii)
            painted.append((Tissue.GAS, _blob(x, y + 3, z, gas, body)))
    fill = rng.uniform(0.6, 1.3)
    painted.append((Tissue.FLUID, _blob(0, 36, -78, (34 * fill, 26 * fill, 24 * fill), body)))
    painted += [
        (Tissue.VESSEL, _stack([(36, -9, 8, 9, 9), (250, -9, 8, 11, 11)], body)),
        (Tissue.VESSEL, _stack([(30, 15, 4, 11, 9), (250, 17, 8, 12, 10)], body)),
        *_both(
            Tissue.VESSEL,
            _stack(
                [(-95, 58, 56, 8, 8), (-50, 46, 44, 8, 8), (0, 26, 22, 8, 8), (36, 10, 8, 8, 8)],
                body,
            ),
        ),
    ]
    return painted


def back(body: Habitus) -> Painted:
    """Return erector spinae and quadratus lumborum."""
    erector = _stack(
        [
            (-70, 14, -84, 10, 6),
            (-20, 24, -78, 20, 12),
            (30, 32, -70, 28, 20),
            (100, 34, -66, 31, 22),
            (250, 30, -66, 28, 18),
        ],
        body,
        exponent=2.6,
    )
    quadratus = _stack(
        [(38, 82, -34, 14, 8), (80, 72, -40, 20, 9), (120, 60, -46, 16, 8), (160, 48, -50, 9, 5)],
        body,
        angle_deg=20,
    )
    return _both(Tissue.MUSCLE, erector) + _both(Tissue.MUSCLE, quadratus)


#: Height of a lumbar vertebra and of the disc above it.
VERTEBRA_MM = 26.0
DISC_MM = 10.0


def spine(body: Habitus) -> Painted:
    """Return vertebral bodies and discs, posterior elements, canal, sacrum."""
    painted: Painted = [
        (
            Tissue.RED_MARROW,
            _stack(
                [
                    (-100, 0, -84, 6, 6),
                    (-70, 0, -82, 24, 9),
                    (-30, 0, -66, 46, 15),
                    (0, 0, -46, 54, 18),
                ],
                body,
                exponent=2.4,
            ),
        ),
    ]
    for level in range(7):
        low = level * (VERTEBRA_MM + DISC_MM)
        middle = -26 if level else -30
        breadth = 25.5 - 0.9 * level
        bone = [
            (low, 0, middle, breadth, 17),
            (low + 13, 0, middle, breadth - 2.5, 16),
            (low + VERTEBRA_MM, 0, middle, breadth, 17),
        ]
        disc = [
            (low + VERTEBRA_MM, 0, middle, breadth, 17),
            (low + VERTEBRA_MM + DISC_MM, 0, middle, breadth, 17),
        ]
        lamina = [(low - 4, 0, -72, 5, 10), (low + 8, 0, -66, 13, 16), (low + 18, 0, -64, 6, 12)]
        process = [
            (low + 4, 30, -50, 16, 3),
            (low + 10, 30, -50, 20, 5),
            (low + 16, 30, -50, 16, 3),
        ]
        painted += [
            (Tissue.RED_MARROW, _stack(lamina, body)),
            *_both(Tissue.CORTEX, _stack(process, body)),
            (Tissue.RED_MARROW, _stack(bone, body, exponent=2.6)),
            (Tissue.DISC, _stack(disc, body, exponent=2.6)),
        ]
    painted.append(
        (Tissue.FLUID, _stack([(-40, 0, -70, 7, 5), (0, 0, -53, 9, 7), (250, 0, -51, 9, 7)], body))
    )
    return painted


def _bone(right: Stack, cortex_mm: float = 3.0) -> Painted:
    return _both(Tissue.CORTEX, right) + _both(Tissue.RED_MARROW, right.inflated(-cortex_mm))


def pelvis(body: Habitus) -> Painted:
    """Return iliac wings with the iliacus inside, ischium, pubis, piriformis."""
    hip = partial(_hip, body)

    wing = hip(
        [
            (-80, 92, -12, 22, 13),
            (-55, 88, -22, 38, 9),
            (-20, 84, -22, 60, 8),
            (15, 88, -14, 58, 7),
            (40, 92, -6, 32, 7),
            (50, 94, -2, 10, 5),
        ],
        angle_deg=np.array([62, 60, 57, 55, 54, 54]),
    )
    iliacus = hip(
        [
            (-90, 84, 30, 14, 10),
            (-60, 82, 22, 22, 11),
            (-20, 84, 8, 42, 11),
            (15, 88, 4, 40, 8),
            (36, 92, 6, 18, 4),
        ],
        angle_deg=np.array([60, 58, 56, 55, 54]),
    )
    ischium = hip(
        [
            (-160, 56, -46, 10, 9),
            (-140, 60, -44, 20, 18),
            (-105, 72, -30, 22, 22),
            (-75, 84, -12, 22, 20),
        ]
    )
    pubis = hip(
        [(-135, 26, 34, 20, 9), (-118, 30, 40, 28, 9), (-100, 54, 36, 34, 9)], angle_deg=-12
    )
    piriformis = hip(
        [(-95, 84, -50, 30, 8), (-75, 70, -56, 38, 10), (-50, 52, -62, 20, 7)], angle_deg=24
    )
    return (
        _both(Tissue.MUSCLE, piriformis)
        + _both(Tissue.MUSCLE, iliacus)
        + _bone(wing, 2.5)
        + _bone(ischium)
        + _bone(pubis)
    )


def thighs(body: Habitus) -> Painted:
    """Return thigh muscles with fat between them, femora."""
    hip = partial(_hip, body)

    muscles = [
        hip(
            [
                (-290, 104, 36, 44, 32),
                (-200, 108, 34, 40, 30),
                (-130, 112, 34, 26, 22),
                (-80, 100, 44, 14, 12),
            ]
        ),  # quadriceps and sartorius
        hip([(-290, 88, -40, 40, 28), (-220, 84, -42, 34, 24), (-165, 66, -50, 14, 10)]),
        hip(
            [
                (-290, 48, 2, 30, 38),
                (-200, 50, 4, 28, 36),
                (-140, 44, 14, 22, 22),
                (-120, 40, 22, 10, 10),
            ]
        ),  # adductors
        hip([(-150, 78, 2, 26, 12), (-125, 76, 6, 32, 16), (-100, 70, 12, 20, 10)]),  # obturators
        hip([(-190, 142, 26, 8, 16), (-120, 144, 26, 9, 18), (-50, 134, 34, 7, 14)]),  # tensor
    ]
    head = _blob(88 * body.hip, 2, -86, (25, 25, 25), body)
    neck = hip([(-125, 116, -4, 16, 14), (-105, 110, -3, 24, 13), (-90, 104, -2, 20, 12)])
    trochanter = hip([(-140, 118, -6, 15, 16), (-110, 128, -10, 15, 17), (-84, 130, -12, 9, 10)])
    shaft = hip(
        [
            (-290, 104, 2, 14, 14),
            (-200, 112, 0, 15, 15),
            (-140, 114, -3, 17, 16),
            (-115, 116, -4, 17, 16),
        ]
    )
    painted = [part for muscle in muscles for part in _both(Tissue.MUSCLE, muscle)]
    for bone, cortex in ((neck, 2.5), (trochanter, 2.5), (shaft, 5.0), (head, 2.5)):
        painted += _bone(bone, cortex)
    return painted

"""Organs and great vessels of abdomen and pelvis."""

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.tables import ellipsoid, stack, tube
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.anatomy.trunk import LAYERS, wall

#: Outline of a kidney in steps of 45° from its outer side: a bean, open to the midline.
BEAN = np.array([1.0, 1.0, 1.0, 0.98, 0.72, 0.98, 1.0, 1.0])

#: Loops of small bowel: range of the number that are tried (those inside the cavity stay), and
#: least and greatest radii (mm).
LOOPS = (150, 200)
LOOP_RADII_MM = ((18, 11, 12), (36, 17, 22))

#: Vessels of the mesentery: number and radius (mm).
MESENTERIC_VESSELS, MESENTERIC_MM = 30, 1.7

#: Right, middle and left hepatic vein, and the portal vein with two branches (z, x, y, radius).
HEPATIC_VESSELS = (
    [(176, 104, -8, 2.5), (205, 86, -4, 3.5), (236, 56, 4, 5), (262, 32, 12, 6)],
    [(180, 66, 44, 2.5), (212, 54, 36, 3.5), (240, 40, 24, 4.5), (262, 30, 16, 6)],
    [(206, -16, 52, 2.5), (236, 6, 36, 3.5), (262, 26, 18, 5)],
    [(150, 8, 14, 5), (176, 26, 14, 5.5), (192, 44, 12, 5.5)],
    [(190, 58, 14, 5), (206, 76, 20, 4), (226, 92, 26, 2.5)],
    [(140, 92, 6, 2.5), (164, 78, 10, 3.5), (188, 60, 14, 4.5)],
)

#: Thickness of the bowel wall (mm), and share of the small-bowel loops that hold gas.
BOWEL_WALL_MM, GAS_SHARE = 2.5, 0.22


def organs(body: Habitus, rng: np.random.Generator) -> list[Part]:
    """Return lungs, organs and vessels; visceral fat pushes bowel and stomach forward.

    All but the great vessels move with breathing.
    """
    parts = [
        *(
            Part(Tissue.LUNG, ellipsoid((side * 74, -38, 258), (46, 46, 46), body))
            for side in (1, -1)
        ),
        *_mesentery(body, rng),
        *_small_bowel(body, rng),
        *_colon(body, rng),
        *_liver_spleen_stomach(body, rng),
        *_kidneys(body, rng),
        *_pelvic_organs(body, rng),
    ]
    moving = [Part(part.tissue, part.stack, breathes=True) for part in parts]
    return [*moving, *vessels(body)]


def _liver_spleen_stomach(body: Habitus, rng: np.random.Generator) -> list[Part]:
    front = 0.5 * body.visceral_mm / body.scale
    low = float(np.clip(rng.normal(0, 10), -25, 25))
    liver = stack(
        [(92 + low, 96, -2, 8, 12), (112 + low, 90, 2, 28, 42), (145 + low / 2, 80, 8, 44, 60),
         (180, 72, 12 + front / 2, 54, 70), (215, 62, 14 + front / 2, 63, 74),
         (262, 56, 14 + front / 2, 66, 72)],
        body,
        outline=np.array([1.0, 1.0, 1.0, 0.96, 0.9, 0.78, 0.97, 1.04]),
    )  # fmt: skip
    left_lobe = stack(
        [(158, 14, 58 + front, 22, 12), (184, 10, 56 + front, 48, 22), (222, 0, 50 + front, 66, 28),
         (262, -4, 44 + front, 70, 34)],
        body,
        angle_deg=-8.0,
    )  # fmt: skip
    gall = ellipsoid((58, 46 + front, 148 + low), (11, 14, 20), body)
    spleen = ellipsoid(
        (-91, -30, 208 + rng.normal(0, 6)), (21, 38, 48), body, angle_deg=105.0, bend_per_mm=-0.006
    )
    stomach = ellipsoid((-54, 36 + front, 212), (48, 32, 54), body, angle_deg=20.0)
    pancreas = stack(
        [(150, 30, 16, 14, 10), (162, -4, 18, 44, 9), (176, -34, 8, 34, 9), (184, -60, -6, 12, 7)],
        body,
    )
    return [
        Part(Tissue.GLAND, pancreas),
        Part(Tissue.BOWEL_WALL, stomach),
        Part(Tissue.BOWEL_CONTENT, stomach.inflated(-4.0)),
        Part(Tissue.GAS, ellipsoid((-56, 50 + front, 216), (32, 12, 34), body, angle_deg=20.0)),
        Part(Tissue.SPLEEN, spleen),
        Part(Tissue.LIVER, left_lobe),
        Part(Tissue.LIVER, liver),
        Part(Tissue.FLUID, gall),
        *(Part(Tissue.VESSEL, tube(rows, body)) for rows in HEPATIC_VESSELS),
        Part(Tissue.VESSEL, ellipsoid((48, 12, 190), (22, 5, 6), body)),
    ]


def _kidneys(body: Habitus, rng: np.random.Generator) -> list[Part]:
    parts = []
    for side, z in ((1, 138), (-1, 147)):
        middle = np.array([64 * side, -36 + rng.normal(0, 3), z + rng.normal(0, 7)])
        heights = np.array([-54, -44, -24, 0, 24, 44, 54]) * rng.normal(1, 0.06)
        share = np.sqrt(np.clip(1 - (heights / heights[-1]) ** 2, 0.004, None))
        size = rng.normal(1, 0.05)
        # the upper poles lean towards the middle and the back
        rows = np.column_stack(
            [
                middle[2] + heights,
                middle[0] - side * 0.16 * heights,
                middle[1] - 0.1 * heights,
                27 * size * share,
                24 * size * share,
            ]
        )
        turn = -30.0 if side > 0 else 210.0
        bean = Stack(rows * body.scale, outline=BEAN, angle_deg=turn)
        x, y, z_middle = middle
        sinus = ellipsoid((x - side * 9, y + 5, z_middle), (13, 8, 24), body, angle_deg=turn)
        hilum = ellipsoid((x - side * 16, y + 8, z_middle), (10, 4, 10), body, angle_deg=turn)
        parts += [
            Part(Tissue.KIDNEY_CORTEX, bean),
            Part(Tissue.KIDNEY_MEDULLA, bean.inflated(-6.5)),
            Part(Tissue.VISCERAL_FAT, sinus),
            Part(Tissue.VESSEL, hilum),
        ]
    return parts


def _loop(shape: Stack, gas: bool) -> list[Part]:
    """Return wall and content of a piece of bowel, with or without gas in its front part."""
    content = Part(Tissue.BOWEL_CONTENT, shape.inflated(-BOWEL_WALL_MM))
    parts = [Part(Tissue.BOWEL_WALL, shape), content]
    if gas:
        bubble = shape.inflated(-BOWEL_WALL_MM - 1)
        bubble.rows[:, 2] += 0.35 * bubble.rows[:, 4]
        bubble.rows[:, 4] *= 0.6
        parts.append(Part(Tissue.GAS, bubble))
    return parts


def _small_bowel(body: Habitus, rng: np.random.Generator) -> list[Part]:
    parts = []
    cavity = wall(body).inflated(-LAYERS[-1][0])
    for _ in range(int(rng.integers(*LOOPS))):
        x, z = rng.uniform(-100, 100), rng.uniform(-76, 165)
        # between the abdominal wall and the spine, psoas and kidneys
        y = rng.uniform(20 - 0.2 * abs(x), 84 + body.visceral_mm)
        radii = tuple(rng.uniform(*LOOP_RADII_MM))
        angle = rng.uniform(0, 180)
        shape = ellipsoid((x, y, z), radii, body, angle_deg=angle, bend_per_mm=rng.normal(0, 0.008))
        gas = rng.random() < GAS_SHARE
        if _fits(shape, cavity):
            parts += _loop(shape, gas)
    return parts


def _fits(shape: Stack, cavity: Stack) -> bool:
    """Return whether a shape lies inside the cavity, by the ends of its axes at three heights."""
    low, high = shape.z_range_mm
    heights = low + np.array([0.2, 0.5, 0.8]) * (high - low)
    own, outside = shape.sections(heights), cavity.sections(heights)
    if outside.a_mm.min() <= 0:  # above or below the cavity
        return False
    cos_a, sin_a = np.cos(own.angle), np.sin(own.angle)
    ends = [
        (sign * length * along_x, sign * length * along_y)
        for length, along_x, along_y in ((own.a_mm, cos_a, sin_a), (own.b_mm, -sin_a, cos_a))
        for sign in (1, -1)
    ]
    return all(
        (
            ((own.x_mm + x - outside.x_mm) / outside.a_mm) ** 2
            + ((own.y_mm + y - outside.y_mm) / outside.b_mm) ** 2
            <= 1
        ).all()
        for x, y in ends
    )


def _mesentery(body: Habitus, rng: np.random.Generator) -> list[Part]:
    """Return vessels from the root of the mesentery, in front of the spine, to the bowel."""
    root = np.array([130.0, -6.0, 18.0])
    parts = []
    for _ in range(MESENTERIC_VESSELS):
        x, z = rng.uniform(-75, 75), rng.uniform(-50, 120)
        end = np.array([z, x, rng.uniform(30, 60) + 0.5 * body.visceral_mm])
        bow = (root + end) / 2 + [0, 0, rng.uniform(-12, 12)]
        rows = [(*place, MESENTERIC_MM) for place in (end, bow, root)]
        parts.append(Part(Tissue.VESSEL, tube(rows, body)))
    return parts


def _haustra(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a tube that is pinched about every 30 mm."""
    z = np.arange(rows[0, 0], rows[-1, 0], 7.5)
    fine = np.column_stack([z, *(np.interp(z, rows[:, 0], column) for column in rows.T[1:])])
    fine[:, 3:] *= (1 + 0.16 * np.sin(2 * np.pi * z / 30 + rng.uniform(0, 6)))[:, None]
    return fine


def _colon(body: Habitus, rng: np.random.Generator) -> list[Part]:
    out = 0.28 * body.visceral_mm
    front = 0.8 * body.visceral_mm
    wide, narrow = rng.uniform(19, 27), rng.uniform(11, 17)
    ascending = np.array(
        [(-30, 78 + out, 22, 8, 8), (-12, 84 + out, 14, wide, wide), (50, 94 + out, 0, wide, wide),
         (112, 92 + out, 6, wide, wide), (126, 86 + out, 10, 8, 8)]
    )  # fmt: skip
    descending = np.array(
        [(-46, -76 - out, 22, narrow, narrow), (0, -92 - out, 8, narrow, narrow),
         (80, -102 - out, -12, narrow, narrow), (158, -98 - out, -8, narrow, narrow),
         (172, -92 - out, -2, 6, 6)]
    )  # fmt: skip
    transverse_z = rng.uniform(96, 128)
    transverse = ellipsoid((0, 58 + front, transverse_z), (86, 17, 20), body, bend_per_mm=-0.002)
    sigmoid = [
        ellipsoid((x, y, z), (25, 16, 18), body, angle_deg=angle)
        for x, y, z, angle in ((-58, 18, -52, 30), (-36, 0, -62, -20), (-12, -20, -52, 40),
                               (6, -38, -44, 80), (30, -8, -40, -10))
    ]  # fmt: skip
    rectum = stack(
        [(-152, 0, -46, 9, 12), (-128, 0, -50, 10, 12), (-112, 0, -60, 20, 16),
         (-86, 2, -62, 25, 18), (-66, 4, -52, 18, 15), (-56, 5, -46, 10, 10)],
        body,
    )  # fmt: skip
    parts = []
    for rows in (ascending, descending):
        parts += _loop(stack(_haustra(rows, rng), body), rng.random() < 0.5)
    parts += _loop(transverse, gas=True)
    for shape in (*sigmoid, rectum):
        parts += _loop(shape, rng.random() < 0.3)
    return parts


def _pelvic_organs(body: Habitus, rng: np.random.Generator) -> list[Part]:
    fill = rng.uniform(0.75, 1.3)
    height = 30 * fill
    bladder = ellipsoid((0, 20, -108 + height), (38 * fill, 27 * fill**0.5, height), body)
    if body.male:  # prostate, penile bulb, seminal vesicles
        shapes = [
            (Tissue.GLAND, (0, 8, -120), (26, 20, 20), 0.0),
            (Tissue.MUSCLE, (0, 6, -152), (15, 20, 16), 0.0),
            (Tissue.FLUID, (16, -12, -98), (14, 5, 6), 15),
            (Tissue.FLUID, (-16, -12, -98), (14, 5, 6), -15),
        ]
    else:  # vagina, uterus with its cavity, ovaries
        tilt = rng.normal(0, 6)
        shapes = [
            (Tissue.BOWEL_WALL, (0, -18, -124), (20, 8, 34), 0.0),
            (Tissue.GLAND, (tilt, -16, -70), (29, 20, 36), 0.0),
            (Tissue.FLUID, (tilt, -16, -66), (11, 3, 20), 0.0),
            (Tissue.GLAND, (42, -8, -58), (13, 9, 13), 0.0),
            (Tissue.GLAND, (-42, -8, -60), (13, 9, 13), 0.0),
        ]
    return [
        Part(Tissue.BOWEL_WALL, bladder),
        Part(Tissue.URINE, bladder.inflated(-3.0)),
        *(
            Part(tissue, ellipsoid(place, radii, body, angle_deg=angle))
            for tissue, place, radii, angle in shapes
        ),
    ]


#: Aorta and common iliac arteries; cava and common iliac veins: z, x, y and semi-axes.
GREAT_VESSELS = (
    [(38, -6, 4, 8, 8), (120, -12, 6, 9, 9), (200, -14, -2, 11, 11), (265, -20, -12, 12, 12)],
    [(-6, 26, 0, 6, 6), (20, 13, 6, 6, 6), (42, -1, 4, 6, 6)],
    [(-6, -30, 0, 6, 6), (20, -20, 6, 6, 6), (42, -9, 4, 6, 6)],
    [(28, 17, -4, 11, 9), (120, 20, 2, 12, 9), (200, 24, 6, 14, 11), (265, 26, 16, 15, 12)],
    [(-10, 28, -12, 7, 7), (30, 16, -5, 8, 7)],
    [(-10, -24, -12, 7, 7), (12, -6, -8, 12, 6), (30, 10, -5, 9, 7)],
)
#: Right external iliac artery and vein, internal iliac artery: z, x, y, radius.
ILIAC_VESSELS = (
    [(-98, 68, 52, 5), (-70, 58, 42, 5), (-36, 40, 22, 5.5), (-4, 27, 0, 5.5)],
    [(-98, 57, 50, 6), (-70, 50, 34, 6), (-36, 36, 10, 6), (-8, 27, -11, 6.5)],
    [(-66, 42, -30, 3.5), (-30, 34, -16, 4.5), (-4, 27, -3, 5)],
)
#: Renal vessels: x, y, z and side.
RENAL_VESSELS = ((-34, -22, 150, -1), (40, -20, 146, 1))


def vessels(body: Habitus) -> list[Part]:
    """Return aorta, cava, iliac and renal vessels."""
    shapes = [
        *(stack(rows, body) for rows in GREAT_VESSELS),
        *(
            tube([(z, side * x, y, radius) for z, x, y, radius in rows], body)
            for side in (1, -1)
            for rows in ILIAC_VESSELS
        ),
        *(
            ellipsoid((x, y, z), (24, 4, 5), body, angle_deg=-20 * side)
            for x, y, z, side in RENAL_VESSELS
        ),
    ]
    return [Part(Tissue.VESSEL, shape) for shape in shapes]

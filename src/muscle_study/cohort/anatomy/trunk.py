"""Skin, fat, abdominal wall, back muscles, ribs and arms."""

from collections.abc import Iterable

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, Stack, both_sides
from muscle_study.cohort.anatomy.tables import Rows, shelled, stack
from muscle_study.cohort.anatomy.tissues import Tissue

SKIN_MM = 2.2

#: Outer surface of the muscles of the abdominal wall.
WALL = [(-85, 0, 32, 58, 36), (-55, 0, 24, 84, 58), (-20, 0, 10, 106, 82), (15, 0, 2, 121, 92),
        (60, 0, 0, 128, 92), (110, 0, 2, 133, 95), (170, 0, 6, 140, 102),
        (250, 0, 12, 144, 110)]  # fmt: skip
#: Outline of the wall in steps of 45°: flat behind with a groove over the spine, round in front.
WALL_OUTLINE = np.array([1.0, 0.98, 1.0, 0.98, 1.0, 1.0, 0.93, 1.0])

#: The hips without skin and fat.
HIPS = [(-170, 0, -8, 100, 34), (-150, 0, -8, 145, 74), (-100, 0, -8, 155, 90),
        (-50, 0, -8, 148, 90), (10, 0, -6, 134, 90), (60, 0, 0, 118, 82)]  # fmt: skip
#: The right thigh without skin and fat.
THIGH = [(-290, 88, 0, 68, 74), (-230, 90, 0, 72, 78), (-170, 92, -2, 71, 78),
         (-120, 98, 0, 56, 66)]  # fmt: skip

#: The cleft between the buttocks: height and y of its floor, mm.
CLEFT = [(-180, -20), (-150, -52), (-120, -72), (-88, -98), (-66, -110)]
#: Half-breadth of the cleft, and a y behind any body, mm.
CLEFT_MM, CLEFT_BACK_MM = 4.0, -260.0

#: Depth (mm) at which each layer of the wall begins: external oblique, fat, internal oblique, fat,
#: transversus, abdominal cavity.
LAYERS = (
    (0.0, Tissue.MUSCLE),
    (5.0, Tissue.INTERMUSCULAR_FAT),
    (6.2, Tissue.MUSCLE),
    (11.5, Tissue.INTERMUSCULAR_FAT),
    (12.4, Tissue.MUSCLE),
    (15.0, Tissue.VISCERAL_FAT),
)


def wall(body: Habitus) -> Stack:
    """Return the outer surface of the wall; visceral fat widens it forward and to the sides."""
    shape = stack(WALL, body, exponent=2.4, outline=WALL_OUTLINE)
    share = np.interp(shape.rows[:, 0] / body.scale, [-80, 0, 60, 180], [0.2, 0.8, 1.0, 0.8])
    shape.rows[:, 2] += share * body.visceral_mm / 2
    shape.rows[:, 3] += share * body.visceral_mm / 3
    shape.rows[:, 4] += share * body.visceral_mm / 2
    shape.rows[:, 3] *= body.frame
    return shape


def outline(body: Habitus, muscles: Iterable[Stack]) -> list[Part]:
    """Return skin and subcutaneous fat, thick enough to cover each of `muscles`."""
    trunk = wall(body)
    # more fat in front and at the sides than over the spine
    trunk.rows[:, 2] += 0.25 * body.subcutaneous_mm
    hips = stack(HIPS, body, exponent=2.4)
    hips.rows[:, 3] *= body.hip
    thigh = stack(THIGH, body)
    covers = [
        trunk.inflated(body.subcutaneous_mm),
        hips.inflated(0.8 * body.hip_fat_mm),
        thigh.inflated(0.8 * body.hip_fat_mm),
        thigh.inflated(0.8 * body.hip_fat_mm).mirrored(),
        *(muscle.inflated(body.hip_fat_mm) for muscle in muscles),
    ]
    return [
        *(Part(Tissue.SKIN, cover.inflated(SKIN_MM)) for cover in covers),
        *(Part(Tissue.FAT, cover) for cover in covers),
        Part(Tissue.AIR, _cleft(body)),
    ]


def _cleft(body: Habitus) -> Stack:
    """Return the air in the cleft between the buttocks."""
    z, deep = np.array(CLEFT).T
    deep = deep - 0.3 * body.hip_fat_mm / body.scale
    middle, half = (deep + CLEFT_BACK_MM) / 2, (deep - CLEFT_BACK_MM) / 2
    return stack(np.column_stack([z, 0 * z, middle, 0 * z + CLEFT_MM, half]), body)


def abdominal_wall(body: Habitus) -> list[Part]:
    """Return the layers of the wall, the cavity, rectus abdominis and linea alba."""
    outside = wall(body)
    layers = [
        Part(tissue, outside.inflated(-depth), breathes=depth == LAYERS[-1][0])
        for depth, tissue in LAYERS
    ]
    pelvic_cavity = stack(
        [(-135, 0, 10, 22, 22), (-100, 0, 8, 48, 44), (-55, 0, 4, 66, 58), (-5, 0, 8, 92, 66)],
        body,
    )
    return [*layers, Part(Tissue.VISCERAL_FAT, pelvic_cavity), *_rectus(body, outside)]


def _rectus(body: Habitus, outside: Stack) -> list[Part]:
    """Return both rectus muscles in their sheath."""
    heights = np.array([-80, -40, 0, 60, 120, 180, 240]) * body.scale
    section = outside.sections(heights)
    front = section.y_mm + section.b_mm
    bend = -0.0022  # the sheath curves back along the front of the wall
    breadth = np.array([12, 22, 28, 32, 34, 38, 40]) * body.scale
    sheath = Stack(
        np.column_stack([heights, 0 * heights, front - 8, 2 * breadth + 10, 0 * heights + 8.5]),
        bend_per_mm=bend,
    )
    thickness = np.array([3, 4, 5, 5.5, 5.5, 5, 4]) * body.scale
    muscle = Stack(
        np.column_stack(
            [heights, breadth + 3, front - 7 - 0.0022 * breadth**2, breadth, thickness]
        ),
        angle_deg=-8.0,
        exponent=2.6,
    )
    return [Part(Tissue.FASCIA, sheath), *both_sides(Tissue.MUSCLE, muscle)]


#: Erector spinae: multifidus, longissimus and iliocostalis, with their angle (degrees).
ERECTOR_SPINAE: tuple[tuple[Rows, float], ...] = (
    ([(-90, 10, -103, 7, 4), (-50, 15, -95, 13, 9), (0, 17, -82, 14, 13), (40, 16, -79, 13, 13),
      (100, 14, -78, 10, 11), (250, 12, -78, 8, 8)], 70.0),
    ([(-55, 26, -97, 6, 4), (-20, 33, -86, 12, 8), (20, 39, -76, 15, 13), (80, 38, -74, 16, 15),
      (150, 34, -76, 15, 14), (250, 30, -78, 14, 11)], 15.0),
    ([(-5, 50, -80, 6, 4), (30, 60, -72, 13, 9), (90, 63, -68, 16, 12), (160, 60, -70, 16, 11),
      (250, 56, -74, 15, 9)], 20.0),
)  # fmt: skip

QUADRATUS = [(36, 86, -50, 16, 6), (60, 78, -50, 20, 8), (100, 68, -52, 20, 8),
             (140, 58, -54, 15, 6), (172, 50, -56, 8, 4)]  # fmt: skip

LATISSIMUS = [(70, 104, -70, 12, 3), (120, 112, -62, 26, 4), (180, 118, -54, 40, 6),
              (250, 122, -48, 52, 8)]  # fmt: skip


def back(body: Habitus) -> list[Part]:
    """Return erector spinae with fascia and fat, quadratus lumborum, crura and latissimus dorsi."""
    compartment = stack(
        [(-92, 14, -101, 12, 6), (-40, 24, -92, 24, 12), (10, 36, -79, 36, 17),
         (90, 42, -73, 43, 20), (180, 40, -74, 42, 18), (250, 38, -76, 38, 14)],
        body,
        exponent=2.6,
        angle_deg=8.0,
    )  # fmt: skip
    parts = [
        *both_sides(Tissue.MUSCLE, stack(LATISSIMUS, body, angle_deg=58.0, bend_per_mm=0.003)),
        *both_sides(Tissue.FASCIA, compartment.inflated(1.0)),
        *both_sides(Tissue.INTERMUSCULAR_FAT, compartment),
    ]
    for rows, angle_deg in ERECTOR_SPINAE:
        muscle = stack(rows, body, angle_deg=angle_deg, exponent=2.4)
        parts += both_sides(Tissue.MUSCLE, muscle.inflated(3.2 - body.intermuscular_mm))
    quadratus = stack(QUADRATUS, body, angle_deg=12.0)
    crura = stack([(110, 10, -8, 6, 4), (160, 14, -8, 9, 5), (220, 20, -10, 14, 5)], body)
    return [*parts, *both_sides(Tissue.MUSCLE, quadratus), *both_sides(Tissue.MUSCLE, crura)]


#: Ribs 12 to 9: height of the front end (mm), and angles of both ends in degrees from the back.
RIBS = ((150.0, 34.0, 70.0), (138.0, 30.0, 105.0), (120.0, 28.0, 130.0), (128.0, 28.0, 150.0))
#: Rise of a rib from its front end to the spine (mm).
RIB_CLIMB_MM = 95.0


def ribs(body: Habitus) -> list[Part]:
    """Return the lowest ribs."""
    outside = wall(body)
    parts = []
    for lowest, back_deg, front_deg in RIBS:
        heights = np.linspace(lowest, lowest + RIB_CLIMB_MM, 7) * body.scale
        around = np.deg2rad(np.linspace(front_deg, back_deg, 7))
        section = outside.sections(heights)
        x = (section.a_mm - 7) * np.sin(around)
        y = section.y_mm - (section.b_mm - 7) * np.cos(around)
        tangent = np.rad2deg(
            np.arctan2(section.b_mm * np.sin(around), section.a_mm * np.cos(around))
        )
        length = np.array([8, 14, 15, 15, 15, 14, 8.0])
        rows = np.column_stack([heights, x, y, length, 0 * length + 4.5])
        parts += shelled(
            Tissue.CORTEX, Tissue.RED_MARROW, Stack(rows, angle_deg=tangent), shell_mm=1.8
        )
    return parts


#: Hand, forearm and upper arm: height and semi-axes, mm.
ARM = [(-240, 22, 30), (-190, 28, 42), (-140, 26, 30), (-60, 34, 36), (60, 44, 46),
       (130, 40, 44), (240, 46, 50)]  # fmt: skip


def arms(body: Habitus) -> list[Part]:
    """Return skin, fat, muscle and bones of both arms, beside trunk and hips."""
    heights = np.array([row[0] for row in ARM]) * body.scale
    trunk, hips = wall(body), stack(HIPS, body)
    beside = np.maximum(
        trunk.sections(heights).a_mm + body.subcutaneous_mm,
        hips.sections(heights).a_mm * body.hip + 0.8 * body.hip_fat_mm,
    )
    beside = np.maximum(beside, 150 * body.scale)
    fat = 3 + 0.3 * body.subcutaneous_mm
    half = np.array([row[1:] for row in ARM]) * body.scale
    x = beside + half[:, 0] + fat + 14
    skin = Stack(np.column_stack([heights, x, 0 * x - 12, half + fat]))
    bones = [
        Stack(np.column_stack([heights, x + dx, 0 * x - 12 + dy, 0 * x + 7, 0 * x + 7]))
        for dx, dy in ((-6, 9), (8, -8))
    ]
    return [
        *both_sides(Tissue.SKIN, skin),
        *both_sides(Tissue.FAT, skin.inflated(-SKIN_MM)),
        *both_sides(Tissue.MUSCLE, skin.inflated(-SKIN_MM - fat)),
        *(part for bone in bones for part in shelled(
            Tissue.CORTEX, Tissue.YELLOW_MARROW, bone, shell_mm=3.0)),
    ]  # fmt: skip

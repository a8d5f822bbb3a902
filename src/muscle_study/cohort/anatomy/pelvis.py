"""The bony pelvis and the muscles of its wall and floor."""

import numpy as np

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.shapes import Part, both_sides
from muscle_study.cohort.anatomy.tables import Rows, ellipsoid, hip_stack, shelled
from muscle_study.cohort.anatomy.tissues import Tissue

#: Centre of the hip joint (x, y, z of the reference body) and radius of the femoral head, mm.
HIP_JOINT_MM, HEAD_MM = (88.0, 2.0, -88.0), 24.0

#: The iliac wing, from the roof of the acetabulum to the crest.
WING = [(-76, 90, -8, 30, 19), (-62, 90, -13, 44, 13), (-44, 93, -20, 62, 8.5),
        (-20, 95, -29, 78, 6.5), (6, 99, -34, 74, 6), (28, 104, -38, 52, 5.5),
        (42, 107, -42, 22, 4.5), (47, 108, -42, 8, 2)]  # fmt: skip
WING_ANGLE_DEG = np.array([62, 59, 56, 52, 47, 43, 41, 41.0])

ILIACUS = [(-142, 96, -2, 8, 5), (-118, 93, 20, 15, 9), (-92, 91, 33, 21, 11),
           (-66, 90, 24, 32, 12), (-40, 88, 6, 46, 12), (-14, 88, -12, 50, 11),
           (10, 93, -24, 44, 8), (32, 100, -32, 20, 4)]  # fmt: skip
ILIACUS_ANGLE_DEG = np.array([20, 35, 42, 50, 52, 50, 46, 43.0])

#: The ischium: the bone behind and below the joint, down to its tuberosity.
ISCHIUM = [(-170, 56, -44, 9, 8), (-152, 58, -48, 16, 18), (-126, 66, -38, 17, 18),
           (-104, 76, -26, 15, 20), (-80, 84, -18, 20, 18), (-66, 88, -14, 18, 14)]  # fmt: skip

#: The pubis: upper ramus from the joint to the symphysis, lower ramus back to the ischium.
PUBIS_UPPER = [(-114, 34, 40, 26, 6), (-104, 42, 38, 34, 8), (-92, 54, 33, 30, 9),
               (-82, 68, 28, 20, 7)]  # fmt: skip
PUBIS_LOWER = [(-160, 50, -36, 9, 6), (-146, 40, -14, 9, 8), (-130, 26, 18, 9, 9),
               (-114, 14, 38, 9, 12), (-100, 12, 43, 6, 8)]  # fmt: skip


def pelvis(body: Habitus) -> list[Part]:
    """Return ilium, ischium, pubis, acetabulum and the muscles on their inside."""
    wing = hip_stack(WING, body, angle_deg=WING_ANGLE_DEG, bend_per_mm=0.0009, exponent=2.3)
    x, y, z = HIP_JOINT_MM
    socket = ellipsoid((x * body.hip, y, z), (HEAD_MM + 8,) * 3, body)
    cartilage = ellipsoid((x * body.hip, y, z), (HEAD_MM + 2.5,) * 3, body)
    opening = ellipsoid((x * body.hip + 20, y + 4, z - 8), (26, 30, 30), body)
    bones = (
        (socket, 2.2),
        (wing, 2.0),
        (hip_stack(ISCHIUM, body), 2.2),
        (hip_stack(PUBIS_UPPER, body, angle_deg=-14.0), 2.0),
        (hip_stack(PUBIS_LOWER, body), 2.0),
    )
    symphysis = hip_stack([(-136, 0, 36, 3, 10), (-118, 0, 40, 3.5, 15), (-100, 0, 42, 3, 9)], body)
    return [
        *_muscles(body),
        *(
            part
            for bone, cortex_mm in bones
            for part in shelled(Tissue.CORTEX, Tissue.RED_MARROW, bone, cortex_mm)
        ),
        *both_sides(Tissue.INTERMUSCULAR_FAT, opening),
        *both_sides(Tissue.CARTILAGE, cartilage),
        Part(Tissue.CARTILAGE, symphysis),
    ]


#: Obturator internus and externus, quadratus femoris, piriformis, levator ani and the sciatic
#: nerve: tissue, rows and angle (degrees).
SMALL: tuple[tuple[Tissue, Rows, float | np.ndarray], ...] = (
    (Tissue.MUSCLE, [(-142, 48, -18, 18, 7), (-118, 53, -8, 34, 11), (-92, 54, -4, 38, 12),
                     (-62, 62, -12, 24, 7)], 82.0),
    (Tissue.MUSCLE, [(-146, 60, 2, 14, 6), (-132, 62, 10, 24, 9), (-116, 60, 18, 16, 7)], -10.0),
    (Tissue.MUSCLE, [(-160, 92, -30, 12, 4), (-140, 94, -30, 24, 8), (-118, 96, -28, 14, 4)], 10.0),
    (Tissue.MUSCLE, [(-100, 108, -34, 12, 4), (-86, 88, -48, 28, 8), (-66, 62, -64, 32, 10),
                     (-42, 42, -70, 16, 6)], 30.0),
    (Tissue.MUSCLE, [(-132, 14, -40, 22, 3), (-112, 30, -30, 30, 3), (-94, 46, -24, 26, 2.5)],
     np.array([100, 95, 88.0])),
    (Tissue.NERVE, [(-240, 88, -34, 5, 4), (-150, 80, -44, 6, 4), (-104, 72, -50, 7, 4),
                    (-74, 58, -52, 8, 4)], 0.0),
)  # fmt: skip


def _muscles(body: Habitus) -> list[Part]:
    iliacus = hip_stack(ILIACUS, body, angle_deg=ILIACUS_ANGLE_DEG, bend_per_mm=0.0012)
    return [
        Part(Tissue.ILIACUS_RIGHT, iliacus),
        Part(Tissue.ILIACUS_LEFT, iliacus.mirrored()),
        *(
            part
            for tissue, rows, angle_deg in SMALL
            for part in both_sides(tissue, hip_stack(rows, body, angle_deg=angle_deg))
        ),
    ]

"""Femora, muscles and vessels of the thighs."""

from muscle_study.cohort.anatomy.habitus import Habitus
from muscle_study.cohort.anatomy.pelvis import HEAD_MM, HIP_JOINT_MM
from muscle_study.cohort.anatomy.shapes import Part, both_sides
from muscle_study.cohort.anatomy.tables import Rows, ellipsoid, hip_stack
from muscle_study.cohort.anatomy.tissues import Tissue

#: Muscles of the right thigh with their angle (degrees).
MUSCLES: dict[str, tuple[Rows, float]] = {
    "vastus lateralis": (
        [(-290, 134, 6, 34, 17), (-220, 138, 4, 32, 16), (-165, 140, 2, 24, 11),
         (-132, 138, 6, 10, 5)], 78.0,
    ),
    "vastus intermedius": (
        [(-290, 106, 26, 26, 14), (-220, 112, 24, 25, 12), (-170, 118, 18, 18, 8),
         (-145, 118, 16, 8, 4)], 0.0,
    ),
    "vastus medialis": (
        [(-290, 82, 16, 14, 20), (-230, 88, 20, 9, 14), (-190, 96, 18, 4, 7)], 20.0,
    ),
    "rectus femoris": (
        [(-290, 110, 54, 21, 13), (-220, 112, 54, 20, 13), (-150, 108, 52, 15, 11),
         (-100, 103, 46, 8, 7), (-74, 100, 40, 4, 4)], -8.0,
    ),
    "sartorius": (
        [(-290, 66, 46, 14, 7), (-220, 80, 58, 13, 6), (-150, 98, 66, 12, 6),
         (-80, 116, 60, 9, 6), (-36, 122, 50, 5, 4)], -18.0,
    ),
    "tensor fasciae latae": (
        [(-200, 142, 30, 11, 4), (-150, 143, 34, 20, 8), (-100, 138, 42, 19, 9),
         (-50, 128, 46, 9, 5)], 70.0,
    ),
    "adductor magnus": (
        [(-290, 74, -18, 26, 20), (-220, 68, -16, 29, 23), (-170, 54, -14, 28, 22),
         (-146, 46, -10, 20, 16), (-128, 42, -4, 8, 8)], 20.0,
    ),
    "adductor longus and brevis": (
        [(-290, 76, 12, 16, 9), (-220, 62, 22, 24, 14), (-160, 46, 28, 26, 15),
         (-126, 32, 32, 14, 10)], -12.0,
    ),
    "gracilis": (
        [(-290, 42, -6, 6, 17), (-220, 36, 4, 6, 19), (-160, 27, 12, 5, 16),
         (-132, 22, 20, 3, 8)], 0.0,
    ),
    "pectineus": (
        [(-172, 84, 22, 12, 6), (-140, 68, 38, 20, 8), (-112, 50, 44, 16, 7),
         (-98, 44, 44, 6, 3)], -25.0,
    ),
    "biceps femoris": (
        [(-290, 106, -44, 20, 17), (-220, 92, -48, 17, 14), (-178, 72, -50, 9, 8),
         (-160, 64, -48, 4, 4)], 10.0,
    ),
    "semitendinosus and semimembranosus": (
        [(-290, 68, -52, 20, 18), (-220, 66, -52, 18, 14), (-178, 60, -50, 9, 8),
         (-160, 58, -48, 4, 4)], -10.0,
    ),
}  # fmt: skip

#: Growth of the muscles in the tables that leaves only fat planes between them (mm).
FULLNESS_MM = 5.5

NECK = [(-128, 120, -6, 12, 12), (-112, 114, -4, 23, 13), (-98, 106, -1, 22, 13),
        (-86, 98, 1, 12, 10)]  # fmt: skip
TROCHANTER = [(-150, 116, -8, 12, 15), (-124, 124, -12, 14, 17), (-98, 128, -16, 10, 14),
              (-82, 128, -18, 5, 7)]  # fmt: skip
LESSER = [(-166, 104, -12, 6, 6), (-152, 99, -15, 8, 8), (-138, 103, -12, 6, 6)]
SHAFT = [(-290, 104, 4, 14, 14), (-200, 110, 1, 14, 15), (-158, 113, -4, 17, 17),
         (-130, 116, -6, 15, 16)]  # fmt: skip


def thighs(body: Habitus) -> list[Part]:
    """Return muscles, iliotibial tract, vessels and femora."""
    parts = []
    for rows, angle in MUSCLES.values():
        muscle = hip_stack(rows, body, angle_deg=angle, exponent=2.3)
        parts += both_sides(Tissue.MUSCLE, muscle.inflated(FULLNESS_MM - body.intermuscular_mm))
    tract = hip_stack(
        [(-290, 152, 2, 20, 1.6), (-200, 156, 4, 22, 1.6), (-130, 152, 8, 20, 1.6),
         (-70, 142, 26, 12, 1.2)],
        body,
        angle_deg=84.0,
    )  # fmt: skip
    parts += both_sides(Tissue.FASCIA, tract)
    for aside, radius in ((4, 4.5), (-7, 5.5)):  # artery and vein
        rows = [(z, x + aside, y, radius, radius)
                for z, x, y in ((-240, 82, 34), (-160, 78, 46), (-98, 64, 52))]  # fmt: skip
        parts += both_sides(Tissue.VESSEL, hip_stack(rows, body))
    return [*parts, *_femora(body)]


def _femora(body: Habitus) -> list[Part]:
    x, y, z = HIP_JOINT_MM
    head = ellipsoid((x * body.hip, y, z), (HEAD_MM,) * 3, body)
    tables = ((LESSER, 2.5), (TROCHANTER, 2.2), (SHAFT, 5.0), (NECK, 2.2))
    bones = [*((hip_stack(rows, body), cortex) for rows, cortex in tables), (head, 1.6)]
    # all cortex is painted before all marrow, so that no cortex runs through a bone
    return [
        part
        for tissue, inward in ((Tissue.CORTEX, False), (Tissue.YELLOW_MARROW, True))
        for bone, cortex in bones
        for part in both_sides(tissue, bone.inflated(-cortex) if inward else bone)
    ]

"""Implants and the artefacts around them."""

from dataclasses import replace

import numpy as np
from scipy import ndimage

from muscle_study.cohort.anatomy.pelvis import HEAD_MM, HIP_JOINT_MM
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.anatomy.shapes import Part, Stack, both_sides
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.faults.dixon import axis_mm, exchange
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume, resample

#: Stem of a right hip prosthesis in the reference body, in shaft and neck of the femur: z, x, y and
#: semi-axes, mm. Its head replaces the femoral head. Our assumption, after common prostheses.
STEM = np.array(
    [
        [-215, 109, 1, 5, 5],
        [-160, 113, -2, 7, 7],
        [-125, 113, -4, 10, 8],
        [-105, 104, -2, 11, 8],
        [-88, 88, 2, 10, 8],
    ],
    float,
)

#: Latitudes of the sections of the head, radians.
HEAD_ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 9)

#: Right rod behind the two lowest lumbar vertebrae, and right screws through their pedicles.
ROD = np.array([[7, 20, -72, 3, 3], [67, 20, -72, 3, 3]], float)
SCREW_HEIGHTS_MM, SCREW_MIDDLE_MM, SCREW_ANGLE_DEG = (19.0, 55.0), (15.0, -46.0), 102.0
SCREW_LENGTH_MM, SCREW_THICKNESS_MM = 54.0, 7.0

#: Distances from metal (mm) up to which all signal is lost and beyond which none is; height,
#: distance and width of the signal pile-up between. Sizes as of titanium and steel in gradient
#: echoes at 3 T (our assumption).
VOID_MM, WHOLE_MM = 6.0, 14.0
PILE_UP, PILE_UP_AT_MM, PILE_UP_WIDTH_MM = 0.8, 14.0, 3.0

#: Distance from metal up to which its field swaps water and fat (mm).
EXCHANGE_MM = 28.0

#: Pitch of the grid of distances from metal (mm).
PITCH_MM = 2.0
#: Margin around metal, beyond its field and any deformation of the body (mm).
MARGIN_MM = 70.0


def with_hip_implant(body: Body, side: str, scale: float) -> Body:
    """Add a hip prosthesis on the ``left`` or ``right``; `scale` is height relative to 175 cm."""
    x, y, z = HIP_JOINT_MM
    rise, radius = HEAD_MM * np.array([(np.sin(a), np.cos(a)) for a in HEAD_ANGLES]).T
    ones = np.ones_like(rise)
    head = np.column_stack([z + rise, x * ones, y * ones, radius, radius])
    stacks = [_scaled(Stack(rows), scale) for rows in (STEM, head)]
    if side == "left":
        stacks = [stack.mirrored() for stack in stacks]
    return _with(body, [Part(Tissue.IMPLANT, stack) for stack in stacks])


def with_spine_implant(body: Body, scale: float) -> Body:
    """Add screws and rods in the two lowest lumbar vertebrae."""
    stacks = [Stack(ROD)]
    for height in SCREW_HEIGHTS_MM:
        section = [*SCREW_MIDDLE_MM, SCREW_LENGTH_MM / 2, SCREW_THICKNESS_MM / 2]
        ends = [height - SCREW_THICKNESS_MM / 2, height + SCREW_THICKNESS_MM / 2]
        stacks.append(Stack(np.array([[z, *section] for z in ends]), SCREW_ANGLE_DEG))
    parts = [part for stack in stacks for part in both_sides(Tissue.IMPLANT, _scaled(stack, scale))]
    return _with(body, parts)


def _scaled(stack: Stack, scale: float) -> Stack:
    """Return a shape of the reference body scaled as the skeleton."""
    return replace(stack, rows=stack.rows * scale)


def _with(body: Body, parts: list[Part]) -> Body:
    return replace(body, parts=[*body.parts, *parts])


def disturb_around_metal(scan: Scan, body: Body) -> Scan:
    """Remove the signal around the body's implants and swap water and fat further out.

    Reference labels stay unchanged.
    """
    distance = distance_from_metal(body)
    metal = np.argwhere(distance.data == 0) @ distance.affine[:3, :3] + distance.affine[:3, 3]
    middle_mm = metal.mean(axis=0)
    return scan.with_images(lambda contrasts: _disturbed(contrasts, distance, middle_mm))


def distance_from_metal(body: Body) -> Volume:
    """Return the distance from the body's implants in a box around them, mm."""
    implants = [part for part in body.parts if part.tissue == Tissue.IMPLANT]
    rows = np.concatenate([part.stack.rows for part in implants])
    reach = rows[:, 3:].max(axis=1)
    axes = tuple(
        np.arange((place - size).min() - MARGIN_MM, (place + size).max() + MARGIN_MM, PITCH_MM)
        for place, size in ((rows[:, 1], reach), (rows[:, 2], reach), (rows[:, 0], 0 * reach))
    )
    metal = sample(replace(body, parts=implants, muscles={}), axes).transpose(2, 1, 0) > 0
    affine = np.diag([PITCH_MM, PITCH_MM, PITCH_MM, 1.0])
    affine[:3, 3] = [axis[0] for axis in axes]
    distance = ndimage.distance_transform_edt(~metal, sampling=PITCH_MM)
    return Volume(distance.astype(np.float32), affine)


def _disturbed(
    contrasts: dict[str, Volume], distance: Volume, middle_mm: np.ndarray
) -> dict[str, Volume]:
    water = contrasts["water"]
    away = resample(distance, water.data.shape, water.affine, outside=MARGIN_MM).data
    x, y, z = np.ix_(*(axis_mm(water, axis) - middle_mm[axis] for axis in range(3)))
    # a dipole along the field (z) raises the frequency within the cone 3 cos² > 1 above and below
    # it and lowers it at the sides
    raised = 2 * z**2 > x**2 + y**2
    exchanged = exchange(contrasts, raised & (away < EXCHANGE_MM))
    factor = np.clip((away - VOID_MM) / (WHOLE_MM - VOID_MM), 0, 1)
    factor *= 1 + PILE_UP * np.exp(-(((away - PILE_UP_AT_MM) / PILE_UP_WIDTH_MM) ** 2))
    most = np.iinfo(water.data.dtype).max
    return {
        name: Volume(
            np.rint(volume.data * factor).clip(0, most).astype(volume.data.dtype), volume.affine
        )
        for name, volume in exchanged.items()
    }

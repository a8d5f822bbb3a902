"""A participant's volumes: mutual checks, and resampling to the run's grid."""

from collections.abc import Mapping, Sequence

import numpy as np

from muscle_study.imaging.labels import describe_grid
from muscle_study.imaging.volumes import Volume, resample, to_ras, upright_grid
from muscle_study.protocol.exclusions import Excluded, Reason

#: Tolerance of spacings and directions, which headers round.
TOLERANCE = 1e-3


def check_images(images: Mapping[str, Volume]) -> None:
    """Refuse flat or blank contrasts, lost affines, and contrasts on different grids.

    Raises
    ------
    Excluded
        ``bad_geometry``, ``empty_image`` or ``grid_mismatch``, naming the contrast.
    """
    first_name, first = next(iter(images.items()))
    for name, volume in images.items():
        if min(volume.data.shape) < 2:
            shape = "x".join(map(str, volume.data.shape))
            raise Excluded(Reason.BAD_GEOMETRY, f"{name}: {shape} voxels are no volume")
        if np.array_equal(volume.affine, np.eye(4)):
            raise Excluded(
                Reason.BAD_GEOMETRY, f"{name}: the affine is the identity, as where it was lost"
            )
        if volume.data.min() == volume.data.max():
            raise Excluded(Reason.EMPTY_IMAGE, f"{name}: every voxel is {volume.data.flat[0]:g}")
        if not volume.same_grid(first):
            raise Excluded(
                Reason.GRID_MISMATCH,
                f"{name} {describe_grid(volume)}, {first_name} {describe_grid(first)}",
            )


def check_extent(image: Volume, least_mm: Sequence[float]) -> None:
    """Refuse a field of view too small for whole muscles.

    Parameters
    ----------
    image
        Image in RAS order.
    least_mm
        Least extent left–right, front–back, foot–head.

    Raises
    ------
    Excluded
        ``field_of_view``, naming both extents.
    """
    extent = image.spacing_mm * image.data.shape
    # half a voxel: grids of other spacing do not fit the same box
    if (extent + image.spacing_mm / 2 < least_mm).any():
        seen, wanted = ("x".join(f"{edge:.0f}" for edge in box) for box in (extent, least_mm))
        raise Excluded(Reason.FIELD_OF_VIEW, f"{seen} mm, at least {wanted} mm are needed")


def is_on_grid(volume: Volume, spacing_mm: Sequence[float]) -> bool:
    """Whether a volume in RAS order is upright and has this spacing."""
    upright = np.allclose(
        volume.affine[:3, :3] / volume.spacing_mm, np.eye(3), rtol=0, atol=TOLERANCE
    )
    return upright and np.allclose(volume.spacing_mm, spacing_mm, rtol=TOLERANCE, atol=0)


def image_on_grid(image: Volume, spacing_mm: Sequence[float]) -> Volume:
    """Return an image in RAS order at `spacing_mm`.

    Axes are permuted and flipped if that suffices; else the image is interpolated linearly on the
    upright grid around it, with its minimum (air in MR and CT) outside. Integers of more than 16
    bits and doubles become single floats.
    """
    turned = to_ras(image)
    if not is_on_grid(turned, spacing_mm):
        shape, affine = upright_grid(turned, np.asarray(spacing_mm))
        turned = resample(turned, shape, affine, order=1, outside=float(image.data.min()))
    if turned.data.dtype.itemsize > 2:
        return Volume(turned.data.astype(np.float32), turned.affine)
    return turned


def labels_on_grid(labels: Volume, spacing_mm: Sequence[float]) -> Volume:
    """Return a label map on the grid of `image_on_grid`, by nearest neighbour.

    Nearest neighbour preserves volume on average. Thresholded linear interpolation rounds convex
    surfaces off: on real iliopsoas masks of 3 mm it lost 1–5 % at 1.5 mm and up to 14 % at 2 mm,
    where nearest neighbour lost nothing and scattered by ±7 %.
    """
    turned = to_ras(labels)
    if is_on_grid(turned, spacing_mm):
        return turned
    return resample(turned, *upright_grid(turned, np.asarray(spacing_mm)), order=0)

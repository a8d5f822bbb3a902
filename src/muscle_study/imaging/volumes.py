"""Volumes: voxels with an affine, read from and written to NIfTI files.

As in nibabel, the affine maps voxel indices to RAS millimetres: +x to the participant's right, +y
to the front, +z to the head.
"""

import gzip
import io
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.orientations import aff2axcodes
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError
from scipy import ndimage

from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import whole_file

MM3_PER_ML = 1000.0
MM2_PER_CM2 = 100.0

#: Range of plausible voxel edges (mm).
PLAUSIBLE_SPACING_MM = (0.2, 20.0)

#: Greatest plausible number of voxels, in total and along an axis.
MAX_VOXELS, MAX_EDGE = 1 << 27, 4096

#: Greatest size of a volume, and size of the chunks in which the rest of a stream is read (bytes).
MAX_FILE_BYTES, CHUNK_BYTES = 1 << 29, 1 << 20

#: Length of a NIfTI-1 header (bytes).
HEADER_BYTES = 352

#: Shift towards higher indices for nearest neighbours, so that all ties break alike (voxels).
TIE_VOXELS = 1e-5


@dataclass(frozen=True)
class Volume:
    """Three-dimensional voxel data, and their 4 x 4 affine to RAS millimetres."""

    data: np.ndarray
    affine: np.ndarray

    @cached_property
    def spacing_mm(self) -> np.ndarray:
        """Voxel edges, shape (3,)."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, from the determinant, which is right for sheared grids too."""
        return abs(np.linalg.det(self.affine[:3, :3])) / MM3_PER_ML

    @property
    def orientation(self) -> str:
        """Axis codes, such as ``"RAS"``."""
        return "".join(aff2axcodes(self.affine))

    def same_grid(self, other: "Volume", tolerance_mm: float = 1e-3) -> bool:
        """Return whether `other` has the same shape and, within a tolerance, the same affine."""
        return self.data.shape == other.data.shape and np.allclose(
            self.affine, other.affine, rtol=0, atol=tolerance_mm
        )


def load(path: Path) -> Volume:
    """Read a NIfTI file; integers stay integers unless the header scales them.

    Raises
    ------
    Excluded
        ``unreadable_image``, ``bad_geometry`` or ``non_finite_voxels``, naming the file.
    OSError
        If the file system fails, naming the file without its folder.
    """
    with _from_disk(path):
        content = path.read_bytes()
    return decode(content, path.name)


def decode(content: bytes, name: str) -> Volume:
    """Decode the bytes of a NIfTI-1 file, gzipped or not, as `load` does; messages say `name`.

    A gzip stream is read to its end, which verifies its checksum: a reader that stops after the
    last voxel misses flipped bits.
    """
    with _refused(name):
        unpacked = _unpack(content, name) if content.startswith(b"\x1f\x8b") else content
        check_size(_header(unpacked), len(unpacked), name)
        volume = _placed(nib.Nifti1Image.from_bytes(unpacked), name)
    if not np.isfinite(volume.data).all():
        raise Excluded(Reason.NON_FINITE_VOXELS, f"{name}: NaN or infinite voxels")
    return volume


def open_mapped(path: Path) -> Volume:
    """Map an uncompressed NIfTI file into memory: voxels are read when they are used.

    The header is checked as in `load`, the voxels are not: this is for curated images.
    """
    name = path.name
    with _from_disk(path), path.open("rb") as content:
        start, size = content.read(HEADER_BYTES), path.stat().st_size
    with _refused(name):
        check_size(_header(start), size, name)
        return _placed(nib.Nifti1Image.from_filename(path, mmap="r"), name)


@contextmanager
def _from_disk(path: Path) -> Iterator[None]:
    """Name the file, without its folder, in errors of the file system."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{path.name}: {error.strerror}") from error


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Turn errors of a broken NIfTI file into an exclusion."""
    try:
        yield
    except (
        OSError, EOFError, ValueError, OverflowError, zlib.error, gzip.BadGzipFile, ImageFileError,
        HeaderDataError, WrapStructError,
    ) as error:  # fmt: skip
        raise Excluded(Reason.UNREADABLE_IMAGE, f"{name}: {error}") from error


def _placed(image: nib.Nifti1Image, name: str) -> Volume:
    """Return the volume of an image after checking its type, dimensions and geometry."""
    scaled = image.dataobj.slope != 1 or image.dataobj.inter != 0
    data = np.asarray(image.dataobj, dtype=np.float32 if scaled else None)
    if data.dtype.kind not in "iuf":
        raise Excluded(Reason.UNREADABLE_IMAGE, f"{name}: voxels of type {data.dtype}")
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3:
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: {data.ndim} dimensions, expected 3")
    check_placed(image, name)
    volume = Volume(data.astype(data.dtype.newbyteorder("="), copy=False), image.affine)
    check_geometry(volume, name)
    return volume


def _unpack(content: bytes, name: str) -> bytes:
    """Unpack the bytes that a NIfTI header announces; check the rest without keeping it."""
    with gzip.GzipFile(fileobj=io.BytesIO(content)) as stream:
        start = stream.read(HEADER_BYTES)
        wanted = check_size(_header(start), None, name)
        unpacked = start + stream.read(wanted - len(start))
        for _ in range(wanted // CHUNK_BYTES + 2):
            if not stream.read(CHUNK_BYTES):
                return unpacked
    raise Excluded(Reason.UNSAFE_FILE, f"{name}: unpacks to much more than its header says")


def _header(start: bytes) -> nib.Nifti1Header:
    return nib.Nifti1Header.from_fileobj(io.BytesIO(start[:HEADER_BYTES]))


def check_size(header: nib.Nifti1Header, available: int | None, name: str) -> int:
    """Return the number of bytes that a header announces, before memory is allocated.

    Raises
    ------
    Excluded
        ``unsafe_file`` for implausible sizes; ``unreadable_image`` if fewer are `available`.
    """
    shape = header.get_data_shape()
    voxels = math.prod(shape)
    if not 0 < voxels <= MAX_VOXELS or max(shape) > MAX_EDGE:
        raise Excluded(Reason.UNSAFE_FILE, f"{name}: {'x'.join(map(str, shape))} voxels")
    wanted = int(header.get_data_offset()) + voxels * header.get_data_dtype().itemsize
    if not 0 < wanted <= MAX_FILE_BYTES:
        raise Excluded(Reason.UNSAFE_FILE, f"{name}: {wanted} bytes")
    if available is not None and available < wanted:
        raise Excluded(
            Reason.UNREADABLE_IMAGE, f"{name}: {available} bytes, the header says {wanted}"
        )
    return wanted


def check_placed(image: nib.Nifti1Image, name: str) -> None:
    """Refuse a header that does not determine left and right.

    Raises
    ------
    Excluded
        ``bad_geometry`` if neither sform nor qform is set, or if their axes differ.
    """
    forms = [image.get_sform(coded=True), image.get_qform(coded=True)]
    affines = [affine for affine, code in forms if code > 0]
    if not all(np.isfinite(affine).all() and np.linalg.det(affine) for affine in affines):
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: the affine is singular or not finite")
    axes = {aff2axcodes(affine) for affine in affines}
    if len(axes) != 1:
        told = " against ".join("".join(map(str, codes)) for codes in sorted(axes, key=str))
        problem = f"sform and qform contradict ({told})" if axes else "neither sform nor qform"
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: {problem}, so left and right are unknown")


def check_geometry(volume: Volume, name: str) -> None:
    """Exclude (``bad_geometry``) a volume with an implausible affine."""
    low, high = PLAUSIBLE_SPACING_MM
    if not np.isfinite(volume.affine).all() or volume.voxel_ml == 0:
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: the affine is singular or not finite")
    if volume.spacing_mm.min() < low or volume.spacing_mm.max() > high:
        raise Excluded(
            Reason.BAD_GEOMETRY,
            f"{name}: spacing {volume.spacing_mm.round(3).tolist()} mm outside {low}–{high} mm",
        )


def save(volume: Volume, path: Path) -> None:
    """Write a NIfTI file of the array's type, whole or not at all."""
    image = nib.Nifti1Image(volume.data, volume.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1)
    with whole_file(path) as beside:
        nib.save(image, beside)


def to_ras(volume: Volume) -> Volume:
    """Permute and flip the axes to run nearest to R, A and S, without interpolation."""
    image = nib.as_closest_canonical(nib.Nifti1Image(volume.data, volume.affine))
    return Volume(np.ascontiguousarray(image.dataobj), image.affine)


def upright_grid(volume: Volume, spacing_mm: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Return shape and affine of the grid with axes R, A and S that covers a volume."""
    corners = np.array(np.meshgrid(*[(-0.5, n - 0.5) for n in volume.data.shape])).reshape(3, -1)
    world = nib.affines.apply_affine(volume.affine, corners.T)
    low, high = world.min(axis=0), world.max(axis=0)
    # a tolerance, so that rounding in the header does not add an empty slice
    shape = tuple(int(n) for n in np.maximum(np.ceil((high - low) / spacing_mm - 1e-3), 1))
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = (low + high) / 2 - (np.array(shape) - 1) / 2 * spacing_mm
    return shape, affine


def resample(
    volume: Volume,
    shape: tuple[int, ...],
    affine: np.ndarray,
    order: int = 1,
    outside: float = 0.0,
) -> Volume:
    """Interpolate a volume on another grid.

    Parameters
    ----------
    volume
        The volume.
    shape, affine
        Target grid.
    order
        0 for labels (nearest neighbour), 1 for images (linear).
    outside
        Value outside the volume, such as air in a CT.
    """
    to_source = np.linalg.inv(volume.affine) @ affine
    if order == 0:
        # Grids with a common centre have many points half-way between two voxels. Rounding errors
        # would assign them outwards on both sides: a muscle loses 2 % from 3 to 5 mm.
        to_source[:3, 3] += TIE_VOXELS
    data = ndimage.affine_transform(
        volume.data,
        to_source[:3, :3],
        to_source[:3, 3],
        output_shape=shape,
        order=order,
        mode="grid-constant",
        cval=outside,
    )
    return Volume(data, affine)

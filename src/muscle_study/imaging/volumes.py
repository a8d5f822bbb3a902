"""A volume: voxels with the affine that places them in the participant, in RAS millimetres.

Conventions are nibabel's: the affine maps voxel indices to millimetres, +x to the participant's
right, +y to the front, +z to the head.
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

#: Voxel edges outside this range are taken for a broken header (mm).
PLAUSIBLE_SPACING_MM = (0.2, 20.0)

#: More voxels, or a longer edge, than any scan of the trunk has: such a header is not believed.
MAX_VOXELS, MAX_EDGE = 1 << 27, 4096

#: A volume takes at most so many bytes; what follows it in a stream is skipped in such pieces.
MAX_FILE_BYTES, CHUNK_BYTES = 1 << 29, 1 << 20

#: A NIfTI header is at most so long (bytes): the study's are of version 1.
HEADER_BYTES = 352

#: Nearest neighbour looks this far towards higher indices, so that ties all break alike (voxels).
TIE_VOXELS = 1e-5


@dataclass(frozen=True)
class Volume:
    """Voxels and their place.

    Parameters
    ----------
    data
        Three-dimensional array.
    affine
        4 x 4, voxel indices to RAS millimetres.
    """

    data: np.ndarray
    affine: np.ndarray

    @cached_property
    def spacing_mm(self) -> np.ndarray:
        """Edge lengths of a voxel, shape (3,)."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_ml(self) -> float:
        """Volume of a voxel, from the determinant so that sheared grids are right too."""
        return abs(np.linalg.det(self.affine[:3, :3])) / MM3_PER_ML

    @property
    def orientation(self) -> str:
        """Axis codes, e.g. ``"RAS"``."""
        return "".join(aff2axcodes(self.affine))

    def same_grid(self, other: "Volume", tolerance_mm: float = 1e-3) -> bool:
        """Tell whether `other` has this shape and, within `tolerance_mm`, this affine."""
        return self.data.shape == other.data.shape and np.allclose(
            self.affine, other.affine, rtol=0, atol=tolerance_mm
        )


def load(path: Path) -> Volume:
    """Read a NIfTI file whole; integers stay integers where the header does not scale them.

    Raises
    ------
    Excluded
        ``unreadable_image``, ``bad_geometry`` or ``non_finite_voxels``, naming the file.
    OSError
        Where the file system does not give it, naming the file without its folder.
    """
    with _from_disk(path):
        content = path.read_bytes()
    return decode(content, path.name)


def decode(content: bytes, name: str) -> Volume:
    """Turn the bytes of a NIfTI-1 file, gzipped or not, into a volume; `name` is for messages.

    The whole of a gzip stream is unpacked, so that its checksum is verified: a reader that stops
    after the last voxel lets flipped bits pass.

    Raises
    ------
    Excluded
        As `load`.
    """
    with _refused(name):
        unpacked = _unpack(content, name) if content.startswith(b"\x1f\x8b") else content
        check_size(_header(unpacked), len(unpacked), name)
        volume = _placed(nib.Nifti1Image.from_bytes(unpacked), name)
    if not np.isfinite(volume.data).all():
        raise Excluded(Reason.NON_FINITE_VOXELS, f"{name}: NaN or infinite voxels")
    return volume


def open_mapped(path: Path) -> Volume:
    """Map a NIfTI file that is not compressed: voxels are read when they are used.

    A box of the volume, ``volume.data[box]``, costs what it holds. The header is checked as `load`
    does, the voxels are not: it is for images that curation has checked and written.

    Raises
    ------
    Excluded
        ``unreadable_image`` or ``bad_geometry``, naming the file.
    OSError
        As `load`.
    """
    name = path.name
    with _from_disk(path), path.open("rb") as content:
        start, size = content.read(HEADER_BYTES), path.stat().st_size
    with _refused(name):
        check_size(_header(start), size, name)
        return _placed(nib.Nifti1Image.from_filename(path, mmap="r"), name)


@contextmanager
def _from_disk(path: Path) -> Iterator[None]:
    """Name the file, without its folder, where the file system does not give it."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, f"{path.name}: {error.strerror}") from error


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Turn what a broken NIfTI file raises into an exclusion."""
    try:
        yield
    except (
        OSError,
        EOFError,
        ValueError,
        OverflowError,
        zlib.error,
        gzip.BadGzipFile,
        ImageFileError,
        HeaderDataError,
        WrapStructError,
    ) as error:
        raise Excluded(Reason.UNREADABLE_IMAGE, f"{name}: {error}") from error


def _placed(image: nib.Nifti1Image, name: str) -> Volume:
    """Return the voxels with a place that can be believed."""
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
    """Unpack a gzip stream as far as its NIfTI header says; check the rest without keeping it."""
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
    """Return how many bytes a file of this header has at least, before any of them is claimed.

    Raises
    ------
    Excluded
        ``unsafe_file``: absurd dimensions; ``unreadable_image``: fewer than `available` bytes.
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
    """Refuse a header from which left and right cannot be told.

    Raises
    ------
    Excluded
        ``bad_geometry``: neither sform nor qform is set, or they point the axes elsewhere.
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
    """Refuse an affine that no scanner could have written.

    Raises
    ------
    Excluded
        ``bad_geometry``.
    """
    low, high = PLAUSIBLE_SPACING_MM
    if not np.isfinite(volume.affine).all() or volume.voxel_ml == 0:
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: the affine is singular or not finite")
    if volume.spacing_mm.min() < low or volume.spacing_mm.max() > high:
        raise Excluded(
            Reason.BAD_GEOMETRY,
            f"{name}: spacing {volume.spacing_mm.round(3).tolist()} mm outside {low}–{high} mm",
        )


def save(volume: Volume, path: Path) -> None:
    """Write a NIfTI file, whole or not at all, in the array's own type."""
    image = nib.Nifti1Image(volume.data, volume.affine)
    image.header.set_xyzt_units("mm")
    image.set_sform(volume.affine, code=1)
    image.set_qform(volume.affine, code=1)
    with whole_file(path) as beside:
        nib.save(image, beside)


def to_ras(volume: Volume) -> Volume:
    """Permute and flip the axes so that they run nearest to R, A and S. No interpolation."""
    image = nib.as_closest_canonical(nib.Nifti1Image(volume.data, volume.affine))
    return Volume(np.ascontiguousarray(image.dataobj), image.affine)


def upright_grid(volume: Volume, spacing_mm: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Return shape and affine of the upright RAS grid that covers `volume` at `spacing_mm`.

    Upright means that the axes are R, A and S themselves: an oblique volume gets a larger box.
    """
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
        What to interpolate.
    shape, affine
        The target grid.
    order
        0 for labels (nearest), 1 for images (linear).
    outside
        Value of voxels outside the volume, e.g. air in a CT.
    """
    to_source = np.linalg.inv(volume.affine) @ affine
    if order == 0:
        # Grids with a common centre have many points half-way between two voxels. Rounding errors
        # would send them outwards on both sides, which costs a muscle 2 % from 3 to 5 mm.
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

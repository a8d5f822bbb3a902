"""DICOM files read as slices, and slices stacked to volumes by their positions.

Single-frame and enhanced multi-frame images are supported. Stated slice thickness and spacing
between slices are ignored: they are often those of the protocol.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.traits import Traits
from muscle_study.imaging.volumes import MAX_VOXELS, Volume, check_geometry
from muscle_study.protocol.exclusions import Excluded, Reason

# Warnings about invalid values would print them, and they may be a person's name.
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

#: Element 19 of the block that this creator reserved in Siemens' headers.
DIXON_BLOCK = (0x0051, "SIEMENS MR HEADER")
DIXON_ELEMENT = 0x19

#: Uncompressed transfer syntaxes and their byte order.
PLAIN = {"1.2.840.10008.1.2": "<", "1.2.840.10008.1.2.1": "<", "1.2.840.10008.1.2.2": ">"}

#: Transfer syntax of a deflated dataset.
DEFLATED = b"1.2.840.10008.1.2.1.99"

#: Tolerances of distances between slices, absolute and relative.
STEP_TOLERANCE_MM, STEP_TOLERANCE = 0.01, 0.02

#: Tolerance of directions within a stack, and of unit length and right angles in a header.
DIRECTION_TOLERANCE, DIRECTION_ERROR = 1e-3, 1e-2

#: DICOM's axes (left, back, head) to RAS.
TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class Slice:
    """One plane of voxels, not yet decoded.

    Parameters
    ----------
    file
        File that holds it.
    series
        Series Instance UID.
    number
        Series Number; 0 if missing.
    acquisition_number
        Acquisition Number; 0 if missing.
    traits
        Acquisition.
    position_mm
        Centre of the first voxel, in DICOM's coordinates, shape (3,).
    directions
        Row and column direction, in DICOM's coordinates, shape (6,).
    spacing_mm
        Distance between rows, between columns.
    pixels
        Stored values, shape (rows, columns).
    slope, intercept
        Rescaling of stored values.
    """

    file: SourceFile
    series: str
    number: int
    acquisition_number: int
    traits: Traits
    position_mm: np.ndarray
    directions: np.ndarray
    spacing_mm: tuple[float, float]
    pixels: np.ndarray
    slope: float
    intercept: float

    @property
    def height_mm(self) -> float:
        """Position along the normal of the plane."""
        return float(np.cross(self.directions[:3], self.directions[3:]) @ self.position_mm)

    @property
    def stack_key(self) -> tuple:
        """Key shared by the slices of one volume; no volume spans two archives."""
        turned = tuple((self.directions / DIRECTION_TOLERANCE).round().astype(int))
        archive = self.file.path if self.file.is_zip else None
        shape = self.pixels.shape
        return archive, self.series, self.acquisition_number, self.traits, turned, shape


def read_slices(file: SourceFile) -> list[Slice]:
    """Return the slices in a DICOM file or a zip of DICOM files; other members are skipped.

    Raises
    ------
    Excluded
        ``unreadable_image``: damaged, compressed, or a zip without an image; ``unsafe_file``: too
        large for a scan; ``bad_geometry``: no usable position.
    """
    found = []
    for name, content in file.members():
        if is_dicom(content):
            with reading(f"{file.path.name}: {name}" if file.is_zip else name):
                found += _frames(content, file)
    if file.is_zip and not found:
        raise Excluded(Reason.UNREADABLE_IMAGE, f"{file.path.name}: no DICOM image in it")
    return found


def patient_id(file: SourceFile) -> str:
    """Return the first Patient ID in a DICOM file or zip, or ""; raises as `read_slices`."""
    for name, content in file.members():
        if is_dicom(content):
            with reading(name):
                header, _ = _dataset(content, specific_tags=["PatientID"])
                return str(header.get("PatientID", "")).strip()
    return ""


def is_dicom(content: bytes) -> bool:
    """Whether bytes are a DICOM file (Part 10), by the mark at byte 128."""
    return content[128:132] == b"DICM"


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Turn any error in reading a file into an exclusion that names the file."""
    try:
        yield
    except Excluded as excluded:
        raise Excluded(excluded.reason, f"{name}: {excluded.detail}") from excluded
    except Exception as error:
        # damaged elements make pydicom raise errors of a dozen types
        raise Excluded(
            Reason.UNREADABLE_IMAGE, f"{name}: {type(error).__name__}: {error}"
        ) from error


def _dataset(content: bytes, **only: list[str]) -> tuple[Dataset, str]:
    """Return the dataset of a file, and the byte order of its pixels."""
    if DEFLATED in content:
        # pydicom would inflate it as a whole, whatever its size
        raise Excluded(Reason.UNREADABLE_IMAGE, _compressed("Deflated"))
    header = pydicom.dcmread(io.BytesIO(content), **only)
    syntax = str(header.file_meta.get("TransferSyntaxUID", ""))
    if syntax not in PLAIN:
        raise Excluded(Reason.UNREADABLE_IMAGE, _compressed(pydicom.uid.UID(syntax).name))
    return header, PLAIN[syntax]


def _compressed(syntax: str) -> str:
    return f"transfer syntax {syntax or 'missing'}; decompress it first, e.g. by gdcmconv --raw"


def _frames(content: bytes, file: SourceFile) -> Iterator[Slice]:
    """Yield each frame with its own, the shared and the file's attributes."""
    header, order = _dataset(content)
    if "PixelData" not in header:
        return  # e.g. a structured report
    rows, columns = int(header.Rows), int(header.Columns)
    count = int(header.get("NumberOfFrames", None) or 1)
    if min(rows, columns, count) < 1 or rows * columns * count > MAX_VOXELS:
        raise Excluded(Reason.UNSAFE_FILE, f"{columns}x{rows}x{count} voxels")
    pixels = _pixels(header, (count, rows, columns), order)
    shared = _groups(header.get("SharedFunctionalGroupsSequence"), 0)
    per_frame = header.get("PerFrameFunctionalGroupsSequence")
    for index in range(count):
        levels = [_groups(per_frame, index), shared, [header]]
        yield _slice(header, [item for level in levels for item in level], pixels[index], file)


def _pixels(header: Dataset, shape: tuple[int, int, int], order: str) -> np.ndarray:
    bits, signed = int(header.BitsAllocated), int(header.get("PixelRepresentation", 0))
    if bits not in (8, 16, 32) or int(header.get("SamplesPerPixel", 1)) != 1:
        raise Excluded(Reason.UNREADABLE_IMAGE, "not one grey value a voxel")
    kind = np.dtype(f"{order}{'i' if signed else 'u'}{bits // 8}")
    content = header.PixelData
    wanted = int(np.prod(shape)) * kind.itemsize
    if len(content) not in (wanted, wanted + 1):  # padded to an even length
        raise Excluded(
            Reason.UNREADABLE_IMAGE, f"{len(content)} bytes of voxels, expected {wanted}"
        )
    return np.frombuffer(content, kind, count=int(np.prod(shape))).reshape(shape)


def _groups(sequence: Sequence[Dataset] | None, index: int) -> list[Dataset]:
    """Return the items within one item of a functional groups sequence."""
    if not sequence:
        return []
    return [element.value[0] for element in sequence[index] if element.VR == "SQ" and element.value]


def _slice(header: Dataset, places: list[Dataset], pixels: np.ndarray, file: SourceFile) -> Slice:
    position = np.array(_first(places, "ImagePositionPatient") or [], float)
    directions = np.array(_first(places, "ImageOrientationPatient") or [], float)
    spacing = np.array(_first(places, "PixelSpacing") or [], float)
    is_placed = (
        (position.shape, directions.shape, spacing.shape) == ((3,), (6,), (2,))
        and np.isfinite([*position, *directions, *spacing]).all()
        and abs(np.linalg.norm(directions[:3]) - 1) < DIRECTION_ERROR
        and abs(np.linalg.norm(directions[3:]) - 1) < DIRECTION_ERROR
        and abs(directions[:3] @ directions[3:]) < DIRECTION_ERROR
    )
    if not is_placed:
        raise Excluded(
            Reason.BAD_GEOMETRY, "position, orientation or pixel spacing is missing or bad"
        )
    slope, intercept = _first(places, "RescaleSlope"), _first(places, "RescaleIntercept")
    return Slice(
        file=file,
        series=str(header.SeriesInstanceUID),
        number=int(header.get("SeriesNumber", None) or 0),
        acquisition_number=int(header.get("AcquisitionNumber", None) or 0),
        traits=_traits(places),
        position_mm=position,
        directions=directions,
        spacing_mm=(float(spacing[0]), float(spacing[1])),
        pixels=pixels,
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
    )


def _first(places: Iterable[Dataset], *keywords: str) -> object:
    """Return the first value present: a frame's own before the file's."""
    for place in places:
        for keyword in keywords:
            value = place.get(keyword)
            if value is not None and value != "":
                return value
    return None


def _traits(places: list[Dataset]) -> Traits:
    """Return the acquisition of a frame, from single-frame or enhanced attributes."""
    header = places[-1]
    sequence = _words(header.get("ScanningSequence"))
    if "EchoPulseSequence" in header:  # enhanced
        sequence = ("GR",) if header.EchoPulseSequence == "GRADIENT" else ("SE",)
        if _first(places, "InversionRecovery") == "YES":
            sequence += ("IR",)
    echo = _first(places, "EffectiveEchoTime", "EchoTime")
    field = header.get("MagneticFieldStrength")
    image_type = _words(_first(places, "FrameType", "ImageType"))
    options = _words(header.get("ScanOptions"))
    suppressed = _first(places, "SpectrallySelectedSuppression") in ("FAT", "FAT_AND_WATER")
    description = str(header.get("SeriesDescription", "")).upper()
    return Traits(
        modality=str(header.get("Modality", "")),
        sequence=sequence,
        acquisition=str(header.get("MRAcquisitionType", "")),
        image_type=image_type,
        echo_time_ms=None if echo is None else float(echo),
        field_t=None if field is None else float(field),
        fat_suppressed=suppressed or "FS" in options,
        dixon=_private_dixon(header),
        composed="COMPOSED" in description or bool({"COMP_2D", "COMPOSED"} & set(image_type)),
    )


def _words(value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(str(word) for word in value)


def _private_dixon(header: Dataset) -> str:
    group, creator = DIXON_BLOCK
    try:
        value = header.private_block(group, creator)[DIXON_ELEMENT].value
    except KeyError:
        return ""
    # pydicom leaves bytes where it does not know the private element's type
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def stacks(slices: Iterable[Slice]) -> list[list[Slice]]:
    """Group slices to volumes, each sorted along its normal."""
    groups: dict[tuple, list[Slice]] = {}
    for plane in slices:
        groups.setdefault(plane.stack_key, []).append(plane)
    return [sorted(group, key=lambda plane: plane.height_mm) for group in groups.values()]


def stack_volume(stack: Sequence[Slice], name: str) -> Volume:
    """Stack slices to a volume; `name` is for messages.

    Raises
    ------
    Excluded
        ``bad_geometry``: a single slice, two at one position, missing slices, or different pixel
        spacings.
    """
    if len(stack) < 2:
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: one slice is no volume")
    if len(stack) * stack[0].pixels.size > MAX_VOXELS:
        raise Excluded(Reason.UNSAFE_FILE, f"{name}: {len(stack)} slices are too many")
    positions = np.array([plane.position_mm for plane in stack])
    steps = np.diff(positions, axis=0)
    lengths = np.linalg.norm(steps, axis=1)
    step = (positions[-1] - positions[0]) / (len(stack) - 1)
    tolerance = STEP_TOLERANCE_MM + STEP_TOLERANCE * float(np.median(lengths))
    if lengths.min() <= STEP_TOLERANCE_MM:
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: two slices at one place")
    if np.linalg.norm(steps - step, axis=1).max() > tolerance:
        raise Excluded(
            Reason.BAD_GEOMETRY,
            f"{name}: slices are missing: steps from {lengths.min():.3g} to {lengths.max():.3g} mm",
        )
    if not np.allclose([plane.spacing_mm for plane in stack], stack[0].spacing_mm, rtol=1e-3):
        raise Excluded(Reason.BAD_GEOMETRY, f"{name}: slices of different pixel spacing")
    directions, (between_rows, between_columns) = stack[0].directions, stack[0].spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = TO_RAS @ directions[:3] * between_columns
    affine[:3, 1] = TO_RAS @ directions[3:] * between_rows
    affine[:3, 2] = TO_RAS @ step
    affine[:3, 3] = TO_RAS @ positions[0]
    volume = Volume(_values(stack), affine)
    check_geometry(volume, name)
    return volume


def _values(stack: Sequence[Slice]) -> np.ndarray:
    """Return the voxels, shape (columns, rows, slices), in 16 bits where they fit."""
    data = np.stack([plane.pixels for plane in stack], axis=-1).transpose(1, 0, 2)
    if any((plane.slope, plane.intercept) != (1, 0) for plane in stack):
        slopes, intercepts = np.array([(p.slope, p.intercept) for p in stack], np.float32).T
        return data.astype(np.float32) * slopes + intercepts
    lowest, highest = int(data.min()), int(data.max())
    limits = np.iinfo(np.int16)
    fits = limits.min <= lowest and highest <= limits.max
    return np.ascontiguousarray(data, np.int16 if fits else np.int32)

"""Volumes as DICOM series: MR Image Storage, a file a slice, zipped, marked as synthetic."""

import hashlib
import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from muscle_study.cohort.scanner.signal import FLIP_DEG, TR_MS
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.files import whole_file

#: In every header, so that no file is ever taken for a person's.
SYNTHETIC = "SYNTHETIC IMAGE, NOT OF A PERSON (muscle-study)"

#: The NAKO's readers tell water from fat by this private element of Siemens' headers.
SIEMENS_GROUP, SIEMENS_CREATOR, DIXON_ELEMENT = 0x0051, "SIEMENS MR HEADER", 0x19

#: Every zipped file carries this time, so that the same series is the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)
#: Level of zip compression: the lowest, since speed counts for more than a few percent.
COMPRESSION = 1


@dataclass(frozen=True)
class Series:
    """What a series' headers say beside its geometry.

    Parameters
    ----------
    participant_id
        Of the export.
    participant
        ``sex``, ``age_years``, ``height_cm``, ``weight_kg``.
    description
        Series description, e.g. ``3D_GRE_TRA_W``.
    number
        Series number, 1 or more; each slab has its own.
    echo_time_ms
        Echo time.
    image_type
        DICOM's Image Type.
    dixon
        ``DIXW``, ``DIXF``, or None for an echo.
    """

    participant_id: str
    participant: Mapping[str, str | float]
    description: str
    number: int
    echo_time_ms: float
    image_type: tuple[str, ...]
    dixon: str | None


def uid(*parts: object) -> str:
    """Return a unique identifier that follows from `parts`: under 2.25, as PS3.5 B.2 describes."""
    digest = hashlib.sha256("/".join(map(str, ("muscle-study", *parts))).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


def write_series(slabs: Sequence[tuple[Volume, Series]], path: Path) -> None:
    """Write one or several slabs as a zip of DICOM files, whole or not at all.

    Parameters
    ----------
    slabs
        Volumes of integers stored L, P, S, each with what its headers say.
    path
        The zip.
    """
    with (
        whole_file(path) as beside,
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=COMPRESSION) as archive,
    ):
        for volume, series in slabs:
            for number, content in enumerate(slices(volume, series), start=1):
                name = f"{series.number:02d}_{number:04d}.dcm"
                entry = zipfile.ZipInfo(name, NO_TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content, compresslevel=COMPRESSION)


def slices(volume: Volume, series: Series) -> Iterator[bytes]:
    """Yield the DICOM file of each axial slice, from the feet up, as bytes.

    Raises
    ------
    ValueError
        If the volume is not upright and stored L, P, S, or not of 16-bit integers.
    """
    if volume.orientation != "LPS" or volume.data.dtype != np.int16:
        raise ValueError(
            f"expected int16 stored LPS, found {volume.data.dtype} stored {volume.orientation}"
        )
    header = common_header(volume, series)
    for index in range(volume.data.shape[2]):
        x, y, z = volume.affine[:3, 3] + index * volume.affine[:3, 2]
        header.SOPInstanceUID = uid(series.participant_id, series.description, series.number, index)
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.InstanceNumber = index + 1
        # the volumes' millimetres point to the right and the front, DICOM's to the left and back
        header.ImagePositionPatient = [_number(-x), _number(-y), _number(z)]
        header.SliceLocation = _number(z)
        header.PixelData = np.ascontiguousarray(volume.data[:, :, index].T).tobytes()
        written = io.BytesIO()
        dcmwrite(written, header, enforce_file_format=True)
        yield written.getvalue()


def common_header(volume: Volume, series: Series) -> Dataset:
    """Return what all slices of a volume have in common.

    Attributes of type 1 and 2 of the MR Image IOD's modules (DICOM PS3.3, A.4): Patient, General
    Study, General Series, Frame of Reference, General Equipment, General Image, Image Plane, Image
    Pixel, MR Image, SOP Common.
    """
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = MRImageStorage
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.SOPClassUID = MRImageStorage
    header.SpecificCharacterSet = "ISO_IR 100"
    _describe_participant(header, series)
    _describe_series(header, series)
    _describe_grid(header, volume)
    return header


def _describe_participant(header: Dataset, series: Series) -> None:
    person = series.participant
    header.PatientName = f"SYNTHETIC^{series.participant_id}"
    header.PatientID = series.participant_id
    header.PatientBirthDate = ""
    header.PatientSex = {"male": "M", "female": "F"}[person["sex"]]
    header.PatientAge = f"{int(person['age_years']):03d}Y"
    header.PatientSize = _number(person["height_cm"] / 100)
    header.PatientWeight = _number(person["weight_kg"])
    header.PatientIdentityRemoved = "YES"
    header.DeidentificationMethod = "synthetic: there is no person"
    header.PatientComments = SYNTHETIC
    header.StudyInstanceUID = uid(series.participant_id, "study")
    header.StudyDate = header.StudyTime = header.StudyID = header.AccessionNumber = ""
    header.ReferringPhysicianName = ""
    header.StudyDescription = "SYNTHETIC COHORT"


def _describe_series(header: Dataset, series: Series) -> None:
    header.Modality = "MR"
    header.SeriesInstanceUID = uid(series.participant_id, series.description, series.number)
    header.SeriesNumber = series.number
    header.SeriesDescription = series.description
    header.BodyPartExamined = "ABDOMEN"
    header.PatientPosition = "HFS"
    header.FrameOfReferenceUID = uid(series.participant_id, "frame")
    header.PositionReferenceIndicator = ""
    header.Manufacturer = "muscle-study (synthetic)"
    header.InstitutionName = "synthetic cohort"
    header.ManufacturerModelName = "simulated 3T"
    header.ContentQualification = "RESEARCH"
    header.ImageComments = SYNTHETIC
    header.ImageType = list(series.image_type)
    header.AcquisitionNumber = 1
    header.ScanningSequence = "GR"
    header.SequenceVariant = "SP"
    header.ScanOptions = ""
    header.MRAcquisitionType = "3D"
    header.SequenceName = "*fl3d2"
    header.MagneticFieldStrength = 3
    header.RepetitionTime = TR_MS
    header.EchoTime = series.echo_time_ms
    header.EchoTrainLength = 1
    header.FlipAngle = FLIP_DEG
    if series.dixon is not None:
        block = header.private_block(SIEMENS_GROUP, SIEMENS_CREATOR, create=True)
        block.add_new(DIXON_ELEMENT, "LO", series.dixon)


def _describe_grid(header: Dataset, volume: Volume) -> None:
    dx, dy, dz = (_number(edge) for edge in volume.spacing_mm)
    header.PatientOrientation = ["L", "P"]
    header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    header.PixelSpacing = [dy, dx]
    header.SliceThickness = dz
    header.SpacingBetweenSlices = dz
    header.SamplesPerPixel = 1
    header.PhotometricInterpretation = "MONOCHROME2"
    header.Columns, header.Rows = volume.data.shape[:2]
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit = 15
    header.PixelRepresentation = 1


def _number(value: float) -> str:
    """Return a decimal string of at most 16 characters, as DICOM demands."""
    return f"{value:.9g}"

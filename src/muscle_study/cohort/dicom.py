"""Volumes as zipped DICOM series (MR Image Storage, one file per slice), marked as synthetic."""

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

#: Comment in every header, so that no file is mistaken for a person's.
SYNTHETIC = "SYNTHETIC IMAGE, NOT OF A PERSON (muscle-study)"

#: Private element of Siemens' headers that distinguishes water from fat in the NAKO.
SIEMENS_GROUP, SIEMENS_CREATOR, DIXON_ELEMENT = 0x0051, "SIEMENS MR HEADER", 0x19

#: Constant time of zipped files, so that the same series gives the same bytes.
NO_TIME = (1980, 1, 1, 0, 0, 0)
#: Level of zip compression, the lowest: faster, and only a few percent larger.
COMPRESSION = 1


@dataclass(frozen=True)
class Series:
    """Contents of a series' headers, except its geometry.

    ``participant`` has ``sex``, ``age_years``, ``height_cm`` and ``weight_kg``; ``number`` is
    distinct for each slab; ``dixon`` is the private tag ``DIXW`` or ``DIXF``, or None for an echo.
    """

    participant_id: str
    participant: Mapping[str, str | float]
    description: str
    number: int
    echo_time_ms: float
    image_type: tuple[str, ...]
    dixon: str | None


def uid(*parts: object) -> str:
    """Return a unique identifier derived from `parts`, under 2.25 (DICOM PS3.5, B.2)."""
    digest = hashlib.sha256("/".join(map(str, ("muscle-study", *parts))).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16])}"


def write_series(slabs: Sequence[tuple[Volume, Series]], path: Path) -> None:
    """Write one or several slabs as one zip of DICOM files, whole or not at all."""
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
        If the volume is not int16 stored L, P, S.
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
        # volumes are RAS, DICOM is LPS
        header.ImagePositionPatient = [_number(-x), _number(-y), _number(z)]
        header.SliceLocation = _number(z)
        header.PixelData = np.ascontiguousarray(volume.data[:, :, index].T).tobytes()
        written = io.BytesIO()
        dcmwrite(written, header, enforce_file_format=True)
        yield written.getvalue()


#: Header values that all images have in common.
COMMON = {
    "SOPClassUID": MRImageStorage, "SpecificCharacterSet": "ISO_IR 100",
    # patient and study
    "PatientBirthDate": "", "PatientIdentityRemoved": "YES",
    "DeidentificationMethod": "synthetic: there is no person", "PatientComments": SYNTHETIC,
    "StudyDate": "", "StudyTime": "", "StudyID": "", "AccessionNumber": "",
    "ReferringPhysicianName": "", "StudyDescription": "SYNTHETIC COHORT",
    # series and scanner
    "Modality": "MR", "BodyPartExamined": "ABDOMEN", "PatientPosition": "HFS",
    "PositionReferenceIndicator": "", "Manufacturer": "muscle-study (synthetic)",
    "InstitutionName": "synthetic cohort", "ManufacturerModelName": "simulated 3T",
    "ContentQualification": "RESEARCH", "ImageComments": SYNTHETIC, "AcquisitionNumber": 1,
    "ScanningSequence": "GR", "SequenceVariant": "SP", "ScanOptions": "", "MRAcquisitionType": "3D",
    "SequenceName": "*fl3d2", "MagneticFieldStrength": 3, "RepetitionTime": TR_MS,
    "EchoTrainLength": 1, "FlipAngle": FLIP_DEG,
    # image
    "PatientOrientation": ["L", "P"], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
    "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16,
    "BitsStored": 16, "HighBit": 15, "PixelRepresentation": 1,
}  # fmt: skip


def common_header(volume: Volume, series: Series) -> Dataset:
    """Return the header that all slices of a volume have in common.

    It has the attributes of type 1 and 2 of the modules of the MR Image IOD (DICOM PS3.3, A.4):
    Patient, General Study, General Series, Frame of Reference, General Equipment, General Image,
    Image Plane, Image Pixel, MR Image and SOP Common.
    """
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.MediaStorageSOPClassUID = MRImageStorage
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    participant_id, person = series.participant_id, series.participant
    dx, dy, dz = (_number(edge) for edge in volume.spacing_mm)
    values = COMMON | {
        "PatientName": f"SYNTHETIC^{participant_id}",
        "PatientID": participant_id,
        "PatientSex": {"male": "M", "female": "F"}[person["sex"]],
        "PatientAge": f"{int(person['age_years']):03d}Y",
        "PatientSize": _number(person["height_cm"] / 100),
        "PatientWeight": _number(person["weight_kg"]),
        "StudyInstanceUID": uid(participant_id, "study"),
        "SeriesInstanceUID": uid(participant_id, series.description, series.number),
        "SeriesNumber": series.number,
        "SeriesDescription": series.description,
        "FrameOfReferenceUID": uid(participant_id, "frame"),
        "ImageType": list(series.image_type),
        "EchoTime": series.echo_time_ms,
        "PixelSpacing": [dy, dx],
        "SliceThickness": dz,
        "SpacingBetweenSlices": dz,
        "Columns": volume.data.shape[0],
        "Rows": volume.data.shape[1],
    }
    for name, value in values.items():
        setattr(header, name, value)
    if series.dixon is not None:
        block = header.private_block(SIEMENS_GROUP, SIEMENS_CREATOR, create=True)
        block.add_new(DIXON_ELEMENT, "LO", series.dixon)
    return header


def _number(value: float) -> str:
    """Return a decimal string of at most 16 characters, as DICOM demands."""
    return f"{value:.9g}"

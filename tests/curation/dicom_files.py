"""DICOM files for the tests, written by pydicom from a volume's own affine."""

import io

import numpy as np
from pydicom import Dataset, dcmwrite
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

#: From the volumes' right, front, head to DICOM's left, back, head.
FLIP = np.array([-1.0, -1.0, 1.0])


def common(series, **tags):
    header = Dataset()
    header.file_meta = FileMetaDataset()
    header.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    header.PatientID, header.PatientName = "P1", "Mueller^Peter"
    header.StudyInstanceUID = generate_uid(entropy_srcs=["study"])
    header.SeriesInstanceUID = generate_uid(entropy_srcs=[str(series)])
    header.SeriesNumber = series
    header.Modality, header.MagneticFieldStrength = "MR", 3.0
    header.MRAcquisitionType = "3D"
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated = header.BitsStored = 16
    header.HighBit, header.PixelRepresentation = 15, 0
    for keyword, value in tags.items():
        setattr(header, keyword, value)
    return header


def geometry(volume):
    """Return row and column directions, and spacing of rows and columns."""
    column, row = (FLIP * volume.affine[:3, i] / volume.spacing_mm[i] for i in (0, 1))
    return [*column, *row], [float(volume.spacing_mm[1]), float(volume.spacing_mm[0])]


def position(volume, index):
    return [*(FLIP * (volume.affine[:3, 3] + index * volume.affine[:3, 2]))]


def to_bytes(header):
    header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
    header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
    written = io.BytesIO()
    dcmwrite(written, header, enforce_file_format=True)
    return written.getvalue()


def single_frames(volume, series=1, **tags):
    """Return a file a slice, in the order of the array."""
    tags = {"ScanningSequence": "GR", "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"]} | tags
    files = []
    for index in range(volume.data.shape[2]):
        header = common(series, **tags)
        header.SOPClassUID = MRImageStorage
        header.SOPInstanceUID = generate_uid(entropy_srcs=[str(series), str(index)])
        header.InstanceNumber = index + 1
        header.ImageOrientationPatient, header.PixelSpacing = geometry(volume)
        header.ImagePositionPatient = position(volume, index)
        header.SliceThickness, header.SpacingBetweenSlices = 99.0, 77.0  # both a lie
        header.Columns, header.Rows = volume.data.shape[:2]
        header.PixelData = volume.data[:, :, index].T.astype(np.uint16).tobytes()
        files.append(to_bytes(header))
    return files


def enhanced(volumes, series=1):
    """Return one multi-frame file of volumes on one grid, by frame type and echo time (ms)."""
    header = common(series, EchoPulseSequence="GRADIENT")
    header.SOPClassUID = EnhancedMRImageStorage
    header.SOPInstanceUID = generate_uid(entropy_srcs=[str(series)])
    first = next(iter(volumes.values()))
    orientation, measures = Dataset(), Dataset()
    orientation.ImageOrientationPatient, measures.PixelSpacing = geometry(first)
    measures.SliceThickness = 99.0
    shared = Dataset()
    shared.PlaneOrientationSequence = Sequence([orientation])
    shared.PixelMeasuresSequence = Sequence([measures])
    header.SharedFunctionalGroupsSequence = Sequence([shared])
    frames, pixels = [], []
    for (kind, echo_ms), volume in volumes.items():
        for index in range(volume.data.shape[2]):
            frame, place, echo, types = Dataset(), Dataset(), Dataset(), Dataset()
            place.ImagePositionPatient = position(volume, index)
            echo.EffectiveEchoTime = echo_ms
            types.FrameType = ["DERIVED", "PRIMARY", "DIXON", kind]
            frame.PlanePositionSequence = Sequence([place])
            frame.MREchoSequence = Sequence([echo])
            frame.MRImageFrameTypeSequence = Sequence([types])
            frames.append(frame)
            pixels.append(volume.data[:, :, index].T.astype(np.uint16).tobytes())
    order = np.random.default_rng(0).permutation(len(frames))
    header.PerFrameFunctionalGroupsSequence = Sequence([frames[i] for i in order])
    header.PixelData = b"".join(pixels[i] for i in order)
    header.NumberOfFrames = len(frames)
    header.Columns, header.Rows = first.data.shape[:2]
    return to_bytes(header)

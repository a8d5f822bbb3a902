"""DICOM series are valid, marked as synthetic, and have the geometry of the NIfTI volumes."""

import io
import shutil
import subprocess
import zipfile

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its own custom

from muscle_study.cohort.dicom import Series, uid, write_series
from muscle_study.cohort.nako import CONTRASTS, export_scan, read_composed
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume, save

PERSON = {
    "participant_id": "100129", "sex": "female", "age_years": 44, "height_cm": 167.3,
    "weight_kg": 70.2,
}  # fmt: skip

#: Attributes of type 1 (a value) and 2 (may be empty) of the MR Image IOD, by module: DICOM PS3.3,
#: C.7.1.1, C.7.2.1, C.7.3.1, C.7.4.1, C.7.5.1, C.7.6.1, C.7.6.2, C.7.6.3, C.8.3.1, C.12.1.
TYPE_1 = """
    StudyInstanceUID Modality SeriesInstanceUID FrameOfReferenceUID PixelSpacing
    ImageOrientationPatient ImagePositionPatient SamplesPerPixel PhotometricInterpretation Rows
    Columns BitsAllocated BitsStored HighBit PixelRepresentation PixelData ImageType
    ScanningSequence SequenceVariant SOPClassUID SOPInstanceUID
""".split()  # noqa: SIM905 - a list of 21 strings is harder to read
TYPE_2 = """
    PatientName PatientID PatientBirthDate PatientSex StudyDate StudyTime ReferringPhysicianName
    StudyID AccessionNumber SeriesNumber PositionReferenceIndicator Manufacturer InstanceNumber
    PatientOrientation SliceThickness ScanOptions MRAcquisitionType RepetitionTime EchoTime
    EchoTrainLength
""".split()  # noqa: SIM905 - a list of 21 strings is harder to read


@pytest.fixture(scope="module")
def images():
    grid = Grid((40.0, 45.0, 60.0))
    shape = tuple(reversed(grid.shape))
    contrasts = {
        name: grid.volume(
            (np.arange(np.prod(shape)).reshape(shape) % 1000 + 1000 * index).astype(np.int16)
        )
        for index, name in enumerate(CONTRASTS)
    }
    stations = [
        {name: Volume(volume.data[:, :, :4], volume.affine) for name, volume in contrasts.items()}
    ]
    return Scan(contrasts, stations, contrasts["water"], {})


@pytest.fixture
def exported(images, tmp_path):
    export_scan(images, PERSON, "", tmp_path, with_stations=True)
    return tmp_path


def read(path):
    with zipfile.ZipFile(path) as archive:
        return [pydicom.dcmread(io.BytesIO(archive.read(name))) for name in archive.namelist()]


def test_files_are_named_as_the_nako_names_them(exported):
    names = sorted(path.name for path in exported.iterdir())
    expected = [f"100129_30_3D_GRE_TRA_{end}.zip" for end in ("W", "F", "in", "opp")]
    composed = [name.replace(".zip", "_COMPOSED.zip") for name in expected]
    assert names == sorted([*expected, *composed])


def test_a_repeat_is_numbered(images, tmp_path):
    export_scan(images, PERSON, "_2", tmp_path, with_stations=False)
    assert (tmp_path / "100129_30_3D_GRE_TRA_opp_COMPOSED_2.zip").exists()


def test_every_required_attribute_is_there(exported):
    for path in exported.iterdir():
        for dataset in read(path):
            assert not [name for name in TYPE_1 if dataset[name].value in (None, "")]
            assert not [name for name in TYPE_2 if name not in dataset]


def test_contrasts_are_told_apart_as_the_nako_does(exported):
    for end, echo_time, dixon in (
        ("W", None, "DIXW"), ("F", None, "DIXF"), ("in", 2.46, None), ("opp", 1.23, None),
    ):  # fmt: skip
        dataset = read(exported / f"100129_30_3D_GRE_TRA_{end}_COMPOSED.zip")[0]
        if dixon:
            block = dataset.private_block(0x0051, "SIEMENS MR HEADER")
            assert block[0x19].value == dixon
            assert dataset[0x0051, 0x1019].value == dixon
        else:
            assert dataset.EchoTime == pytest.approx(echo_time)
            assert (0x0051, 0x1019) not in dataset


def test_headers_are_marked_as_synthetic(exported):
    for path in exported.iterdir():
        for dataset in read(path):
            assert dataset.PatientName.family_name == "SYNTHETIC"
            assert "SYNTHETIC" in dataset.ImageComments
            assert "synthetic" in dataset.Manufacturer


def test_identifiers_are_unique_and_valid(exported):
    datasets = [dataset for path in exported.iterdir() for dataset in read(path)]
    instances = [dataset.SOPInstanceUID for dataset in datasets]
    assert len(set(instances)) == len(instances)
    assert all(pydicom.uid.UID(instance).is_valid for instance in instances)
    assert len({dataset.StudyInstanceUID for dataset in datasets}) == 1
    assert len({dataset.SeriesInstanceUID for dataset in datasets}) == 8
    assert uid("a") != uid("b")


def test_an_independent_reader_finds_the_same_voxels_at_the_same_places(images, exported, tmp_path):
    """SimpleITK reads the DICOM series and the NIfTI file; both must agree, sides included."""
    volume = images.contrasts["fat"]
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(exported / "100129_30_3D_GRE_TRA_F_COMPOSED.zip") as archive:
        archive.extractall(folder)
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    from_dicom = sitk.ReadImage(files)
    save(volume, tmp_path / "fat.nii.gz")
    from_nifti = sitk.ReadImage(str(tmp_path / "fat.nii.gz"))
    np.testing.assert_array_equal(
        sitk.GetArrayFromImage(from_dicom), sitk.GetArrayFromImage(from_nifti)
    )
    for index in ((0, 0, 0), (3, 2, 1)):
        np.testing.assert_allclose(
            from_dicom.TransformIndexToPhysicalPoint(index),
            from_nifti.TransformIndexToPhysicalPoint(index),
            atol=1e-4,
        )


def test_composed_series_are_read_back(tmp_path):
    grid = Grid((18.0, 18.0, 20.0))
    shape = tuple(reversed(grid.shape))
    fat = grid.volume(np.arange(np.prod(shape), dtype=np.int16).reshape(shape))
    export_scan(Scan({"fat": fat}, [], fat, {}), PERSON, "", tmp_path, with_stations=False)
    back = read_composed(tmp_path, "100129", "fat")
    np.testing.assert_array_equal(back.data, fat.data)
    np.testing.assert_allclose(back.affine, fat.affine, atol=1e-6)


def test_same_series_same_bytes(images, exported, tmp_path):
    again = tmp_path / "again"
    export_scan(images, PERSON, "", again, with_stations=True)
    for path in again.iterdir():
        assert path.read_bytes() == (exported / path.name).read_bytes()


def test_other_voxels_are_refused(tmp_path):
    series = Series("1", PERSON, "x", 1, 1.23, ("ORIGINAL",), None)
    with pytest.raises(ValueError, match="expected int16 stored LPS, found float32 stored RAS"):
        write_series([(Volume(np.zeros((2, 2, 2), np.float32), np.eye(4)), series)],
                     tmp_path / "x.zip")  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_dcm2niix_converts_to_the_same_volume(images, exported, tmp_path):
    if (program := shutil.which("dcm2niix")) is None:
        pytest.skip("dcm2niix is not installed")
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(exported / "100129_30_3D_GRE_TRA_W_COMPOSED.zip") as archive:
        archive.extractall(folder)
    subprocess.run([program, "-f", "w", "-o", str(tmp_path), str(folder)], check=True)
    volume = images.contrasts["water"]
    converted, expected = (
        nib.as_closest_canonical(image)
        for image in (nib.load(tmp_path / "w.nii"), nib.Nifti1Image(volume.data, volume.affine))
    )
    np.testing.assert_array_equal(np.asarray(converted.dataobj), np.asarray(expected.dataobj))
    np.testing.assert_allclose(converted.affine, expected.affine, atol=1e-3)

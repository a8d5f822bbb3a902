"""DICOM volumes lie at their slice positions, whatever else the headers state."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk  # noqa: N813 - its own custom
from dicom_files import enhanced, single_frames

from muscle_study.curation.sources.dicom import read_slices, stack_volume, stacks
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded


def placed(turn_degrees=(0.0, 0.0, 0.0), permuted=(0, 1, 2), spacing=(1.5, 2.0, 3.0), seed=0):
    """Return a numbered volume of 5 x 4 x 6 voxels whose axes point anywhere."""
    a, b, c = np.deg2rad(turn_degrees)
    turns = [
        np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]),
        np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]]),
        np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]),
    ]
    directions = (turns[0] @ turns[1] @ turns[2])[:, permuted]
    affine = np.eye(4)
    affine[:3, :3] = directions * spacing
    affine[:3, 3] = 12.5, -30.0, 101.0
    return Volume(np.random.default_rng(seed).integers(0, 900, (5, 4, 6)).astype(np.int16), affine)


def file_of(content, name="a.dcm"):
    return SourceFile(Path(name), content, hashlib.sha256(content).hexdigest())


def volumes_of(files):
    found = stacks(plane for file in files for plane in read_slices(file_of(file)))
    return [stack_volume(stack, "series") for stack in found]


@pytest.mark.parametrize(
    "permuted", [(0, 1, 2), (0, 2, 1), (1, 2, 0)], ids=["axial", "coronal", "sagittal"]
)
@pytest.mark.parametrize("turn", [(0, 0, 0), (16, -3, 8)], ids=["upright", "oblique"])
def test_voxels_lie_where_positions_say(turn, permuted):
    made = placed(turn, permuted)
    files = single_frames(made)
    np.random.default_rng(1).shuffle(files)
    (read,) = volumes_of(files)
    if np.linalg.det(made.affine) < 0:  # slices are counted along rows x columns
        flip = np.eye(4)
        flip[2, 2], flip[2, 3] = -1, made.data.shape[2] - 1
        made = Volume(made.data[:, :, ::-1], made.affine @ flip)
    np.testing.assert_array_equal(read.data, made.data)
    np.testing.assert_allclose(read.affine, made.affine, atol=1e-4)


def test_simpleitk_puts_an_oblique_series_at_the_same_place(tmp_path):
    for number, content in enumerate(single_frames(placed((16, -3, 8)))):
        (tmp_path / f"{number}.dcm").write_bytes(content)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path))
    theirs = sitk.ReadImage(names)
    (ours,) = volumes_of([Path(name).read_bytes() for name in names])
    np.testing.assert_array_equal(sitk.GetArrayFromImage(theirs).T, ours.data)
    for index in ((0, 0, 0), (4, 3, 5), (2, 0, 3)):
        place = np.array(theirs.TransformIndexToPhysicalPoint(index)) * (-1, -1, 1)
        np.testing.assert_allclose((ours.affine @ [*index, 1])[:3], place, atol=1e-3)


def test_frames_of_an_enhanced_file_are_told_apart_and_placed():
    water, fat = placed(seed=1), placed(seed=2)
    found = volumes_of([enhanced({("WATER", 1.23): water, ("FAT", 1.23): fat})])
    assert {volume.data.tobytes() for volume in found} == {
        np.ascontiguousarray(volume.data).tobytes() for volume in (water, fat)
    }
    for volume in found:
        np.testing.assert_allclose(volume.affine, water.affine, atol=1e-4)


def test_rescaled_values_are_those_that_are_meant():
    made = placed()
    (read,) = volumes_of(single_frames(made, RescaleSlope=2.5, RescaleIntercept=-10))
    np.testing.assert_allclose(read.data, made.data * 2.5 - 10)
    assert read.data.dtype == np.float32


def test_a_missing_slice_is_told():
    files = single_frames(placed())
    with pytest.raises(Excluded, match=r"slices are missing: steps from 3 to 6 mm"):
        volumes_of(files[:2] + files[3:])


def test_a_slice_alone_is_no_volume():
    with pytest.raises(Excluded, match="one slice is no volume"):
        volumes_of(single_frames(placed())[:1])


def test_two_slices_at_one_place_are_told():
    files = single_frames(placed())
    with pytest.raises(Excluded, match="two slices at one place"):
        volumes_of([*files, files[2]])


def changed(content, **tags):
    header = pydicom.dcmread(io.BytesIO(content))
    for keyword, value in tags.items():
        setattr(header, keyword, value)
    written = io.BytesIO()
    header.save_as(written, enforce_file_format=False)
    return written.getvalue()


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ({"Rows": 60000, "Columns": 60000}, "unsafe_file: a.dcm: 60000x60000x1 voxels"),
        ({"NumberOfFrames": 2**31 - 1}, "unsafe_file"),
        ({"Rows": 5}, "unreadable_image: a.dcm: 40 bytes of voxels, expected 50"),
        ({"SamplesPerPixel": 3}, "not one grey value a voxel"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "bad_geometry: a.dcm: position"),
        ({"ImagePositionPatient": None}, "bad_geometry: a.dcm: position"),
    ],
)
def test_headers_that_cannot_be_are_refused(tags, message):
    content = changed(single_frames(placed())[0], **tags)
    with pytest.raises(Excluded, match=message):
        read_slices(file_of(content))


def test_compressed_pixels_are_refused_with_the_remedy():
    content = single_frames(placed())[0].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    with pytest.raises(Excluded, match=r"RLE Lossless; decompress it first, e.g. by gdcmconv"):
        read_slices(file_of(content))


def test_a_file_without_pixels_holds_no_slice():
    header = pydicom.dcmread(io.BytesIO(single_frames(placed())[0]))
    del header.PixelData
    written = io.BytesIO()
    header.save_as(written)
    assert read_slices(file_of(written.getvalue())) == []

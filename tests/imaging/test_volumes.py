import gzip

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nibabel.affines import apply_affine
from nibabel.orientations import axcodes2ornt, inv_ornt_aff
from scipy.spatial.transform import Rotation

from muscle_study.imaging.volumes import (
    Volume,
    load,
    open_mapped,
    resample,
    save,
    to_ras,
    upright_grid,
)
from muscle_study.protocol.exclusions import Excluded, Reason

ORIENTATIONS = [
    "".join(codes)
    for codes in (
        (a, b, c)
        for a in "RLAPIS" for b in "RLAPIS" for c in "RLAPIS"
        if len({frozenset(pair) for pair in ("RL", "AP", "IS") for code in (a, b, c)
                if code in pair}) == 3
    )
]  # fmt: skip

spacings = st.tuples(*[st.floats(0.7, 6.0)] * 3)
tilts = st.tuples(*[st.floats(-20, 20)] * 3)


def stored_as(volume: Volume, orientation: str) -> Volume:
    """Store a RAS volume in other axes, as another scanner would."""
    transform = nib.orientations.ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(orientation))
    return Volume(
        nib.apply_orientation(volume.data, transform),
        volume.affine @ inv_ornt_aff(transform, volume.data.shape),
    )


def world_of(volume: Volume, value: int) -> np.ndarray:
    """Return the place of the voxel that holds `value`."""
    (index,) = np.argwhere(volume.data == value)
    return apply_affine(volume.affine, index)


def numbered(spacing_mm=(1.0, 2.0, 3.0), tilt_degrees=(0.0, 0.0, 0.0)) -> Volume:
    """Return a small RAS volume in which each voxel has its own number."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", tilt_degrees, degrees=True).as_matrix()
    affine[:3, :3] *= spacing_mm
    affine[:3, 3] = -7, 11, 300
    return Volume(np.arange(1, 25, dtype=np.int16).reshape(2, 3, 4), affine)


def test_there_are_48_ways_to_store_a_volume():
    assert len(ORIENTATIONS) == 48


@given(orientation=st.sampled_from(ORIENTATIONS), spacing_mm=spacings, tilt=tilts)
@settings(max_examples=100, deadline=None)
def test_to_ras_keeps_every_voxel_in_its_place(orientation, spacing_mm, tilt):
    volume = numbered(spacing_mm, tilt)
    stored = stored_as(volume, orientation)
    upright = to_ras(stored)
    assert stored.orientation == orientation
    assert upright.orientation == "RAS"
    assert upright.voxel_ml == pytest.approx(volume.voxel_ml)
    for value in (1, 6, 24):
        assert world_of(upright, value) == pytest.approx(world_of(volume, value), abs=1e-6)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_left_is_left_however_the_axes_are_stored(orientation):
    left, right = world_of(numbered(), 1), world_of(numbered(), 24)
    assert left[0] < right[0]
    upright = to_ras(stored_as(numbered(), orientation))
    assert np.argwhere(upright.data == 1)[0, 0] == 0
    assert np.argwhere(upright.data == 24)[0, 0] == 1


@given(spacing_mm=spacings, tilt=tilts)
@settings(max_examples=50, deadline=None)
def test_a_rotation_changes_neither_spacing_nor_volume(spacing_mm, tilt):
    volume = numbered(spacing_mm, tilt)
    assert volume.spacing_mm == pytest.approx(spacing_mm)
    assert volume.voxel_ml == pytest.approx(np.prod(spacing_mm) / 1000)


def test_the_volume_of_a_sheared_voxel_is_its_base_times_its_height():
    affine = np.diag([2.0, 3.0, 5.0, 1.0])
    affine[0, 2] = 4.0
    assert Volume(np.zeros((1, 1, 1)), affine).voxel_ml == pytest.approx(0.03)


@given(spacing_mm=spacings, tilt=tilts)
@settings(max_examples=50, deadline=None)
def test_the_upright_grid_covers_every_corner(spacing_mm, tilt):
    volume = numbered(spacing_mm, tilt)
    shape, affine = upright_grid(volume, np.array([1.5, 1.5, 2.5]))
    corners = np.stack(np.meshgrid([-0.5, 1.5], [-0.5, 2.5], [-0.5, 3.5]), -1).reshape(-1, 3)
    inside = apply_affine(np.linalg.inv(affine), apply_affine(volume.affine, corners))
    assert (inside >= -0.51).all()
    assert (inside <= np.array(shape) - 0.49).all()


def test_the_upright_grid_of_an_upright_volume_is_its_own():
    volume = numbered()
    shape, affine = upright_grid(volume, volume.spacing_mm)
    assert volume.same_grid(Volume(np.zeros(shape), affine))
    assert (resample(volume, shape, affine).data == volume.data).all()


def test_resampling_puts_a_box_where_it_was():
    data = np.zeros((12, 12, 12), np.uint8)
    data[3:9, 3:9, 3:9] = 1
    box = Volume(data, np.diag([2.0, 2.0, 2.0, 1.0]))
    half = np.diag([1.0, 1.0, 1.0, 1.0])
    half[:3, 3] = -0.5
    fine = resample(box, (24, 24, 24), half, order=0)
    assert fine.data.sum() * fine.voxel_ml == pytest.approx(data.sum() * box.voxel_ml)
    assert fine.data[6:18, 6:18, 6:18].all()


def test_a_saved_volume_is_read_back_as_it_was(tmp_path):
    volume = numbered(tilt_degrees=(5, -3, 8))
    save(volume, tmp_path / "v.nii.gz")
    again = load(tmp_path / "v.nii.gz")
    assert again.same_grid(volume)
    assert again.data.dtype == np.int16
    assert (again.data == volume.data).all()


def test_a_truncated_file_is_excluded(tmp_path):
    path = tmp_path / "v.nii.gz"
    noise = np.random.default_rng(1).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    save(Volume(noise, np.eye(4)), path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(Excluded, match=r"unreadable_image: v\.nii\.gz"):
        load(path)


def test_a_mapped_volume_is_the_same_and_reads_what_is_asked(tmp_path):
    volume = numbered(tilt_degrees=(5, -3, 8))
    path = tmp_path / "v.nii"
    save(volume, path)
    mapped = open_mapped(path)
    assert mapped.same_grid(volume)
    assert isinstance(mapped.data.base, np.memmap) and not mapped.data.flags.writeable
    box = (slice(1, 3), slice(0, 2), slice(1, 2))
    assert (mapped.data[box] == volume.data[box]).all()


@pytest.mark.parametrize("content", [None, b"", b"not an image", gzip.compress(b"not an image")])
def test_what_cannot_be_mapped_is_excluded(tmp_path, content):
    path = tmp_path / "v.nii"
    save(numbered(), path)
    path.write_bytes(path.read_bytes()[:-1] if content is None else content)
    with pytest.raises(Excluded, match=r"unreadable_image: v\.nii"):
        open_mapped(path)


@pytest.mark.parametrize("content", [b"", b"not an image", gzip.compress(b"not an image")])
def test_what_is_no_image_is_excluded(tmp_path, content):
    (tmp_path / "v.nii.gz").write_bytes(content)
    with pytest.raises(Excluded, match=r"unreadable_image: v\.nii\.gz"):
        load(tmp_path / "v.nii.gz")


def test_a_missing_file_may_come_back(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"v\.nii\.gz: No such file"):
        load(tmp_path / "v.nii.gz")


@pytest.mark.parametrize(
    ("data", "affine", "reason"),
    [
        (np.full((2, 2, 2), np.nan, np.float32), np.eye(4), Reason.NON_FINITE_VOXELS),
        (np.zeros((2, 2, 2, 3), np.int16), np.eye(4), Reason.BAD_GEOMETRY),
        (np.zeros((2, 2, 2), np.int16), np.diag([0.01, 1, 1, 1]), Reason.BAD_GEOMETRY),
        (np.zeros((2, 2, 2), np.int16), np.diag([1, 1, 50, 1]), Reason.BAD_GEOMETRY),
    ],
    ids=["NaN", "four dimensions", "too fine", "too coarse"],
)
def test_broken_content_is_excluded_with_its_reason(tmp_path, data, affine, reason):
    nib.save(nib.Nifti1Image(data, affine), tmp_path / "v.nii.gz")
    with pytest.raises(Excluded) as excluded:
        load(tmp_path / "v.nii.gz")
    assert excluded.value.reason == reason

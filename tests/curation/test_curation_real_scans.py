"""Real scans through every kind of source, with geometry from independent readers."""

import os
import shutil
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - its own custom
from scipy.ndimage import map_coordinates

from muscle_study.imaging.volumes import load
from muscle_study.protocol.paths import ROOT, image_file

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))

pytestmark = pytest.mark.skipif(
    not REAL.exists(), reason=f"no real scans in {REAL}: name their folder in MUSCLE_STUDY_REAL"
)

#: From the volumes' right, front, head to the left, back, head of DICOM and SimpleITK.
FLIP = np.diag([-1.0, -1.0, 1.0])

ONE_IMAGE = {"layout": "dicom", "contrasts": ["image"]}


def slices_of(folder, number=None):
    """Return the files of a DICOM series in order, by GDCM: the one of this number, or the only."""
    for series in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), series)
        reader = sitk.ImageFileReader()
        reader.SetFileName(names[0])
        reader.ReadImageInformation()
        if number in (None, int(reader.GetMetaData("0020|0011"))):
            return names
    raise AssertionError(f"no series {number}")


def placed_by_sitk(image):
    """Return voxels (x, y, z) and where SimpleITK places them, as an affine to RAS."""
    affine = np.eye(4)
    affine[:3, :3] = FLIP @ np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    affine[:3, 3] = FLIP @ image.GetOrigin()
    return sitk.GetArrayFromImage(image).T, affine


def placed_by_slices(names):
    """Do the same from each slice's own place: SimpleITK's volumes ignore a shear of the stack."""
    images = [sitk.ReadImage(name) for name in names]
    origins = np.array([FLIP @ image.GetOrigin() for image in images])
    _, affine = placed_by_sitk(images[0])
    affine[:3, 2] = (origins[-1] - origins[0]) / (len(images) - 1)
    np.testing.assert_allclose(np.diff(origins, axis=0), affine[None, :3, 2].repeat(
        len(images) - 1, axis=0), atol=2e-3)  # fmt: skip
    return np.concatenate([placed_by_sitk(image)[0] for image in images], axis=2), affine


def check_same(curated, voxels, affine):
    """Compare a curated volume with another reader's voxels, at random places among these."""
    assert curated.orientation == "RAS"
    to_voxels = np.linalg.inv(affine) @ curated.affine
    picked = np.random.default_rng(0).integers(0, curated.data.shape, (200_000, 3))
    index = nib.affines.apply_affine(to_voxels, picked)
    # beyond the outermost centres, readers extrapolate differently
    inside = ((index >= 0) & (index <= np.array(voxels.shape) - 1)).all(axis=1)
    assert inside.mean() > 0.2
    theirs = map_coordinates(voxels.astype(float), index[inside].T, order=1)
    assert theirs.std() > 10
    off = abs(curated.data[tuple(picked[inside].T)] - theirs)
    # integers are rounded, and so are headers: by 0.001 mm, between voxels that differ by all
    assert off.max() <= 0.5 + 2e-3 * theirs.max()


def test_the_vibe_alone_is_taken_from_a_heap(curate, paths):
    source = REAL / "dicom_mixed_study"
    after = curate(source=str(source), spacing_mm=[1.625, 1.625, 3.6], **ONE_IMAGE)
    assert after.exclusions.empty
    images = after.inventory
    assert len(images) == 6  # of the first scout, three planes are three volumes
    (taken,) = images[images["used"]].itertuples()
    assert (taken.series, taken.contrast, taken.shape) == (26, "image", "160x160x20")
    assert taken.spacing_mm == "1.625x1.625x3.6"
    assert set(images.loc[~images["used"], "contrast"]) == {"other"}
    curated = load(image_file(paths.curated / "images/ANON", "image"))
    check_same(curated, *placed_by_sitk(sitk.ReadImage(slices_of(source, 26))))


def test_an_oblique_vibe_has_the_step_of_its_positions(curate, paths, tmp_path):
    source = REAL / "dicom_vibe_pelvis"
    after = curate(source=str(source), spacing_mm=[0.8, 0.8, 1.25], **ONE_IMAGE)
    (taken,) = after.inventory.itertuples()
    assert taken.shape == "384x308x64"
    assert taken.spacing_mm == "0.7891x0.7891x1.25"  # the headers say 3.5 and 1 mm
    names = slices_of(source)
    assert sitk.ReadImage(names).GetSpacing()[2] == pytest.approx(1.25, abs=1e-3)
    check_same(load(image_file(paths.curated / "images/ANON", "image")), *placed_by_slices(names))

    if (program := shutil.which("dcm2niix")) is not None:
        subprocess.run([program, "-f", "v", "-o", str(tmp_path), str(source)], check=True)
        converted = sitk.ReadImage(str(tmp_path / "v.nii"))
        assert converted.GetSpacing()[2] == pytest.approx(1.25, abs=1e-3)


def test_coronal_pairs_come_out_in_ras(curate, paths, tmp_path):
    folder = tmp_path / "bids" / "sub-01" / "anat"
    folder.mkdir(parents=True)
    for path in (REAL / "nifti_coronal_gre").glob("philips_*/*"):
        shutil.copy(path, folder)
    after = curate(layout="bids", source=str(tmp_path / "bids"), acquisition="2D",
                   contrasts=["in_phase", "opposed_phase"], spacing_mm=[3.0, 3.0, 3.0])  # fmt: skip
    assert after.exclusions.empty, after.exclusions.to_string()
    used = after.inventory[after.inventory["used"]]
    assert used["orientation"].tolist() == ["LSP", "LSP"]
    assert (after.inventory["contrast"] == "other").sum() == 2  # the phase images
    for contrast, word in (("in_phase", "inphase"), ("opposed_phase", "outphase")):
        (source,) = folder.glob(f"*{word}_e2.nii.gz")
        curated = load(image_file(paths.curated / "images/01", contrast))
        check_same(curated, *placed_by_sitk(sitk.ReadImage(source)))

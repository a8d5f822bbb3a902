"""Measures of real label maps, compared with direct voxel counts."""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from muscle_study.imaging.volumes import Volume
from muscle_study.measurement.measures import measure, swapped
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import ROOT

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
SLABS = ["s_mr_slab", "s_ct_slab"]

pytestmark = pytest.mark.skipif(
    not (REAL / "totalsegmentator").exists(),
    reason=f"no real scans in {REAL}: name their folder in MUSCLE_STUDY_REAL",
)


@pytest.mark.parametrize("slab", SLABS)
def test_measures_of_a_real_slab_are_counts_of_its_voxels(slab):
    masks = {
        side: nib.load(REAL / "totalsegmentator" / slab / f"segmentations/iliopsoas_{side}.nii.gz")
        for side in ("left", "right")
    }
    affine = masks["left"].affine
    data = np.zeros(masks["left"].shape, np.uint8)
    counts = {}
    for side, label in (("left", Label.PSOAS_LEFT), ("right", Label.PSOAS_RIGHT)):
        inside = np.asarray(masks[side].dataobj) > 0
        data[inside] = label
        counts[side] = inside.sum(), inside.sum(axis=(0, 1)).max()

    voxels = LabelledVoxels(Volume(data, affine))
    values, _ = measure(voxels)

    dx, dy, dz = masks["left"].header.get_zooms()
    for side, (n_voxels, n_pixels) in counts.items():
        assert n_voxels > 0
        assert values[f"psoas_volume_{side}_ml"] == pytest.approx(n_voxels * dx * dy * dz / 1000)
        # the axes are stored upright in both, so that a slice is axial
        assert values[f"psoas_csa_{side}_cm2"] == pytest.approx(n_pixels * dx * dy / 100, rel=1e-4)
    assert values["psoas_at_border"]
    assert values["gluteus_volume_total_ml"] == 0
    assert swapped(voxels) == []

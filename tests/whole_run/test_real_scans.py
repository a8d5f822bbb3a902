"""Real scans through import, curation, inference and measurement, with synthetic training.

The model is the one that comes with the repository, which learned from synthetic anatomy in random
contrasts alone. What it scores is printed and recorded.
"""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from muscle_study.curation.stage import curate_cohort
from muscle_study.imaging.volumes import load
from muscle_study.inference.stage import segment_cohort
from muscle_study.measurement.measures import measure
from muscle_study.measurement.quality import compare
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.protocol.muscles import STRUCTURES, Label
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.running import parameters as study
from muscle_study.training.fit import train

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
SOURCE = REAL / "totalsegmentator"
SLABS = ("s_mr_slab", "s_ct_slab")

pytestmark = pytest.mark.skipif(
    not SOURCE.exists(), reason=f"no real scans in {REAL}: name their folder in MUSCLE_STUDY_REAL"
)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """The slabs, curated on their own grid and segmented as the README says."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path_factory.mktemp("real")))
        patch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
        loaded = study.load(
            "totalsegmentator",
            [f"curation.source={SOURCE}", "curation.spacing_mm=[3.0, 3.0, 3.0]",
             "curation.validation_fraction=0", "curation.test_fraction=1",
             "training.pretrained=data/models/randomised", "cluster.workers=1",
             "cluster.threads=1"],
        )  # fmt: skip
        paths = RunPaths("real")
        curated = curate_cohort(loaded.curation, paths, loaded.cluster)
        assert set(curated.participants["split"]) == {"test"}
        train(paths, loaded.training)
        _, exclusions = segment_cohort(paths, loaded.inference, loaded.cluster)
        assert exclusions.empty, exclusions.to_string()
        yield paths


@pytest.mark.parametrize("slab", SLABS)
def test_reference_measures_are_counts_of_the_files_voxels(paths, slab):
    reference = load(paths.curated / "labels" / f"{slab}.nii.gz")
    measures, _ = measure(LabelledVoxels(reference))
    for side in ("left", "right"):
        mask = nib.load(SOURCE / slab / "segmentations" / f"iliopsoas_{side}.nii.gz")
        inside = np.asarray(mask.dataobj) > 0
        dx, dy, dz = map(float, mask.header.get_zooms())
        assert inside.any()
        assert measures[f"psoas_volume_{side}_ml"] == pytest.approx(
            inside.sum() * dx * dy * dz / 1000, rel=1e-4
        )
        # both are stored with upright axes, the third along the body
        assert measures[f"psoas_csa_{side}_cm2"] == pytest.approx(
            inside.sum(axis=(0, 1)).max() * dx * dy / 100, rel=1e-4
        )


@pytest.mark.parametrize("slab", SLABS)
def test_no_gluteus_is_found_in_the_upper_abdomen(paths, slab):
    found = load(paths.segmentations / f"{slab}.nii.gz").data
    assert not np.isin(found, [Label.GLUTEUS_LEFT, Label.GLUTEUS_RIGHT]).any()


@pytest.mark.parametrize("slab", SLABS)
def test_iliopsoas_is_scored_whatever_it_scores(paths, slab, record_property, capsys):
    reference = load(paths.curated / "labels" / f"{slab}.nii.gz")
    segmentation = load(paths.segmentations / f"{slab}.nii.gz")
    assert segmentation.same_grid(reference)
    assert set(np.unique(segmentation.data)) <= set(Label)
    rows = compare(segmentation, reference)
    assert [row[0] for row in rows] == [label.name.lower() for label in STRUCTURES]
    scores = {structure: score for structure, score, *_ in rows}
    present = {s: d for s, d in scores.items() if (reference.data == Label[s.upper()]).any()}
    assert set(present) == {"psoas_left", "psoas_right"}
    assert all(0 <= score <= 1 for score in present.values())
    record_property(f"dice_{slab}", present)
    with capsys.disabled():
        shown = {structure: round(float(dice), 3) for structure, dice in present.items()}
        print(f"\n{slab}: Dice on the top of the iliopsoas, never trained on a real scan: {shown}")

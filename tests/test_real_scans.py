"""Real scans through import, curation, inference with a synthetic run's model, and measurement.

The model is the demo's where `make all` has made it, else the smallest run's: neither has seen a
real scan. What it scores on them is printed and recorded, whatever it is.
"""

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from muscle_study import parameters as study
from muscle_study.curation.stage import curate_cohort
from muscle_study.inference.parameters import InferenceParameters
from muscle_study.inference.stage import segment_cohort
from muscle_study.labels import STRUCTURES, Label
from muscle_study.measurement.measures import measure
from muscle_study.measurement.quality import compare
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.paths import ROOT, RunPaths
from muscle_study.volumes import load

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
SOURCE = REAL / "totalsegmentator"
DEMO_MODEL = ROOT / "data" / "demo" / "model"

pytestmark = [
    pytest.mark.run,
    pytest.mark.skipif(
        not SOURCE.exists(),
        reason=f"no real scans in {REAL}: name their folder in MUSCLE_STUDY_REAL",
    ),
]


@pytest.fixture(scope="module")
def paths(request, tmp_path_factory):
    """The slabs, curated on their own grid and segmented."""
    model = DEMO_MODEL
    if not (model / "card.json").exists():
        model = request.getfixturevalue("ci_output") / "data" / "ci" / "model"
    with pytest.MonkeyPatch.context() as patch:
        output = tmp_path_factory.mktemp("real")
        patch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
        patch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
        loaded = study.load(
            "totalsegmentator",
            [f"curation.source={SOURCE}", "curation.spacing_mm=[3.0, 3.0, 3.0]",
             "cluster.workers=1", "cluster.threads=1"],
        )  # fmt: skip
        paths = RunPaths("real")
        curate_cohort(loaded.curation, paths, loaded.cluster)
        paths.model.symlink_to(model, target_is_directory=True)
        # the network knows water and fat; a single image is taken for water
        single = InferenceParameters(
            channels={"water": "image", "fat": None}, accelerator="cpu", precision="auto"
        )
        _, exclusions = segment_cohort(paths, single, loaded.cluster)
        assert exclusions.empty, exclusions.to_string()
        yield paths


@pytest.mark.parametrize("slab", ["s_mr_slab", "s_ct_slab"])
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


@pytest.mark.parametrize("slab", ["s_mr_slab", "s_ct_slab"])
def test_a_synthetic_runs_model_is_scored_whatever_it_scores(paths, slab, record_property, capsys):
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
        print(f"\n{slab}: Dice of the model {paths.model.resolve().parent.name} on iliopsoas:",
              {s: round(float(d), 3) for s, d in present.items()})  # fmt: skip

"""The smallest study on masks in TotalSegmentator's folder form, compared with our network's."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from muscle_study.imaging.volumes import Volume, load, save
from muscle_study.protocol.files import read_json
from muscle_study.protocol.muscles import SIDES, label_of
from muscle_study.protocol.paths import RunPaths


@pytest.fixture
def masks(ci_output, tmp_path):
    """The smallest run's own label maps, as the other segmenter would write them: a file a
    structure, the gluteus in three, axes as in LPS. The first participant's are not there."""
    segmentations = ci_output / "data/ci/segmentations"
    for file in sorted(segmentations.glob("*.nii.gz"))[1:]:
        labels = load(file)
        folder = tmp_path / "masks" / file.name.removesuffix(".nii.gz")
        affine = labels.affine @ np.diag([-1, -1, 1, 1])
        affine[:3, 3] += labels.affine[:3, :2] @ (np.array(labels.data.shape[:2]) - 1)
        third = np.arange(labels.data.shape[2]) % 3
        for side in SIDES:
            parts = {f"iliopsoas_{side}": labels.data == label_of("psoas", side)}
            gluteus = labels.data == label_of("gluteus", side)
            for i, part in enumerate(("maximus", "medius", "minimus")):
                parts[f"gluteus_{part}_{side}"] = gluteus & (third == i)
            for name, mask in parts.items():
                turned = np.ascontiguousarray(mask[::-1, ::-1].astype(np.uint8))
                save(Volume(turned, affine), folder / f"{name}.nii.gz")
    return tmp_path / "masks"


@pytest.mark.run
def test_the_study_runs_on_masks_and_compares_them_with_ours(
    make, ci_output, masks, tmp_path, monkeypatch
):
    output = tmp_path / "copy"
    shutil.copytree(ci_output, output, symlinks=True)
    given = {
        "segmenter": "totalsegmentator",
        "folder": str(masks),
        "file": "{participant}/{structure}.nii.gz",
    }
    settings = {
        "inference.source": "masks",
        "inference.compare_with": "network",
        "inference.masks": given,
        "report.formats": ["html"],
    }
    written = " ".join(f"'{key}={json.dumps(value)}'" for key, value in settings.items())
    done = make("all", "RUN=ci", f"OUT={output}", f"SET={written}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[training]" not in done.stdout

    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
    paths = RunPaths("ci")
    exclusions = pd.read_csv(paths.segmentations / "exclusions.csv")
    assert exclusions["reason"].tolist() == ["missing_mask"]
    # the masks are our own label maps, so that both agree in all
    compared = pd.read_csv(paths.measurements / "compared.csv")
    assert (compared.filter(like="dice_") == 1).all(axis=None)
    agreement = pd.read_csv(paths.measurements / "comparison.csv").set_index("measure")
    assert agreement.loc["gluteus_volume_total_ml", "bias"] == pytest.approx(0)
    assert agreement.loc["psoas_csa_total_cm2", "icc"] == pytest.approx(1)

    assert read_json(paths.segmentations / "source.json")["psoas_label"] == "iliopsoas"
    text = " ".join((paths.reports / "manuscript.html").read_text().split())
    assert "Agreement with another segmentation" in text
    assert "Masks by TotalSegmentator (total_mr) gave iliopsoas" in text
    assert "stands in for the psoas major" in text
    assert str(masks) not in (paths.notebooks / "03_inference.ipynb").read_text()

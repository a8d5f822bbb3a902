"""The public layout from end to end, on a synthetic miniature."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from muscle_study.curation.split import NOT_ANNOTATED
from muscle_study.imaging.volumes import Volume, load, save
from muscle_study.protocol.files import read_json
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import RunPaths, image_file

#: What our labels are called there. Our psoas is without the iliacus, and our gluteus in one.
NAMES = {"psoas": "iliopsoas", "gluteus": "gluteus_maximus"}

#: The smallest run's sizes in place of those for a GPU.
SMALL = {
    "curation.spacing_mm": [8.0, 8.0, 8.0],
    "training.localiser.spacing_mm": [12.0, 12.0, 12.0],
    "training.localiser.patch_size": [32, 24, 32],
    "training.localiser.features": [8, 16, 32],
    "training.localiser.strides": [[2, 2, 2], [2, 2, 2]],
    "training.localiser.batch_size": 2,
    "training.localiser.max_epochs": 20,
    "training.localiser.validate_every": 4,
    "training.segmenter.spacing_mm": [8.0, 8.0, 8.0],
    "training.segmenter.patch_size": [48, 32, 32],
    "training.segmenter.features": [8, 16, 32],
    "training.segmenter.strides": [[2, 2, 2], [2, 2, 2]],
    "training.segmenter.max_epochs": 16,
    "training.segmenter.validate_every": 8,
    "training.segmenter.learning_rate": 0.01,
    "training.loader_workers": 1,
    "training.precision": "32-true",
    "inference.min_predicted_dice": 0.0,
    "statistics.min_cell_count": 2,
    "report.formats": ["html"],
    "cluster.threads": 1,
}


@pytest.fixture(scope="module")
def export(ci_output, tmp_path_factory):
    """The smallest run's annotated participants, as that data set has its subjects."""
    folder = tmp_path_factory.mktemp("miniature")
    curated = ci_output / "data/ci/curated"
    people = pd.read_csv(curated / "participants.csv", dtype={"participant_id": str})
    people = people[people["split"] != NOT_ANNOTATED].reset_index(drop=True)
    rows = []
    for number, person in people.iterrows():
        subject = folder / f"s{number:04}"
        image = load(image_file(curated / "images" / person["participant_id"], "water"))
        save(image, subject / "mri.nii.gz")
        labels = load(curated / "labels" / f"{person['participant_id']}.nii.gz")
        for structure in STRUCTURES:
            muscle, _, side = structure.name.lower().partition("_")
            mask = Volume((labels.data == structure).astype("uint8"), labels.affine)
            save(mask, subject / "segmentations" / f"{NAMES[muscle]}_{side}.nii.gz")
        split = {"validation": "val"}.get(person["split"], person["split"])
        rows.append((subject.name, round(person["age_years"]), person["sex"][0], split))
    meta = pd.DataFrame(rows, columns=["image_id", "age", "gender", "split"])
    meta.to_csv(folder / "meta.csv", sep=";", index=False)
    return folder


def settings(export, **more):
    overrides = {**SMALL, "curation.source": str(export), **more}
    return " ".join(f"'{key}={json.dumps(value)}'" for key, value in overrides.items())


@pytest.fixture(scope="module")
def output(make, export, tmp_path_factory):
    """Where the layout's run from scratch has left its files."""
    output = tmp_path_factory.mktemp("totalsegmentator")
    done = make("all", "RUN=totalsegmentator", f"OUT={output}", f"SET={settings(export)}")
    assert done.returncode == 0, done.stdout + done.stderr
    return output


@pytest.mark.run
def test_train_evaluate_and_measure_on_the_public_layout(export, output, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
    paths = RunPaths("totalsegmentator")
    meta = pd.read_csv(export / "meta.csv", sep=";")
    splits = pd.read_csv(paths.curated / "participants.csv").set_index("participant_id")["split"]
    given = meta.set_index("image_id")["split"].replace({"val": "validation"})
    pd.testing.assert_series_equal(splits.sort_index(), given.sort_index(), check_names=False)

    used = set(pd.read_csv(paths.model / "used.csv")["participant_id"])
    assert used == set(given.index[given != "test"])
    assert read_json(paths.model / "card.json")["synthetic"] is False
    quality = pd.read_csv(paths.measurements / "segmentation_quality.csv")
    assert set(quality["participant_id"]) == set(given.index[given == "test"])
    assert quality.loc[quality["structure"].str.startswith("gluteus"), "dice"].mean() > 0.3
    assert len(pd.read_csv(paths.measurements / "measures.csv")) > 0
    assert 0 < (paths.reports / "manuscript.html").stat().st_size < 10e6


@pytest.mark.run
def test_training_starts_from_the_synthetic_weights(export, output, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
    model = RunPaths("totalsegmentator").model
    scratch = pd.read_csv(model / "history.csv").groupby("network")["train_loss"].first()
    of_weights = {"features": [16, 32, 64, 128], "strides": [[2, 2, 2]] * 3}
    short = {"max_epochs": 1, "validate_every": 1, "learning_rate": 0.001}
    start = {
        f"training.{network}.{key}": value
        for network in ("localiser", "segmenter")
        for key, value in {**of_weights, **short}.items()
    }
    chosen = settings(export, **start, **{"training.start_from": "data/models/randomised"})
    study = [sys.executable, "-m", "muscle_study", "run", "training", "--run", "totalsegmentator"]
    done = subprocess.run([*study, "--set", chosen], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    started = pd.read_csv(model / "history.csv").groupby("network")["train_loss"].first()
    # it has seen neither this contrast nor this grid, yet begins where an epoch does not reach
    assert (started < 0.8 * scratch).all(), (started, scratch)

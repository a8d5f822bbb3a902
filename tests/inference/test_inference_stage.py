"""Participants are segmented once, and a bad one does not disturb the others."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.files import read_table, write_table
from muscle_study.inference.parameters import InferenceParameters
from muscle_study.inference.stage import segment_cohort
from muscle_study.paths import RunPaths
from muscle_study.training.model import save_card, save_weights
from muscle_study.training.network import build_network
from muscle_study.volumes import Volume, load, save

PARAMETERS = InferenceParameters(accelerator="cpu", precision="32-true")
ONE_WORKER = ClusterParameters(kind="local", workers=1, threads=1)


@pytest.fixture
def paths(tmp_path, monkeypatch, card_of):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
    paths = RunPaths("tiny")
    card = card_of(spacing_mm=(4.0, 4.0, 4.0), features=(2, 4))
    for learned, classes in ((card.localiser, 5), (card.segmenters[0], 3)):
        network = build_network(1, classes, [2, 4], [[2, 2, 2]])
        save_weights(network, paths.model / learned.weights)
    save_card(card, paths.model)
    rng = np.random.default_rng(0)
    for participant in ("1", "2", "3"):
        image = rng.integers(0, 100, (18, 18, 18)).astype(np.int16)
        file = paths.curated / "images" / participant / "water.nii.gz"
        save(Volume(image, np.diag([4.0, 4, 4, 1])), file)
    table = pd.DataFrame({"participant_id": ["1", "2", "3"]})
    write_table(table, paths.curated / "participants.csv")
    return paths


def test_resume_and_bad_participant(paths):
    bad = paths.curated / "images" / "2" / "water.nii.gz"
    whole = bad.read_bytes()
    bad.write_bytes(whole[:100])
    records, exclusions = segment_cohort(paths, PARAMETERS, ONE_WORKER)
    assert records["participant_id"].tolist() == ["1", "3"]
    assert exclusions[["participant_id", "reason"]].to_numpy().tolist() == [
        ["2", "unreadable_image"]
    ]
    done = {file: file.stat().st_mtime_ns for file in paths.segmentations.glob("*.nii.gz")}
    first = done[paths.segmentations / "1.nii.gz"]

    # the run is started again after the file was put right, and participant 3's map was lost
    bad.write_bytes(whole)
    (paths.segmentations / "3.nii.gz").unlink()
    records, exclusions = segment_cohort(paths, PARAMETERS, ONE_WORKER)
    assert records["participant_id"].tolist() == ["1", "2", "3"]
    assert exclusions.empty
    assert (paths.segmentations / "1.nii.gz").stat().st_mtime_ns == first
    assert load(paths.segmentations / "2.nii.gz").data.shape == (18, 18, 18)
    assert read_table(paths.segmentations / "records.csv")["participant_id"].tolist() == [
        "1", "2", "3"
    ]  # fmt: skip


def test_missing_model_stops_the_run(paths):
    (paths.model / "card.json").unlink()
    with pytest.raises(FileNotFoundError, match="run notebooks/02_training first"):
        segment_cohort(paths, PARAMETERS, ONE_WORKER)

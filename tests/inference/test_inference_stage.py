"""Participants are segmented once, and a failure leaves the others unaffected."""

import shutil

import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from example_tables import write_example
from muscle_study.imaging.volumes import Volume, load, save
from muscle_study.inference.parameters import MasksParameters
from muscle_study.inference.stage import segment_cohort
from muscle_study.networks.model import read_card, save_card, save_weights
from muscle_study.networks.network import build_network
from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import RunPaths, image_file

PARAMETERS = section("inference", accelerator="cpu")


@pytest.fixture
def paths(tmp_path, monkeypatch, card_of):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
    paths = RunPaths("tiny")
    card = card_of(spacing_mm=(4.0, 4.0, 4.0), features=(2, 4, 4))
    for learned, classes in ((card.localiser, 5), (card.segmenters[0], 3)):
        network = build_network(1, classes, [2, 4, 4], [[2, 2, 2], [2, 2, 2]])
        save_weights(network, paths.model / learned.weights)
    save_card(card, paths.model)
    rng = np.random.default_rng(0)
    for participant in ("1", "2", "3"):
        image = rng.integers(0, 100, (18, 18, 18)).astype(np.int16)
        file = image_file(paths.curated / "images" / participant, "water")
        save(Volume(image, np.diag([4.0, 4, 4, 1])), file)
    table = pd.DataFrame({"participant_id": ["1", "2", "3"]})
    write_example(table, paths.curated / "participants.csv")
    return paths


def test_resume_and_bad_participant(paths, cluster):
    bad = image_file(paths.curated / "images" / "2", "water")
    whole = bad.read_bytes()
    bad.write_bytes(whole[:100])
    records, exclusions = segment_cohort(paths, PARAMETERS, cluster)
    assert records["participant_id"].tolist() == ["1", "3"]
    assert exclusions[["participant_id", "reason"]].to_numpy().tolist() == [
        ["2", "unreadable_image"]
    ]
    done = {file: file.stat().st_mtime_ns for file in paths.segmentations.glob("*.nii.gz")}
    first = done[paths.segmentations / "1.nii.gz"]

    # the run is restarted after repair of the file and loss of participant 3's map
    bad.write_bytes(whole)
    (paths.segmentations / "3.nii.gz").unlink()
    records, exclusions = segment_cohort(paths, PARAMETERS, cluster)
    assert records["participant_id"].tolist() == ["1", "2", "3"]
    assert exclusions.empty
    assert (paths.segmentations / "1.nii.gz").stat().st_mtime_ns == first
    assert load(paths.segmentations / "2.nii.gz").data.shape == (18, 18, 18)
    assert read_table(paths.segmentations / "records.csv")["participant_id"].tolist() == [
        "1", "2", "3"
    ]  # fmt: skip


def test_missing_model_stops_the_run(paths, cluster):
    (paths.model / "card.json").unlink()
    with pytest.raises(FileNotFoundError, match="run notebooks/02_training first"):
        segment_cohort(paths, PARAMETERS, cluster)


def test_whose_label_maps_they_are_is_written(paths, cluster):
    learned = read_card(paths.model).model_copy(update={"psoas": "iliopsoas"})
    save_card(learned, paths.model)
    segment_cohort(paths, PARAMETERS, cluster)
    assert read_json(paths.segmentations / "source.json") == {
        "kind": "network", "segmenter": "the network", "psoas_label": "iliopsoas"
    }  # fmt: skip


@pytest.mark.parametrize(
    "change", [{"min_predicted_dice": 0.9}, {"precision": "bf16-mixed"}], ids=str
)
def test_what_a_parameter_changes_is_segmented_again(paths, cluster, change):
    segment_cohort(paths, PARAMETERS, cluster)
    first = paths.segmentations / "1.nii.gz"
    before = first.stat().st_mtime_ns
    segment_cohort(paths, PARAMETERS, cluster)
    assert first.stat().st_mtime_ns == before
    segment_cohort(paths, PARAMETERS.model_copy(update=change), cluster)
    assert first.stat().st_mtime_ns > before


def test_masks_stand_in_and_are_compared(paths, cluster, tmp_path):
    for participant in ("1", "3"):
        labels = np.zeros((18, 18, 18), np.uint8)
        labels[2:9, 2:9, 2:9] = 48
        file = tmp_path / "masks" / f"{participant}.nii.gz"
        save(Volume(labels, np.diag([4.0, 4, 4, 1])), file)
    masks = MasksParameters(
        segmenter="totalsegmentator", folder=str(tmp_path / "masks"), file="{participant}.nii.gz"
    )
    parameters = section(
        "inference", accelerator="cpu", source="masks", compare_with="network", masks=masks
    )
    records, exclusions = segment_cohort(paths, parameters, cluster)
    assert records["participant_id"].tolist() == ["1", "3"]
    assert exclusions[["participant_id", "reason"]].to_numpy().tolist() == [["2", "missing_mask"]]
    assert set(np.unique(load(paths.segmentations / "1.nii.gz").data)) == {0, Label.PSOAS_LEFT}
    assert read_json(paths.segmentations / "source.json")["psoas_label"] == "iliopsoas"
    assert len(read_table(paths.compared / "records.csv")) == 3

    # a mask that comes later is taken, one that was there is not read again
    first = (paths.segmentations / "1.nii.gz").stat().st_mtime_ns
    shutil.copy(tmp_path / "masks" / "1.nii.gz", tmp_path / "masks" / "2.nii.gz")
    alone = parameters.model_copy(update={"compare_with": None})
    records, _ = segment_cohort(paths, alone, cluster)
    assert records["participant_id"].tolist() == ["1", "2", "3"]
    assert (paths.segmentations / "1.nii.gz").stat().st_mtime_ns == first
    assert not paths.compared.exists()

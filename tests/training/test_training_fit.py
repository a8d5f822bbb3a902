"""A whole training on tiny volumes: repeatable, and blind to the test split."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.files import read_json, write_json, write_table
from muscle_study.paths import RunPaths
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.fit import train
from muscle_study.training.parameters import TrainingParameters
from muscle_study.volumes import Volume, save

PARAMETERS = TrainingParameters(
    channels=["water", "fat"], spacing_mm=[4.0, 4.0, 4.0], patch_size=[16, 16, 16],
    features=[4, 8], batch_size=2, patches_per_volume=2, loader_workers=0, max_epochs=2,
    learning_rate=0.01, weight_decay=0.0, validate_every=1,
    augmentation={"flip": 0.5, "noise": 0.5},
    accelerator="cpu", devices=1, nodes=1, strategy="auto", precision="32-true", seed=4,
)  # fmt: skip
SPLITS = {"a": "train", "b": "train", "c": "validation", "d": "test"}


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
    paths = RunPaths("tiny")
    rng = np.random.default_rng(0)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    for participant, split in SPLITS.items():
        label = np.zeros((20, 20, 20), np.uint8)
        for value, corner in enumerate((2, 6, 10, 14), start=1):
            label[corner : corner + 4, 4:12, 4:12] = value
        for contrast in ("water", "fat"):
            image = (label * 50 + rng.integers(0, 20, label.shape)).astype(np.int16)
            if split == "test":  # reading it would fail loudly
                image = image[:2]
            file = paths.curated / "images" / participant / f"{contrast}.nii.gz"
            save(Volume(image, affine), file)
        save(Volume(label, affine), paths.curated / "labels" / f"{participant}.nii.gz")
    table = pd.DataFrame({"participant_id": list(SPLITS), "split": list(SPLITS.values())})
    write_table(table, paths.curated / "participants.csv")
    inventory = table.assign(contrast="water", sha256=["1", "2", "3", "4"])
    write_table(inventory, paths.curated / "inventory.csv")
    write_json({"synthetic": True}, paths.curated / "source.json")
    return paths


def test_same_seed_same_weights_and_no_test_participant(paths):
    history = train(paths, PARAMETERS)
    weights = (paths.model / "weights.safetensors").read_bytes()
    assert history["epoch"].tolist() == [1, 2]
    assert history["validation_dice"].notna().all()
    card = read_json(paths.model / "card.json")
    assert (card["training_participants"], card["validation_participants"]) == (2, 1)
    assert card["best_epoch"] in (1, 2)
    # as after a kill: what is left of a training must not change the next
    (paths.model / "checkpoints" / "last.ckpt").write_bytes(b"half")
    train(paths, PARAMETERS)
    assert (paths.model / "weights.safetensors").read_bytes() == weights
    assert read_json(paths.model / "card.json") == card


def test_data_hash_depends_on_training_data_alone(paths):
    data = AnnotatedParticipants(paths, PARAMETERS)
    before = data.sha256()
    inventory = pd.read_csv(paths.curated / "inventory.csv", dtype=str)
    changed = inventory.assign(sha256=["1", "2", "3", "other"])
    write_table(changed, paths.curated / "inventory.csv")
    assert data.sha256() == before
    changed = inventory.assign(sha256=["other", "2", "3", "4"])
    write_table(changed, paths.curated / "inventory.csv")
    assert data.sha256() != before


def test_split_without_participants_is_named(paths):
    table = pd.read_csv(paths.curated / "participants.csv", dtype=str)
    write_table(table[table["split"] != "validation"], paths.curated / "participants.csv")
    with pytest.raises(ValueError, match="no participant in split 'validation'"):
        AnnotatedParticipants(paths, PARAMETERS)

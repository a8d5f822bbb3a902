"""Small volumes, for tests of training."""

import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.protocol.files import sha256, write_json
from muscle_study.protocol.paths import RunPaths, image_file

SPLITS = {"a": "train", "b": "train", "c": "validation", "d": "test"}


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Return the paths of a run with curated volumes of four participants."""
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
            file = image_file(paths.curated / "images" / participant, contrast)
            save(Volume(image, affine), file)
        save(Volume(label, affine), paths.curated / "labels" / f"{participant}.nii.gz")
    table = pd.DataFrame({"participant_id": list(SPLITS), "split": list(SPLITS.values())})
    write_example(table, paths.curated / "participants.csv")
    inventory = table.assign(kind="image", contrast="water", sha256=["s1", "s2", "s3", "s4"])
    write_example(inventory, paths.curated / "inventory.csv")
    files = sorted(paths.curated.rglob("*.nii*"))
    names = [file.relative_to(paths.curated).as_posix() for file in files]
    listed = pd.DataFrame({"file": names, "sha256": map(sha256, files)})
    write_example(listed, paths.curated / "files.csv")
    write_json({"synthetic": True, "psoas_label": "iliopsoas"}, paths.curated / "source.json")
    return paths

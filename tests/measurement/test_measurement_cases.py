import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.cases import choose_cases, draw_cases
from muscle_study.protocol.files import write_json
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import RunPaths, image_file


@pytest.fixture
def quality():
    """Nine participants: the later, the worse; one muscle was missed by the reference's reader."""
    rows = [(f"10000{i}", "psoas_left", 0.95 - i / 20) for i in range(9)]
    rows += [("100008", "gluteus_left", 0.2), ("100000", "gluteus_left", np.nan)]
    return pd.DataFrame(rows, columns=["participant_id", "structure", "dice"])


def test_the_median_and_the_lowest_of_each_structure(quality):
    cases = choose_cases(quality).set_index(["structure", "kind"])["participant_id"]
    assert cases["psoas_left", "typical"] == "100004"  # the fifth of nine
    assert cases["psoas_left", "worst"] == "100008"
    assert cases["gluteus_left", "typical"] == cases["gluteus_left", "worst"] == "100008"
    assert len(cases) == 4


def test_the_picture_is_written_to_data(quality, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    write_example(pd.DataFrame({"contrast": ["water"]}), paths.curated / "inventory.csv")
    write_json({"synthetic": True}, paths.curated / "source.json")
    labels = np.zeros((12, 10, 8), np.uint8)
    labels[2:6, 3:7, 2:5] = Label.PSOAS_LEFT
    shown = quality.tail(3).dropna()
    for name in shown["participant_id"]:
        image = np.random.default_rng(0).integers(0, 9, labels.shape).astype(np.int16)
        save(Volume(image, np.eye(4)), image_file(paths.curated / "images" / name, "water"))
        save(Volume(labels, np.eye(4)), paths.curated / "labels" / f"{name}.nii.gz")
        save(Volume(labels, np.eye(4)), paths.segmentations / f"{name}.nii.gz")
    path = draw_cases(paths, shown)
    assert path == tmp_path / "data/tiny/measurements/cases.png"
    assert plt.imread(path).std() > 0

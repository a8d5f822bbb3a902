"""After an interruption of scoring or comparison, the next run completes it with equal bytes."""

import os
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from example_tables import write_example
from muscle_study.imaging.volumes import Volume, save
from muscle_study.measurement.compared import compare_segmentations
from muscle_study.measurement.quality import score_test_split
from muscle_study.protocol.exclusions import exclusion_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.outcomes import MEASURES
from muscle_study.protocol.paths import RunPaths

NAMES = ["100001", "100002", "100003", "100004", "100005"]
EXCLUDED, LAST_BUT_ONE = NAMES[1], NAMES[3]
PARAMETERS = section("measurement", min_muscle_ml=0.1, seed=1)
MEASURED = pd.DataFrame({"participant_id": NAMES} | {name: np.arange(5.0) for name in MEASURES})
SECONDS_AT_MOST = 120


def score(paths, cluster):
    score_test_split(paths, cluster)


def compare(paths, cluster):
    compare_segmentations(paths, MEASURED, PARAMETERS, cluster)


#: Function, folder of its records in ``measurements/records``, its tables.
MAPS = {
    "score": (score, "segmentation_quality", "segmentation_quality*.csv"),
    "compare": (compare, "comparison", "compar*.csv"),
}

RUN = """
import sys
from test_measurement_resumed import MAPS
from muscle_study.protocol.paths import RunPaths
from muscle_study.running.parameters import load
work, *_ = MAPS[sys.argv[1]]
work(RunPaths("tiny"), load("ci").cluster.model_copy(update={"workers": 1}))
"""


def write_run(paths, four_boxes):
    """Five participants segmented twice, with references; two of these are not usable."""
    shifted = Volume(four_boxes.data, four_boxes.affine + np.diag([0, 0, 0.5, 0]))
    without = np.where(four_boxes.data == Label.PSOAS_LEFT, 0, four_boxes.data).astype(np.uint8)
    for number, name in enumerate(NAMES):
        reference = other = four_boxes
        if name == EXCLUDED:
            reference, other = shifted, Volume(without, four_boxes.affine)
        data = four_boxes.data.copy()
        data[:, :, number] = 0
        save(Volume(data, four_boxes.affine), paths.segmentations / f"{name}.nii.gz")
        save(other, paths.compared / f"{name}.nii.gz")
        save(reference, paths.curated / "labels" / f"{name}.nii.gz")
    people = pd.DataFrame({"participant_id": NAMES, "height_cm": 170.0, "split": "test"})
    write_example(people, paths.curated / "participants.csv")
    write_example(pd.DataFrame({"contrast": ["image"]}), paths.curated / "inventory.csv")
    for folder in (paths.segmentations, paths.compared):
        write_example(people[["participant_id"]], folder / "records.csv")
        write_example(exclusion_table([]), folder / "exclusions.csv")


def is_reached(reached):
    for _ in range(SECONDS_AT_MOST * 20):
        if reached():
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("name", MAPS)
def test_a_map_that_is_killed_goes_on(name, tmp_path, monkeypatch, four_boxes, cluster):
    work, folder, tables = MAPS[name]
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")

    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "undisturbed"))
    undisturbed = RunPaths("tiny").measurements
    write_run(RunPaths("tiny"), four_boxes)
    work(RunPaths("tiny"), cluster)

    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "killed"))
    paths = RunPaths("tiny")
    write_run(paths, four_boxes)
    # a pipe without a writer: the worker waits for it until the run is killed
    awaited = paths.segmentations / f"{LAST_BUT_ONE}.nii.gz"
    aside = awaited.rename(tmp_path / "aside")
    os.mkfifo(awaited)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    run = subprocess.Popen([sys.executable, "-c", RUN, name], env=environment)
    kept = paths.measurements / "records" / folder
    try:
        assert is_reached(lambda: len(list(kept.glob("[!.]*.json"))) == 3)
    finally:
        run.kill()
        run.wait()
    assert not list(paths.measurements.glob("*.csv"))
    before = {file: file.stat().st_mtime_ns for file in kept.glob("[!.]*.json")}
    assert {file.stem for file in before} == set(NAMES[:3])

    awaited.unlink()
    shutil.move(aside, awaited)
    work(paths, cluster)
    assert {file: file.stat().st_mtime_ns for file in before} == before
    expected = {file.name: file.read_bytes() for file in undisturbed.glob(tables)}
    assert EXCLUDED.encode() in b"".join(
        content for file, content in expected.items() if "exclusions" in file
    )
    assert {file.name: file.read_bytes() for file in paths.measurements.glob(tables)} == expected

import shutil

import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.files import write_json
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.sample import cost
from muscle_study.statistics.analyses.sample.cost import (
    GPU,
    STAGES,
    cost_table,
    gpu_speed,
    hours,
    parts,
)

#: Seconds and megabytes that can be reckoned by hand.
COSTS = pd.DataFrame(
    {
        "stage": ["curation", "inference", "measurement", GPU],
        "run_seconds": [1.0, 5.0, 0.1, np.nan],
        "seconds": [10.0, 50.0, 1.0, 2.0],
        "read_mb": [30.0, 10.0, 10.0, 10.0],
        "kept_mb": [20.0, 1.0, 0.0, 1.0],
    }
)


def test_hours_follow_from_seconds_workers_and_the_scheduler():
    table = hours(COSTS, participants=36_000, overhead=0.002).set_index("workers")
    one = table.loc[1]
    assert [one["curation"], one["inference"], one["measurement"]] == [100, 500, 10]
    assert (one["all"], one["all_gpu"], one["limit"]) == (610, 130, "workers")
    # 71 MB a participant, each in 61 s
    assert one["disk_mb_s"] == pytest.approx(71 / 61)
    assert table.loc[8, "all"] == pytest.approx(610 / 8)
    # 1 s over 512 workers is less than the scheduler's 2 ms; over 128 it is more
    assert table.loc[128, "limit"] == "workers"
    assert table.loc[512, "limit"] == "scheduler"
    assert table.loc[512, "measurement"] == pytest.approx(36_000 * 0.002 / 3600)


def test_the_published_ratio_is_the_least_of_its_range():
    assert gpu_speed() == pytest.approx(40 * 60 / 50)


@pytest.fixture
def timed(study, tmp_path, monkeypatch):
    """Return a copy of the study with what its stages would have left of their times."""
    shutil.copytree(study.paths.output, tmp_path / "copy")
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "copy"))
    paths = study.paths
    parameters = {"spacing_mm": [2.8125, 2.8125, 3.0], "contrasts": ["water", "fat"]}
    # of a resumed run: the stage took nothing, its participants did
    write_json({"seconds": 0.0, "parameters": parameters}, paths.curated / "manifest.json")
    people = study.curated["participant_id"]
    for folder, seconds in ((paths.curated, 3.0), (paths.measurements, 0.5)):
        for name in people:
            write_json({"record": {"seconds": seconds}}, folder / "records" / f"{name}.json")
    records = pd.DataFrame({"participant_id": people, "seconds": 1.5})
    write_example(records, paths.segmentations / "records.csv")
    image = {"kind": "image", "used": True, "bytes": 500_000}
    inventory = pd.DataFrame([{"participant_id": name, **image} for name in people for _ in "wf"])
    write_example(inventory, paths.curated / "inventory.csv")
    for name in people:
        label = paths.segmentations / f"{name}.nii.gz"
        label.write_bytes(bytes(1000))
        (paths.curated / "images" / name).mkdir(parents=True, exist_ok=True)
        for image in (paths.curated / "images" / name).iterdir():
            image.unlink()
        (paths.curated / "images" / name / "water.nii").write_bytes(bytes(3000))
    return study


def test_parts_come_from_records_and_files(timed):
    costs = parts(timed).set_index("stage")
    # 2.8125 mm are two of the NAKO's voxels in each direction of the slice
    assert costs.loc["inference", "run_seconds"] == 1.5
    assert costs.loc["inference", "seconds"] == pytest.approx(6)
    assert costs.loc[GPU, "seconds"] == pytest.approx(6 / 48)
    assert costs.loc["curation", "run_seconds"] == 3
    assert costs.loc["measurement", "run_seconds"] == 0.5
    assert costs.loc["curation", "read_mb"] == pytest.approx(4 * 1.0)
    assert costs.loc["curation", "kept_mb"] == pytest.approx(4 * 0.003)
    assert costs.loc["inference", "kept_mb"] == pytest.approx(4 * 0.001)


def test_the_table_says_what_limits(timed):
    table = cost_table(timed, COSTS, hours(COSTS, 27_805, 0.002))
    assert list(table.text["Limited by"].unique()) == ["workers", "scheduler"]


def test_numbers_and_lines_are_those_of_the_table(timed):
    result = cost(timed)
    table = result.table.data.set_index("workers")
    drawn = {line.get_label(): line.get_ydata() for line in result.figure.figure.axes[0].lines}
    for stage in STAGES:
        assert drawn[stage] == pytest.approx(table[stage].to_numpy())
    numbers = dict(result.numbers.items())
    assert numbers["cost.hours_some"].value == pytest.approx(table.loc[32, "all"])
    # one scheduler has its own time for everyone, however many workers there are
    assert (table["measurement"] >= drawn["scheduler"][0] - 1e-9).all()


def test_a_run_by_hand_does_not_know_what_it_took(study):
    assert isinstance(cost(study), Absent)

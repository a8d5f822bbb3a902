"""The export and the truth: the same however many workers, finished work kept, truth apart."""

import hashlib

import pandas as pd
import pytest

from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.cohort.export import make_cohort
from muscle_study.cohort.overview import CONTRASTS, whole_scans
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.parameters import load
from muscle_study.paths import RunPaths

SMALL = {"n_population": 300, "n_imaged": 4, "n_annotated": 3, "n_checked": 2}


@pytest.fixture
def parameters():
    cohort = load("ci").cohort.model_dump() | SMALL
    cohort["imaging"] |= {"spacing_mm": [12.0, 12.0, 16.0]}
    cohort["check_grids_mm"] = [[12.0, 12.0, 16.0]]
    cohort["fault_rates"] = dict.fromkeys(cohort["fault_rates"], 0.0)
    return cohort


@pytest.fixture
def make(tmp_path, monkeypatch):
    def make_into(name, parameters, workers=1):
        monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / name))
        paths = RunPaths("small")
        cluster = ClusterParameters(kind="local", workers=workers, threads=1)
        return paths, make_cohort(paths, CohortParameters(**parameters), cluster)

    return make_into


def contents(paths):
    files = [path for path in paths.data.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(paths.data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if "records" not in path.parts
    }


def test_the_same_bytes_whatever_the_number_of_workers(make, parameters):
    parameters["fault_rates"] |= {"repeat_scan": 0.25, "swap_station": 0.25}
    alone, drawn = make("alone", parameters)
    together, _ = make("together", parameters, workers=2)
    assert len(drawn.faults), "the comparison should hold broken scans too"
    assert contents(alone) == contents(together) != {}


def test_more_scans_leave_the_population_as_it_is(make, parameters):
    few, _ = make("few", parameters)
    more, _ = make("more", parameters | {"n_imaged": 5})
    people = [pd.read_csv(paths.truth / "population.csv") for paths in (few, more)]
    pd.testing.assert_frame_equal(*(table.drop(columns="imaged") for table in people))


def test_finished_participants_are_not_made_again(make, parameters):
    paths, drawn = make("run", parameters)
    images = sorted((paths.raw / "images").rglob("*.nii.gz"))
    before = [image.stat().st_mtime_ns for image in images]
    gone = paths.truth / "records" / f"{drawn.imaged[0]}.json"
    gone.unlink()
    make("run", parameters)
    redone = {
        image.parent.name
        for image, time in zip(images, before, strict=True)
        if image.stat().st_mtime_ns != time
    }
    assert redone == {drawn.imaged[0]}


def test_another_draw_leaves_nothing_of_the_first(make, parameters):
    _, first = make("run", parameters)
    paths, second = make("run", parameters | {"seed": 1})
    assert set(first.imaged) != set(second.imaged)
    assert {entry.name for entry in (paths.raw / "images").iterdir()} == set(second.imaged)


def test_truth_lies_apart_from_the_export(make, parameters):
    paths, drawn = make("run", parameters)
    truth = pd.read_csv(paths.truth / "measures.csv", dtype={"participant_id": str})
    assert truth["participant_id"].tolist() == drawn.imaged
    exported = pd.read_csv(paths.raw / "participants.csv")
    assert not set(exported.columns) & set(truth.columns.drop("participant_id"))
    population = pd.read_csv(paths.truth / "population.csv", dtype={"participant_id": str})
    assert len(population) == 300 and population["imaged"].sum() == 4
    assert not list(paths.raw.rglob("truth*"))
    voxelisation = pd.read_csv(paths.truth / "voxelisation.csv")
    assert voxelisation["n"].tolist() == [4, 4, 4]  # two participants, two sides


def test_stations_and_tissues_come_where_asked_for(make, parameters):
    paths, drawn = make("run", parameters | {"export_stations": True, "export_tissues": True})
    for participant_id in drawn.imaged:
        own = paths.raw / "images" / participant_id
        assert {folder.name for folder in own.iterdir() if folder.is_dir()} == {
            f"station_{number}" for number in range(1, 5)
        }
        assert (own / "station_1" / "fat.nii.gz").exists()
        assert (paths.raw / "tissues" / f"{participant_id}.nii.gz").exists()


def test_dicom_comes_as_the_nako_sends_it(make, parameters):
    paths, drawn = make("run", parameters | {"format": "dicom"})
    zips = [path.name for path in (paths.raw / "images").glob("*.zip")]
    assert len(zips) == 4 * len(CONTRASTS)
    assert {name.partition("_")[0] for name in zips} == set(drawn.imaged)
    assert (paths.raw / "participants.csv").read_text().startswith("ID;basis_age;")


def test_participants_with_a_fault_are_not_shown_as_whole(make, parameters):
    parameters["fault_rates"] |= {"severe_motion": 0.5}
    paths, drawn = make("run", parameters)
    whole = whole_scans(paths, drawn.exported)["participant_id"]
    broken = set(drawn.faults["participant_id"])
    assert broken and set(whole) == set(drawn.imaged) - broken

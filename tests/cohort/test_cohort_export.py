"""The export and the truth do not depend on the workers; finished work is kept."""

import hashlib
import shutil

import pandas as pd
import pytest

from muscle_study.cohort.export import draw_cohort, make_cohort
from muscle_study.cohort.overview import without_faults
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.imaging.volumes import load as load_volume
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.running.parameters import load


def small_parameters(**changed):
    cohort = load("ci").cohort.model_dump()
    cohort |= {"n_population": 300, "n_imaged": 4, "n_annotated": 3, "n_checked": 2}
    cohort["imaging"] |= {"spacing_mm": [12.0, 12.0, 16.0]}
    cohort["check_grids_mm"] = [[12.0, 12.0, 16.0]]
    rates = dict.fromkeys(cohort["fault_rates"], 0.0)
    cohort["fault_rates"] = rates | {"repeat_scan": 0.4, "swap_station": 0.05}
    return CohortParameters(**cohort | changed)


def make(output, parameters, workers=1):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
        paths = RunPaths("small")
        cluster = load("ci").cluster.model_copy(update={"workers": workers})
        return paths.data, make_cohort(paths, parameters, cluster)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A small cohort, made by one worker; its output folder and what was drawn."""
    output = tmp_path_factory.mktemp("finished")
    return output, make(output, small_parameters())[1]


@pytest.fixture
def copy(finished, tmp_path):
    return shutil.copytree(finished[0], tmp_path / "copy")


def contents(output):
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in output.rglob("*")
        if path.is_file() and "records" not in path.parts  # which hold the seconds that it took
    }


def test_the_same_bytes_whatever_the_number_of_workers(finished, tmp_path):
    output, drawn = finished
    assert len(drawn.faults), "the comparison should hold broken scans too"
    make(tmp_path / "together", small_parameters(), workers=2)
    assert contents(output) == contents(tmp_path / "together")


def test_more_scans_leave_the_population_as_it_is(finished):
    more = draw_cohort(small_parameters(n_imaged=7))
    pd.testing.assert_frame_equal(more.participants, finished[1].participants)
    pd.testing.assert_frame_equal(more.muscles, finished[1].muscles)


def test_finished_participants_are_not_made_again(finished, copy):
    someone = finished[1].imaged[0]
    (copy / "data/small/truth/records" / f"{someone}.json").unlink()
    images = sorted(copy.rglob("water.nii.gz"))
    before = [image.stat().st_mtime_ns for image in images]
    make(copy, small_parameters())
    redone = {
        image.parent.name.partition("_")[0]
        for image, time in zip(images, before, strict=True)
        if image.stat().st_mtime_ns != time
    }
    assert redone == {someone}


def test_another_draw_leaves_nothing_of_the_first(finished, copy):
    data, other = make(copy, small_parameters(seed=1))
    assert set(other.imaged) != set(finished[1].imaged)
    scans = {entry.name.partition("_")[0] for entry in (data / "raw/images").iterdir()}
    assert scans == set(other.imaged)


def test_truth_lies_apart_from_the_export(finished):
    output, drawn = finished
    raw, truth = output / "data/small/raw", output / "data/small/truth"
    measures = pd.read_csv(truth / "measures.csv", dtype={"participant_id": str})
    assert measures["participant_id"].tolist() == drawn.imaged
    exported = pd.read_csv(raw / "participants.csv")
    assert not set(exported.columns) & set(measures.columns.drop("participant_id"))
    population = pd.read_csv(truth / "population.csv")
    assert len(population) == 300 and population["imaged"].sum() == 4
    voxelisation = pd.read_csv(truth / "voxelisation.csv")
    assert voxelisation["n"].tolist() == [4, 4, 4]  # two participants, two sides


def test_participants_with_a_fault_are_not_shown_as_whole(finished, monkeypatch):
    output, drawn = finished
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(output))
    whole = without_faults(RunPaths("small"), drawn.exported)["participant_id"]
    broken = set(drawn.faults["participant_id"])
    assert broken and set(whole) == set(drawn.imaged) - broken


def test_stations_and_random_contrasts_are_optional(finished, tmp_path):
    randomised = load("ci").cohort.randomised.model_copy(update={"n_images": 2})
    asked = small_parameters(export_stations=True, randomised=randomised.model_dump())
    data, drawn = make(tmp_path, asked)
    for participant_id in drawn.imaged:
        own = data / "raw/images" / participant_id
        if own.exists():  # a repeat's are in folders of their own
            stations = {folder.name for folder in own.iterdir() if folder.is_dir()}
            assert stations == {f"station_{number}" for number in range(1, 5)}
            assert (own / "station_1" / "fat.nii.gz").exists()
        folder = data / "raw/randomised" / participant_id
        one, other = (load_volume(image_file(folder / n, "image")).data for n in "01")
        assert one.shape == other.shape and (one != other).any()
    # the scans are the same as without
    for image in finished[0].rglob("water.nii.gz"):
        same = tmp_path / image.relative_to(finished[0])
        assert same.read_bytes() == image.read_bytes()


def test_dicom_export_has_the_form_of_the_nako(tmp_path):
    data, drawn = make(tmp_path, small_parameters(format="dicom"))
    contrasts = {name: set() for name in drawn.imaged}
    for path in (data / "raw/images").glob("*.zip"):
        participant_id, _, contrast = path.name.partition("_30_3D_GRE_TRA_")
        contrasts[participant_id.partition("_")[0]].add(contrast.partition("_")[0])
    assert all(found == {"W", "F", "in", "opp"} for found in contrasts.values())
    assert (data / "raw/participants.csv").read_text().startswith("ID;basis_age;")

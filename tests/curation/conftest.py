import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from example_parameters import section
from muscle_study.curation import participant, stage
from muscle_study.curation.checks.quality_parameters import QualityParameters
from muscle_study.mapping.cluster import result_tables
from muscle_study.mapping.records import Recorded
from muscle_study.mapping.task_result import attempt
from muscle_study.protocol.paths import RunPaths
from muscle_study.running.parameters import load

CONTRASTS = ["water", "fat"]
IDS = ["100001", "100002", "100003", "100004", "100005"]
ONE_WORKER = load("ci").cluster.model_copy(update={"workers": 1})
#: 3 x 3 x 5 mm, stored with the axes L, P, S
LPS = np.array([[-3.0, 0, 0, 30], [0, -3, 0, 24], [0, 0, 5, -10], [0, 0, 0, 1]])


@pytest.fixture
def make_parameters():
    return tiny_parameters


def tiny_parameters(**changes):
    values = {
        "contrasts": CONTRASTS,
        "spacing_mm": [3.0, 3.0, 5.0],
        "min_extent_mm": [0, 0, 0],
        "quality": dict.fromkeys(QualityParameters.model_fields),
        "validation_fraction": 0.2,
        "test_fraction": 0.4,
        "seed": 1,
        "min_cell_count": 1,
    }
    return section("curation", **values | changes)


def write_image(path, data, affine=LPS):
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)


class Export:
    """A cohort's export of five participants, the first four annotated."""

    def __init__(self, folder):
        self.folder = folder
        rng = np.random.default_rng(0)
        self.table = pd.DataFrame({
            "participant_id": IDS,
            "sex": ["male", "female", "male", "female", "male"],
            "age_years": ["30", "40", "50", "60", "70"],
            "height_cm": "200",
            "weight_kg": "100",
            "bmi_kg_m2": "25.0",
        })  # fmt: skip
        self.write_table()
        for participant_id in IDS:
            for contrast in CONTRASTS:
                # a piece of fat, so that water and fat are not taken for swapped
                low, high = (300, 500) if contrast == "fat" else (1, 200)
                voxels = rng.integers(low, high, (6, 5, 4)).astype(np.int16)
                write_image(self.image(participant_id, contrast), voxels)
        for participant_id in IDS[:4]:
            labels = np.zeros((6, 5, 4), np.uint8)
            labels[4, 2, 1:3] = 1  # stored along L, so a high index is the left
            labels[1, 2, 1] = 2
            write_image(self.label(participant_id), labels)

    def image(self, participant_id, contrast="water"):
        return self.folder / "images" / participant_id / f"{contrast}.nii.gz"

    def label(self, participant_id):
        return self.folder / "labels" / f"{participant_id}.nii.gz"

    def write_table(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.table.to_csv(self.folder / "participants.csv", index=False)


@pytest.fixture
def paths(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "output"))
    return RunPaths("tiny")


@pytest.fixture
def export(paths):
    return Export(paths.raw)


def map_here(name, function, tasks, _cluster, *, records, **_where):
    """Do what `map_participants` does, in this process."""
    work = Recorded(function, records)
    results = {
        pid: attempt(lambda named: work.recall(named) or work(named), pid, (pid, task))
        for pid, task in tasks.items()
    }
    records.keep_only(tasks)
    return result_tables(name, tasks, results)


@pytest.fixture
def curate(paths, monkeypatch):
    """Curate in this process: what is tested is curation, not Dask."""
    monkeypatch.setattr(stage, "map_participants", map_here)

    def run(covariates=(), **changes):
        return stage.curate_cohort(tiny_parameters(**changes), paths, ONE_WORKER, covariates)

    return run


@pytest.fixture
def done(monkeypatch):
    """Identifiers of those who are really curated, not skipped."""
    ids = []
    real = participant.curate
    monkeypatch.setattr(
        participant,
        "curate",
        lambda task, *rest: ids.append(task.participant_id) or real(task, *rest),
    )
    return ids


@pytest.fixture
def tiny_curate(paths):
    """Curate through Dask, as a run does."""
    return lambda: stage.curate_cohort(tiny_parameters(), paths, ONE_WORKER)


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """Results of the export without faults: tables, and bytes of each volume."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path_factory.mktemp("good")))
        patch.setattr(stage, "map_participants", map_here)
        paths = RunPaths("tiny")
        Export(paths.raw)
        return stage.curate_cohort(tiny_parameters(), paths, ONE_WORKER), volumes_in(paths.curated)


def volumes_in(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.nii*")}


@pytest.fixture
def curated_volumes(paths):
    """Give what is curated now, by path, as bytes."""
    return lambda: volumes_in(paths.curated)

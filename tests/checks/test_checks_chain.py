"""The chain of manifests, on synthetic files."""

import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.checks import verify
from muscle_study.checks.chain import VerificationError, check_chain, read_manifests
from muscle_study.checks.rederive import elsewhere
from muscle_study.protocol.files import write_json, write_text
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import folder_hashes, manifest_of
from muscle_study.protocol.stages import STAGES
from muscle_study.running import lock
from muscle_study.running.parameters import load

#: Stage to the file that it writes.
WRITES = {
    "cohort": "data/tiny/raw/participants.csv",
    "curation": "data/tiny/curated/participants.csv",
    "training": "data/tiny/model/card.json",
    "inference": "data/tiny/segmentations/records.csv",
    "measurement": "data/tiny/measurements/measures.csv",
    "statistics": "reports/tiny/tables/measures.csv",
    "extensions": "reports/tiny/numbers/extensions.json",
    "report": "reports/tiny/manuscript.html",
}


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Return a run in which each stage reads what the one before it wrote."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    before = {}
    for stage in STAGES:
        file = tmp_path / WRITES[stage]
        write_text(f"of {stage}\n", file)
        written = folder_hashes([file.parent], paths)
        if stage == "report":
            written = {"reports/tiny": {file.name: written["reports/tiny"][file.name]}}
        write_json({"inputs": before, "outputs": written}, manifest_of(stage, paths))
        before = written
    return paths


def test_a_whole_chain_has_no_problem(paths):
    checked = check_chain(paths, read_manifests(paths))
    assert (checked.files, checked.problems, checked.notes) == (len(STAGES), [], [])


@pytest.mark.parametrize("stage", STAGES)
def test_a_file_that_changed_is_named_with_the_stage_that_wrote_it(paths, stage):
    write_text("changed\n", paths.output / WRITES[stage])
    (problem,) = check_chain(paths, read_manifests(paths)).problems
    assert problem == f"{WRITES[stage]} is not what {stage} wrote"


def test_a_file_that_is_gone_is_named(paths):
    (paths.output / WRITES["measurement"]).unlink()
    (problem,) = check_chain(paths, read_manifests(paths)).problems
    assert problem == f"{WRITES['measurement']} is missing"


def test_a_stage_that_read_something_older_is_named(paths):
    manifests = read_manifests(paths)
    manifests["statistics"]["inputs"]["data/tiny/measurements"]["measures.csv"] = "0" * 64
    (problem,) = check_chain(paths, manifests).problems
    assert problem.startswith(WRITES["measurement"]) and "run statistics again" in problem


def test_a_run_that_has_not_finished_is_refused(paths):
    manifest_of("statistics", paths).unlink()
    with pytest.raises(VerificationError, match=r"has not finished\. Run make all RUN=tiny"):
        read_manifests(paths)


def test_a_manifest_of_an_earlier_version_is_refused(paths):
    write_json({"inputs": {}, "outputs": {"a.csv": "0"}}, manifest_of("training", paths))
    with pytest.raises(VerificationError, match="earlier version"):
        read_manifests(paths)


def test_a_run_on_real_data_has_no_cohort(paths):
    manifest_of("cohort", paths).unlink()
    assert "cohort" not in read_manifests(paths)


# ---- where tables are derived again


def test_a_run_that_is_worked_on_is_not_verified(paths, monkeypatch):
    monkeypatch.setattr(lock, "PATIENCE_SECONDS", 0)
    with (
        lock.run_lock(paths.data, "inference"),
        pytest.raises(lock.RunLockedError, match="run tiny is being worked on: inference"),
    ):
        verify.verify("tiny", load("ci").cluster)


def test_tables_are_derived_where_workers_see_them_while_nobody_else_works(paths, monkeypatch):
    write_text("of one that was killed", paths.verification / "remains")
    for name in ("curated/files.csv", "curated/inventory.csv", "segmentations/records.csv"):
        columns = ["participant_id", "file", "sha256"]
        write_example(pd.DataFrame(columns=columns), paths.data / name)
    write_json(
        {"inputs": {}, "outputs": {}, "parameters": {"source": None, "layout": "cohort"}},
        manifest_of("curation", paths),
    )
    seen = {}

    def derive(of, _manifests, _cluster, folder):
        seen["empty"], seen["held"] = not list(folder.iterdir()), lock.is_held(of.data)
        with elsewhere(of, folder) as again:
            seen["places"] = again.data, {path.name for path in again.data.iterdir()}
        return []

    monkeypatch.setattr(verify, "derive_again", derive)
    verify.verify("tiny", load("ci").cluster)
    inputs = {"raw", "curated", "model", "segmentations"}
    assert seen == {
        "empty": True,
        "held": True,
        "places": (paths.data / "verification" / "data" / "tiny", inputs),
    }
    assert not paths.verification.exists() and (paths.segmentations / "records.csv").exists()

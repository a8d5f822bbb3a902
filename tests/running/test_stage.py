"""A stage opened by hand or by the runner, and results without a manifest."""

import pandas as pd
import pytest

from muscle_study.__main__ import main
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.provenance import hashes_of_results, manifest_of, write_manifest
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.publishing.result import Publisher, Result
from muscle_study.publishing.table import Table
from muscle_study.running.documents import ParameterError
from muscle_study.running.integrity import changed_results
from muscle_study.running.kernel import BY_RUNNER
from muscle_study.running.lock import RunLockedError, run_lock
from muscle_study.running.stage import open_stage


def publish_counts(paths, n, stage="statistics"):
    counts = pd.DataFrame({"n": [n]})
    Publisher(paths, stage, show=False)(Result("counts", Table(counts, counts, "Counts")))


@pytest.fixture
def paths(tmp_path, monkeypatch):
    """Return a run whose stages have ended; statistics has published a table."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("demo")
    publish_counts(paths, 5)
    for stage in NOTEBOOK_STAGES:
        results = hashes_of_results(stage, paths)
        write_manifest(manifest_of(stage, paths), stage, {}, {}, results, seconds=1, peak_mb=1)
    return paths


def files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_changed_value_by_hand_changes_nothing_of_the_run(paths, capsys):
    before = files(paths.output)
    stage = open_stage("statistics", "demo", {"statistics.min_cell_count": 1})
    assert stage.parameters.min_cell_count == 1
    publish_counts(stage.paths, 1)
    assert {name: data for name, data in files(paths.output).items() if name in before} == before
    assert (paths.output / "reports/demo-scratch/tables/counts.csv").read_text() == "n\n1\n"
    first, *_ = capsys.readouterr().out.splitlines()
    assert first.startswith("By hand: results go to reports/demo-scratch")


@pytest.mark.parametrize("name", NOTEBOOK_STAGES)
def test_by_hand_a_stage_reads_the_run_and_writes_the_scratch_run(paths, name):
    opened = open_stage(name, "demo", {}).paths
    scratch = {f"data/{opened.scratch_run}", f"reports/{opened.scratch_run}"}
    for other in NOTEBOOK_STAGES:
        for folder in opened.folders_of(other) or [opened.published(other)]:
            is_scratch = any((opened.output / place) in folder.parents for place in scratch)
            publishes = not NOTEBOOK_STAGES[name].writes and not NOTEBOOK_STAGES[other].writes
            assert is_scratch == (other == name or publishes), folder


def test_the_runner_and_an_explicit_wish_write_to_the_run(paths, monkeypatch):
    with run_lock(paths.data, "training"), pytest.raises(RunLockedError, match="worked on"):
        open_stage("curation", "demo", {}, scratch=False)
    assert open_stage("curation", "demo", {}, scratch=False).paths == paths
    monkeypatch.setenv(BY_RUNNER, "1")
    assert open_stage("curation", "demo", {}).paths == paths


def test_a_stage_shows_keys_values_and_what_differs():
    shown = open_stage("measurement", "demo", {"measurement.seed": 7})._repr_html_()
    assert "<b><code>seed</code></b></td><td><b>7</b>" in shown
    assert "<td><code>min_muscle_ml</code></td>" in shown


def test_a_run_without_the_section_has_no_such_stage(tmp_path):
    with pytest.raises(ParameterError, match="this run has no such stage"):
        open_stage("cohort", "totalsegmentator", {"curation.source": str(tmp_path)})


def test_a_table_edited_by_hand_is_refused_by_name(paths, capsys):
    table = paths.tables / "counts.csv"
    table.write_text("n\n6\n")
    assert changed_results("statistics", paths) == [
        "reports/demo/tables/counts.csv is not what statistics wrote"
    ]
    assert main(["report", "--run", "demo"]) == 1
    said = capsys.readouterr().err
    assert "reports/demo/tables/counts.csv is not what statistics wrote" in said
    assert "05_statistics.ipynb; make all RUN=demo" in said
    assert not (paths.reports / "manuscript.html").exists()


@pytest.mark.parametrize("name", ["statistics", "curation_check"])
def test_published_results_need_a_manifest(paths, capsys, name):
    publish_counts(paths, 6, name)
    manifest_of(name, paths).unlink(missing_ok=True)
    assert main(["report", "--run", "demo"]) == 1
    assert f"reports/demo/manifests/{name}.json is missing" in capsys.readouterr().err

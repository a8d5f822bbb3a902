import shutil

import nbformat
import pytest
from nbformat.v4 import new_code_cell

from muscle_study.protocol.files import write_json, write_text
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.protocol.provenance import manifest_of
from muscle_study.protocol.stages import STAGES
from muscle_study.running.status import progress_lines, why_redone


def announced(output):
    """Return the stages that `make -n` would run."""
    words = [line.split() for line in output.splitlines() if " -m muscle_study " in line]
    commands = [line[line.index("muscle_study") + 1 :] for line in words]
    stages = [command[1] if command[0] == "run" else command[0] for command in commands]
    return [stage for stage in stages if stage not in ("summary", "slices")]


def test_a_dry_run_shows_every_stage_of_the_run(make, tmp_path):
    done = make("-n", "all", "RUN=demo", f"OUT={tmp_path}")
    assert announced(done.stdout) == list(STAGES), done.stderr
    settings = ("RUN=totalsegmentator", f"OUT={tmp_path}", f"SET=curation.source={tmp_path}")
    assert announced(make("-n", "all", *settings).stdout) == list(STAGES)[1:]  # no cohort to make


def test_without_an_environment_a_dry_run_says_what_comes_first(make, tmp_path):
    done = make("-n", "all", "RUN=demo", f"OUT={tmp_path}", "PYTHON=/nowhere/python")
    assert done.returncode == 0, done.stderr
    assert "listed once the environment exists" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_wrong_parameter_stops_make_before_any_work(make, tmp_path):
    done = make("all", "RUN=ci", f"OUT={tmp_path}", "SET=training.segmenter.max_epoch=1")
    assert done.returncode != 0
    assert "Did you mean max_epochs?" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "reports").exists()


def test_a_run_that_does_not_exist_is_named(make, tmp_path):
    done = make("all", "RUN=dmo", f"OUT={tmp_path}")
    assert done.returncode != 0 and "params/dmo.yaml does not exist" in done.stderr


def test_help_lists_commands_and_each_of_them_exists(make):
    first, *lines = make("help").stdout.splitlines()
    assert "make COMMAND [RUN=" in first and len(lines) > 15
    for command, *words in map(str.split, lines):
        assert words, command
        done = make("-n", command, "PYTHON=/nowhere/python")
        assert "No rule to make target" not in done.stderr, command


def test_clean_keeps_what_is_costly_and_says_so(make, tmp_path):
    run = tmp_path / "data" / "ci"
    for folder in ("raw", "truth", "model", "curated", "segmentations", "analysis"):
        (run / folder).mkdir(parents=True)
    (tmp_path / "reports" / "ci").mkdir(parents=True)
    said = make("clean", "RUN=ci", f"OUT={tmp_path}").stdout
    assert {path.name for path in run.iterdir()} == {"raw", "truth", "model"}
    assert "Kept:" in said and str(run / "model") in said
    assert not (tmp_path / "reports" / "ci").exists()
    said = make("clean", "RUN=ci", f"OUT={tmp_path}", "ALL=1").stdout
    assert "Removing the trained model and the raw data" in said
    assert not list(run.iterdir())


def test_reasons_are_read_from_the_words_of_make(tmp_path):
    trace = (
        "Makefile:9: target '/r/02.ipynb' does not exist\n"
        "Makefile:9: update target '/r/03.ipynb' due to: notebooks/03.ipynb /r/02.ipynb\n"
    )
    reasons = {str(target): list(map(str, why)) for target, why in why_redone(trace).items()}
    assert reasons == {"/r/02.ipynb": [], "/r/03.ipynb": ["notebooks/03.ipynb", "/r/02.ipynb"]}


def test_how_far_a_stopped_stage_came_is_told_with_reasons():
    kept = {"said": "inference 5/9 · 2 excluded", "at": "2026-11-25T09:00:00+00:00",
            "excluded": {"io_error": 1, "time_limit": 1}}  # fmt: skip
    first, second = (line.strip() for line in progress_lines(kept))
    assert first == "inference 5/9 · 2 excluded (2026-11-25T09:00:00+00:00)"
    assert second == "excluded: 1 io_error, 1 time_limit"


# ---- participants who are tried again

#: Excludes the participants named in the file `slow`; the others have a record.
SEGMENT = """
from pathlib import Path
from muscle_study.protocol.paths import RunPaths
folder, slow = RunPaths(run).segmentations, set(Path({slow!r}).read_text().split())
folder.mkdir(parents=True, exist_ok=True)
out = [f"{{name}},inference,time_limit,slow\\n" for name in sorted(slow)]
kept = [f"{{name}}\\n" for name in sorted({{"1", "2", "3"}} - slow)]
(folder / "exclusions.csv").write_text("participant_id,stage,reason,detail\\n" + "".join(out))
(folder / "records.csv").write_text("participant_id\\n" + "".join(kept))
"""


class SmallStudy:
    """A checkout with small notebooks for inference and measurement; earlier stages are done."""

    def __init__(self, make, folder):
        self.make, self.root, self.paths = make, folder / "checkout", RunPaths("ci")
        self.slow = folder / "slow"
        hidden = shutil.ignore_patterns("__pycache__", "*.egg-info")
        for name in ("src", "params", "notebooks"):
            shutil.copytree(ROOT / name, self.root / name, ignore=hidden)
        for name in ("Makefile", "pyproject.toml"):
            shutil.copy(ROOT / name, self.root)
        self.settings = ("RUN=ci", f"OUT={folder}")
        make("-n", "all", *self.settings, root=self.root)  # writes the slices
        for stage in ("cohort", "curation", "training"):
            write_json({"outputs": {}}, manifest_of(stage, self.paths))
            write_text("", self.paths.target(stage))
        for stage, source in {
            "inference": SEGMENT.format(slow=str(self.slow)),
            "measurement": "from muscle_study.measurement import measures",
        }.items():
            path = self.root / "notebooks" / f"{STAGES[stage].notebook}.ipynb"
            notebook = nbformat.read(path, as_version=4)
            (values,) = [cell for cell in notebook.cells if cell.id == "parameters"]
            notebook.cells = [values, new_code_cell(source)]
            nbformat.write(notebook, path)

    def ran(self, slow=""):
        """Make up to measurement, while some are slow; return the stages that ran."""
        self.slow.write_text(slow)
        target = str(self.paths.target("measurement"))
        done = self.make(target, *self.settings, root=self.root)
        assert done.returncode == 0, done.stdout + done.stderr
        return [line.split("]")[0][1:] for line in done.stdout.splitlines() if "] done" in line]

    def states(self):
        said = self.make("status", *self.settings, root=self.root).stdout
        return {line.split()[0]: line.split(maxsplit=1)[1] for line in said.splitlines()}


@pytest.fixture
def small_study(make, tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    return SmallStudy(make, tmp_path)


def test_only_a_module_that_the_notebook_reaches_makes_its_stage_stale(small_study):
    assert small_study.ran() == ["inference", "measurement"]
    package = small_study.root / "src" / "muscle_study"
    for name in ("running/status.py", "mapping/batches.py", "measurement/agreement.py"):
        (package / name).touch()
    assert small_study.ran() == []
    (package / "measurement" / "measures.py").touch()
    assert small_study.states()["measurement"] == "stale, due to measures.py"
    assert small_study.ran() == ["measurement"]


def test_status_names_what_was_changed_by_hand(small_study):
    small_study.ran()
    (small_study.paths.segmentations / "records.csv").write_text("participant_id\n")
    state = small_study.states()["inference"]
    assert "data/ci/segmentations/records.csv is not what inference wrote" in state
    assert state.endswith("03_inference.ipynb; make all RUN=ci")


def test_who_is_tried_again_in_vain_redoes_one_stage_and_who_is_recovered_those_behind(small_study):
    assert small_study.ran(slow="1 2") == ["inference", "measurement"]
    states = small_study.states()
    assert states["inference"].startswith("done, but for participants who are to be tried again: 2")
    assert states["measurement"] == "done"
    assert states["next:"] == "inference, statistics, extensions, report"

    left = [small_study.paths.target("inference"), manifest_of("inference", small_study.paths)]
    before = [path.read_bytes() for path in left]
    assert small_study.ran(slow="1 2") == ["inference"]
    assert [path.read_bytes() for path in left] == before

    assert small_study.ran() == ["inference", "measurement"]
    assert small_study.ran() == []
    assert not list(small_study.paths.data.rglob("*.again"))


# ---- on the finished smallest run


@pytest.mark.run
def test_a_second_run_does_nothing(make, ci_run, ci_output):
    before = {path: path.stat().st_mtime_ns for path in ci_run.reports.rglob("*")}
    done = make("all", "RUN=ci", f"OUT={ci_output}")
    assert done.returncode == 0, done.stderr
    assert "Run ci (synthetic)" in done.stdout and "started" not in done.stdout
    assert {path: path.stat().st_mtime_ns for path in ci_run.reports.rglob("*")} == before


@pytest.mark.run
@pytest.mark.parametrize(
    ("changed", "first"),
    [
        ("cohort.imaging.noise_sd=0.05", "cohort"),
        ("training.segmenter.max_epochs=3", "training"),
        ("measurement.min_muscle_ml=6", "measurement"),
        ("report.title=Another", "report"),
    ],
)
def test_a_stage_and_those_after_it_are_redone_for_its_parameter(
    make, ci_run, ci_output, changed, first
):
    stages = list(STAGES)
    redone = announced(make("-n", "all", "RUN=ci", f"OUT={ci_output}", f"SET={changed}").stdout)
    assert redone == stages[stages.index(first) :]
    assert announced(make("-n", "all", "RUN=ci", f"OUT={ci_output}").stdout) == []


@pytest.mark.run
def test_where_participants_are_worked_on_redoes_nothing(make, ci_run, ci_output):
    done = make("-n", "all", "RUN=ci", f"OUT={ci_output}", "SET=cluster.workers=1")
    assert done.returncode == 0 and announced(done.stdout) == []


@pytest.mark.run
def test_status_tells_what_is_stale_and_why(make, ci_run, ci_output):
    said = make("status", "RUN=ci", f"OUT={ci_output}").stdout
    assert [line.split()[1] for line in said.splitlines()] == ["done"] * len(STAGES)
    said = make("status", "RUN=ci", f"OUT={ci_output}", "SET=measurement.min_muscle_ml=6").stdout
    states = {line.split()[0]: line.split(maxsplit=1)[1] for line in said.splitlines()}
    assert states["inference"] == "done"
    assert states["measurement"] == "stale, due to measurement.json"
    assert states["statistics"] == "stale, due to measurement"


@pytest.mark.run
def test_a_failed_stage_is_kept_apart_told_and_redone(make, ci_run, tmp_path, monkeypatch):
    shutil.copytree(ci_run.output, tmp_path / "copy")
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "copy"))
    paths = RunPaths("ci")
    settings = ("RUN=ci", f"OUT={paths.output}", "SET=statistics.min_cell_count=3")
    measures = paths.measurements / "measures.csv"
    measures.rename(paths.measurements / "aside")

    failing = make("all", *settings)
    assert failing.returncode != 0
    assert "statistics failed in notebooks/05_statistics.ipynb, cell" in failing.stderr
    assert "measures.csv is missing" in failing.stderr
    assert (paths.notebooks / "05_statistics.failed.ipynb").exists()
    assert not (paths.notebooks / "05_statistics.ipynb").exists()
    said = make("status", *settings).stdout
    assert "statistics   failed: FileNotFoundError" in said and "measurement  done" in said

    (paths.measurements / "aside").rename(measures)
    mended = make("all", *settings)
    assert mended.returncode == 0, mended.stderr
    assert "[statistics] done" in mended.stdout and "[measurement]" not in mended.stdout
    assert not (paths.notebooks / "05_statistics.failed.ipynb").exists()


@pytest.mark.run
def test_executed_notebooks_show_no_path_of_this_machine(ci_run, ci_output):
    for path in ci_run.notebooks.glob("*.ipynb"):
        assert str(ci_output) not in path.read_text(), path.name

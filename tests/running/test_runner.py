import ast
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from muscle_study.__main__ import main
from muscle_study.protocol.paths import NOTEBOOKS, RunPaths
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.running.notebooks import NotebookError, check_notebook, without_machine
from muscle_study.running.retry import to_try_again
from muscle_study.running.runner import StageError, check_inputs, execute

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}


def notebook(*sources, tag_at=0, kernel="python3"):
    cells = [new_markdown_cell("A story.")]
    for number, source in enumerate(sources):
        tags = {"tags": ["parameters"]} if number == tag_at else {}
        cells.append(new_code_cell(source, id=f"cell-{number}", metadata=tags))
    metadata = {"kernelspec": {**KERNEL["kernelspec"], "name": kernel}}
    return new_notebook(cells=cells, metadata=metadata)


@pytest.fixture
def run(tmp_path):
    """Return a function that executes a small notebook into `tmp_path / "out"`."""

    def run_notebook(*sources, values=None, finish=lambda: None):
        source = tmp_path / "07_small.ipynb"
        nbformat.write(notebook(*sources), source)
        values = {"x": 1} if values is None else values
        return execute("small", source, values, tmp_path / "out", {tmp_path: "<tmp>"}, finish)

    return run_notebook


# ---- the parameters cell


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (notebook("x = 1", tag_at=None), "0 cells are tagged 'parameters'"),
        (notebook("import os", "x = 1", tag_at=1), "tag the first code cell"),
        (notebook("x = 1\ny = x + 1"), "has 'y = x \\+ 1'; it may hold plain values only"),
        (notebook("x: int = 1"), "plain values only"),
        (notebook("x = 1\ny = 2"), "the parameters cell assigns x, y; the runner gives x"),
        (notebook("x = 1", kernel="other"), "the kernel is other; set kernelspec.name to python3"),
    ],
)
def test_a_notebook_that_papermill_would_run_wrongly_is_refused(broken, message):
    with pytest.raises(NotebookError, match=message):
        check_notebook(broken, {"x": 1}, "n")


def test_two_tagged_cells_are_refused():
    twice = notebook("x = 1", "x = 2")
    twice.cells[2].metadata["tags"] = ["parameters"]
    with pytest.raises(NotebookError, match="2 cells are tagged"):
        check_notebook(twice, {"x": 1}, "n")


def test_only_what_may_pass_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    assert to_try_again("inference", paths) == {}
    paths.segmentations.mkdir(parents=True)
    (paths.segmentations / "exclusions.csv").write_text(
        "participant_id,stage,reason,detail\n1,inference,time_limit,\n2,inference,io_error,\n"
        "3,inference,time_limit,\n4,inference,unreadable_image,\n"
    )
    assert to_try_again("inference", paths) == {"io_error": 1, "time_limit": 2}


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_what_a_notebook_imports_exists(path):
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    imports = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom)]
    assert imports
    exec("\n".join(map(ast.unparse, imports)), {})  # an ImportError names what is missing


@pytest.mark.parametrize("stage", NOTEBOOK_STAGES.values(), ids=lambda stage: stage.name)
def test_no_value_of_a_parameter_file_stands_in_a_notebook(stage):
    source = nbformat.read(NOTEBOOKS / f"{stage.notebook}.ipynb", as_version=4)
    parameters, setup, *_ = (cell.source for cell in source.cells if cell.cell_type == "code")
    assert parameters == 'run = "demo"\nchanges = {}'
    assert f'stage = open_stage("{stage.name}", run, changes)' in setup


# ---- execution


def test_a_finished_notebook_holds_its_parameters_and_no_path_of_the_machine(run, tmp_path):
    copy = run(
        "x = 1",
        "import sys, warnings\nprint(x, sys.executable)\nwarnings.warn('seen')",
        f"print({str(tmp_path)!r} + '/file')",
        values={"x": 41},
    )
    text = copy.read_text()
    assert "41" in text and "seen" in text and "<tmp>/file" in text
    assert str(tmp_path) not in text and sys.prefix not in text and "ipykernel_" not in text
    assert [path.name for path in copy.parent.iterdir()] == ["07_small.ipynb"]


def test_a_copy_is_as_old_as_its_start(run):
    before = time.time()
    copy = run("x = 1", "import time; time.sleep(1)")
    assert before - 0.1 <= copy.stat().st_mtime < before + 1


def test_a_failure_names_cell_and_error_and_keeps_the_notebook_apart(run):
    copy = run("x = 1", "good = True")
    with pytest.raises(StageError) as caught:
        run("x = 1", "def dig():\n    raise ValueError('no such muscle')", "dig()")
    message = str(caught.value)
    assert "small failed in notebooks/07_small.ipynb" in message
    assert "(cell-2)" in message and "    dig()" in message
    assert "ValueError: no such muscle" in message and "\x1b" not in message
    assert [path.name for path in copy.parent.iterdir()] == ["07_small.failed.ipynb"]
    run("x = 1", "good = True")
    assert [path.name for path in copy.parent.iterdir()] == ["07_small.ipynb"]


def test_a_kernel_that_dies_is_a_failure(run):
    with pytest.raises(StageError, match="the kernel died"):
        run("x = 1", "import os; os._exit(1)")


def test_a_copy_appears_only_after_all_else_is_done(run, tmp_path):
    def finish():
        assert not (tmp_path / "out" / "07_small.ipynb").exists()
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        run("x = 1", finish=finish)
    assert not (tmp_path / "out" / "07_small.ipynb").exists()


def test_another_kernel_of_the_same_name_is_not_used(run, tmp_path, monkeypatch):
    decoy = tmp_path / "jupyter" / "kernels" / "python3"
    decoy.mkdir(parents=True)
    spec = {"argv": ["/bin/false"], "display_name": "Decoy", "language": "python"}
    (decoy / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    assert run("x = 1").exists()


def test_a_log_gets_plain_lines(run, capsys):
    run("x = 1", "print('inference 3/7')\nprint('inference 7/7')")
    lines = capsys.readouterr().out.splitlines()
    assert lines[:3] == ["[small] started", "[small] inference 3/7", "[small] inference 7/7"]
    assert lines[-1].startswith("[small] done in 0:")


KILLED = """
import sys
from pathlib import Path
from muscle_study.running.runner import execute
source = Path(sys.argv[1])
execute("small", source, {"x": 1}, source.parent / "out", {}, lambda: None)
"""


def alive(pid):
    status = Path("/proc", str(pid), "status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
def test_nothing_goes_on_when_make_is_killed(tmp_path):
    source, pids = tmp_path / "small.ipynb", tmp_path / "pids"
    work = (
        "import os, pathlib, subprocess, time\n"
        "worker = subprocess.Popen(['sleep', '300'])\n"
        "pids = f'{os.getppid()} {os.getpid()} {worker.pid}'\n"
        f"pathlib.Path({str(pids)!r}).write_text(pids)\n"
        "time.sleep(300)"
    )
    nbformat.write(notebook("x = 1", work), source)
    # the shell stands for make: it waits for the runner, and is killed
    command = f'"{sys.executable}" -c "$CODE" "{source}"; true'
    environment = {**os.environ, "MAKELEVEL": "1", "CODE": KILLED}
    shell = subprocess.Popen(["/bin/sh", "-c", command], env=environment, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not (pids.exists() and len(pids.read_text().split()) == 3):
        assert shell.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    running = [int(pid) for pid in pids.read_text().split()]
    assert all(alive(pid) for pid in running)
    os.kill(shell.pid, signal.SIGKILL)
    shell.wait()
    deadline = time.monotonic() + 20
    while any(alive(pid) for pid in running) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [pid for pid in running if alive(pid)]


def test_paths_are_cut_longest_first():
    text = notebook("x = 1")
    text.cells[1].outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="/repo/out/a /repo/b")
    ]
    folders = {Path("/repo"): "<repository>", Path("/repo/out"): "<output>"}
    assert without_machine(text, folders).cells[1].outputs[0].text == "<output>/a <repository>/b"


# ---- stages


def test_a_stage_names_the_one_to_run_before_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    with pytest.raises(StageError, match=r"training reads what curation writes.*make all RUN=demo"):
        check_inputs("training", ["curation"], RunPaths("demo"))


def test_mistakes_end_in_a_message_without_a_traceback(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    assert main(["run", "inference", "--run", "demo"]) == 1
    assert main(["slices", "--run", "demo", "--set", "training.segmenter.max_epoch=1"]) == 1
    error = capsys.readouterr().err
    assert "curation has not finished" in error and "Did you mean max_epochs?" in error
    assert "Traceback" not in error

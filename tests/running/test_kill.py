"""A run killed at any moment and restarted gives the same tables, byte for byte."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import ROOT

SECONDS_AT_MOST = 600


def make_itself(process: subprocess.Popen) -> None:
    process.kill()


def kernel(process: subprocess.Popen) -> None:
    for child in psutil.Process(process.pid).children(recursive=True):
        if "ipykernel_launcher" in child.cmdline():
            child.kill()


def kill_when(
    reached: Callable[[], bool],
    output: Path,
    victim: Callable[[subprocess.Popen], None],
    environment: dict[str, str],
) -> str:
    """Start `make all RUN=ci`, kill the victim once `reached` says so; return what make said."""
    with (output / "make.log").open("a") as log:
        process = subprocess.Popen(
            ["make", "all", "RUN=ci", "SET=", f"OUT={output}", f"PYTHON={sys.executable}"],
            cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            for _ in range(SECONDS_AT_MOST * 20):
                if reached():
                    break
                assert process.poll() is None, (output / "make.log").read_text()
                time.sleep(0.05)
            else:
                pytest.fail(f"not reached: {(output / 'make.log').read_text()}")
            victim(process)
            process.wait(SECONDS_AT_MOST)
        finally:
            process.kill()
            process.wait()
    return (output / "make.log").read_text()


def results(output: Path) -> dict[str, bytes]:
    """Return every table, figure, number and weight of the run, but what tells of its duration."""
    reports = output / "reports" / "ci"
    folders = [output / "data" / "ci", *(reports / name for name in ("tables", "figures"))]
    endings = {".csv", ".json", ".safetensors", ".svg", ".md"}
    files = [path for folder in folders for path in folder.rglob("*") if path.suffix in endings]
    # seconds, and what was waited
    timed = {"manifest.json", "records.csv", "timing.csv", "finished.json"}
    found = {
        str(path.relative_to(output)): path.read_bytes()
        for path in files
        if path.name not in timed
        and "records" not in path.parts
        and not path.name.startswith("cost.")
    }
    numbers = read_json(reports / "numbers" / "statistics.json")
    untimed = {
        name: number
        for name, number in numbers.items()
        if name != "model.minutes" and not name.startswith("cost.")
    }
    return found | {"numbers": json.dumps(untimed).encode()}


@pytest.mark.run
def test_killed_as_make_and_as_notebook_it_gives_the_same_tables(
    make, environment, ci_output, tmp_path
):
    run, own = tmp_path / "data" / "ci", environment()
    kill_when(lambda: (run / "model" / "checkpoints").exists(), tmp_path, make_itself, own)
    assert not (run / "model" / "manifest.json").exists()
    said = kill_when(lambda: any((run / "segmentations").glob("*.nii.gz")), tmp_path, kernel, own)
    assert "inference failed" in said and "the kernel died" in said
    assert not (run / "segmentations" / "manifest.json").exists()
    done = make("all", "RUN=ci", f"OUT={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert "[cohort]" not in done.stdout  # what was finished is not done again
    undisturbed, resumed = results(ci_output), results(tmp_path)
    assert len(resumed) > 40
    assert set(resumed) == set(undisturbed)
    assert [name for name in resumed if resumed[name] != undisturbed[name]] == []

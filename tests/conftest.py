"""Shared fixtures: `make` in a clean environment, and the smallest run, made once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dask.distributed import LocalCluster

from example_parameters import section
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.running.parameters import load

#: Longer than any test takes, so that one that hangs names itself.
SECONDS_AT_MOST = 1200


#: Limits that Dask's nannies write into the environment of whoever starts them, as they were before
#: any test: the number of threads changes a training's rounding.
LIMITS = {
    name: os.environ.get(name)
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
}


def environment_of_make() -> dict[str, str]:
    """Return the environment without what make, a run or an earlier test has put into it."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("MAKE")
        and name not in ("SET", "RUN", "OUT", "MUSCLE_STUDY_OUTPUT", *LIMITS)
    }
    return own | {name: value for name, value in LIMITS.items() if value is not None}


def run_make(*arguments: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run make in a checkout on this Python, whatever make or run the tests were started by."""
    return subprocess.run(
        ["make", f"PYTHON={sys.executable}", *arguments],
        cwd=root,
        env=environment_of_make() | {"PYTHONPATH": str(root / "src")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS_AT_MOST,
        check=False,
    )


@pytest.fixture(scope="session")
def make():
    return run_make


@pytest.fixture(scope="session")
def environment():
    return environment_of_make


@pytest.fixture(scope="module")
def cluster():
    """Yield where to work: one worker in this process, which starts at once."""
    with LocalCluster(
        n_workers=1, processes=False, threads_per_worker=1, dashboard_address=":0"
    ) as local:
        here = {"kind": "address", "workers": 1, "address": local.scheduler_address}
        yield load("ci").cluster.model_copy(update=here)


@pytest.fixture(scope="session")
def ci_output(tmp_path_factory) -> Path:
    """The folder of a finished `make all RUN=ci`."""
    output = tmp_path_factory.mktemp("ci")
    done = run_make("all", "RUN=ci", f"OUT={output}")
    assert done.returncode == 0, done.stdout + done.stderr
    (output / "make.log").write_text(done.stdout)
    return output


@pytest.fixture
def ci_run(ci_output, monkeypatch) -> RunPaths:
    """Paths of the smallest run. Tests read them, and leave them as they are."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(ci_output))
    return RunPaths("ci")


@pytest.fixture
def network():
    """Return parameters of a network for volumes of 4 mm."""
    return section(
        "training.segmenter",
        spacing_mm=[4.0, 4.0, 4.0], patch_size=[16, 16, 16], features=[4, 8, 8],
        strides=[[2, 2, 2], [2, 2, 2]], patches_per_volume=2, max_epochs=2, validate_every=1,
        learning_rate=0.01, tile_voxels=100_000,
    )  # fmt: skip


@pytest.fixture
def parameters(network):
    """Return parameters of a short training on water and fat."""
    localiser = network.model_copy(
        update={"spacing_mm": [8.0, 8.0, 8.0], "patch_size": [12, 12, 12]}
    )
    return section(
        "training",
        localiser=localiser, segmenter=network, loader_workers=0, weight_decay=0.0,
        augmentation={"flip": 0.5, "noise": 0.5}, accelerator="cpu", seed=4,
    )  # fmt: skip

"""Inference through a real SLURM: a controller and a node on this machine, jobs from sbatch."""

import os
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pandas as pd
import pytest

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.paths import ROOT

SECONDS_AT_MOST = 300
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "squeue", "sinfo")

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=test Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


@contextmanager
def daemon(*command: str, log: Path, user: str | None = None):
    """Run a program in the foreground of its own process; end it by its id."""
    with log.open("w") as written:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=written, stderr=written, user=user, group=user
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]


def wait_until(reached, processes, folder):
    for _ in range(SECONDS_AT_MOST * 5):
        if reached():
            return
        if all(process.poll() is None for process in processes):
            time.sleep(0.2)
            continue
        break
    logs = "\n".join(f"{log.name}: {log.read_text()[-2000:]}" for log in folder.glob("*.log"))
    pytest.fail(f"SLURM did not come up: {logs}")


@pytest.fixture
def slurm(monkeypatch):
    """The folder of a running SLURM, which sbatch finds."""
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} missing: apt-get install slurm-wlm munge (Debian)")
    if os.geteuid():
        pytest.skip("SLURM's node needs root")
    # not pytest's folder, which munge's user may not enter
    with tempfile.TemporaryDirectory() as name, ExitStack() as running:
        folder = Path(name)
        folder.chmod(0o755)
        ours = folder / "munge"
        ours.mkdir(mode=0o755)
        key = ours / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o400)
        for path in (ours, key):
            shutil.chown(path, "munge", "munge")
        for state in ("state", "spool"):
            (folder / state).mkdir()
        configuration = folder / "slurm.conf"
        configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().partition(".")[0],
                folder=folder,
                controller_port=free_port(),
                node_port=free_port(),
            ).replace(f"{folder}/munge.socket", f"{ours}/munge.socket")
        )
        monkeypatch.setenv("SLURM_CONF", str(configuration))
        files = {"socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log",
                 "seed-file": "munged.seed", "key-file": "munge.key"}  # fmt: skip
        options = [f"--{option}={ours / file}" for option, file in files.items()]
        processes = [
            running.enter_context(
                daemon("munged", "--foreground", *options, log=folder / "munged.log", user="munge")
            )
        ]
        wait_until((ours / "munge.socket").exists, processes, folder)
        for program in ("slurmctld", "slurmd"):
            log = folder / f"{program}.log"
            processes.append(running.enter_context(daemon(program, "-D", log=log)))
        wait_until(lambda: "idle" in said("sinfo", "--noheader"), processes, folder)
        yield folder
        # by the cluster's end its jobs are cancelled; the node must live until they are gone
        wait_until(lambda: not said("squeue", "--noheader"), processes, folder)


def said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip()


@pytest.mark.run
def test_inference_through_sbatch_gives_the_same(slurm, ci_run, tmp_path):
    shutil.copytree(ci_run.data, tmp_path / "data" / "ci")
    segmentations = tmp_path / "data" / "ci" / "segmentations"
    shutil.rmtree(segmentations)
    jobs = tmp_path / "jobs"
    settings = [
        "cluster.kind=slurm",
        "cluster.workers=2",
        'cluster.slurm={queue: test, memory: 1 GB, walltime: "00:20:00", '
        # this node has no memory to hand out, and one network
        "job_directives_skip: [--mem], scheduler_options: {host: 127.0.0.1}, "
        f"log_directory: {jobs}}}",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "muscle_study", "run", "inference", "--run", "ci",
         *(argument for setting in settings for argument in ("--set", shlex.quote(setting)))],
        cwd=ROOT,
        env=os.environ | {"MUSCLE_STUDY_OUTPUT": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=SECONDS_AT_MOST * 3,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(jobs.glob("*.out"))  # of jobs that SLURM started
    maps = {path.name: path.read_bytes() for path in ci_run.segmentations.glob("*.nii.gz")}
    assert {path.name: path.read_bytes() for path in segmentations.glob("*.nii.gz")} == maps
    pd.testing.assert_frame_equal(
        read_table(segmentations / "records.csv").drop(columns="seconds"),
        read_table(ci_run.segmentations / "records.csv").drop(columns="seconds"),
    )
    own, first = (read_json(folder / "manifest.json")
                  for folder in (segmentations, ci_run.segmentations))  # fmt: skip
    assert own["parameters"] == first["parameters"]

"""Failures of a long run lose no participant, and the next run completes as if undisturbed."""

import errno
import json
import os
import pickle
import platform
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from example_tables import write_example
from faulty_work import Work
from muscle_study.__main__ import main
from muscle_study.mapping.batches import Batch, MapSettings, run_batch
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.code_version import Code
from muscle_study.mapping.records import Recorded
from muscle_study.mapping.task_result import MapStoppedError
from muscle_study.mapping.worker_process import Limits
from muscle_study.running.lock import RunLockedError, is_held, run_lock
from muscle_study.running.parameters import load

PEOPLE = 24
SEED = 20261125
SECONDS_AT_MOST = 120

STAGE = "faults"

#: For processes that find the tests' modules too.
ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


class Cohort:
    """A simulated cohort in a folder, with one bad participant."""

    def __init__(self, folder: Path):
        self.folder, self.work = folder, Work(folder)
        self.random = random.Random(SEED)
        self.names = [f"{number:06}" for number in range(100_001, 100_001 + PEOPLE)]
        self.bad, self.hit, *_ = self.random.sample(self.names, 2)
        (folder / "inputs").mkdir(parents=True)
        (folder / "troubles").mkdir()
        for name in self.names:
            text = "bad" if name == self.bad else str(self.random.random())
            self.work.input_of(name).write_text(text)

    def trouble(self, kind: str, names: list[str] | None = None) -> None:
        for name in names or [self.hit]:
            (self.folder / "troubles" / name).write_text(kind)

    def no_trouble(self) -> None:
        for trouble in (self.folder / "troubles").iterdir():
            trouble.unlink()

    def run(self, cluster, **changes) -> dict[str, str]:
        """Map the work; write the tables; return the reasons of those who were set aside."""
        records, exclusions = map_participants(
            STAGE,
            self.work.do,
            {name: name for name in self.names},
            cluster.model_copy(update=changes),
            records=self.work.records,
            folders=[self.folder / "inputs", self.folder / "results"],
        )
        assert len(records) + len(exclusions) == PEOPLE
        write_example(records.drop(columns="seconds"), self.folder / "records.csv")
        write_example(exclusions, self.folder / "exclusions.csv")
        return dict(exclusions[["participant_id", "reason"]].to_numpy().tolist())

    def written(self) -> dict[str, bytes]:
        """Return every table and result, whole or half."""
        files = [*self.folder.glob("*.csv"), *(self.folder / "results").iterdir()]
        return {path.name: path.read_bytes() for path in files}

    def work_ids(self) -> list[tuple[int, int]]:
        """Return who worked so far: process, and Dask's worker."""
        started = (self.folder / "started").glob("*")
        return [tuple(map(int, text.split())) for text in (path.read_text() for path in started)
                if text]  # fmt: skip


@pytest.fixture
def cohort(tmp_path):
    return Cohort(tmp_path / "cohort")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, cluster):
    """What a run leaves that nothing happens to."""
    cohort = Cohort(tmp_path_factory.mktemp("undisturbed") / "cohort")
    assert cohort.run(cluster) == {cohort.bad: "unreadable_image"}
    return cohort.written()


def wait_until(reached, what="it"):
    for _ in range(SECONDS_AT_MOST * 20):
        if reached():
            return
        time.sleep(0.05)
    pytest.fail(f"{what} was not reached in {SECONDS_AT_MOST} s")


def is_alive(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


# ---- a participant


@pytest.mark.parametrize(
    ("kind", "reason", "limits"),
    [
        ("hang", "time_limit", {"time_limit_minutes": 0.03}),
        ("fill", "memory_limit", {"memory_limit_gb": 0.4}),
        ("crash", "worker_lost", {}),
        ("unreadable", "io_error", {}),
    ],
)
def test_one_participant_is_singled_out_and_tried_again_by_the_next_run(
    cohort, cluster, undisturbed, kind, reason, limits
):
    cohort.trouble(kind)
    excluded = cohort.run(cluster, retries=1, **limits)
    assert excluded == {cohort.bad: "unreadable_image", cohort.hit: reason}
    cohort.no_trouble()
    assert cohort.run(cluster) == {cohort.bad: "unreadable_image"}
    assert cohort.written() == undisturbed


def test_who_breaks_the_process_breaks_nobody_elses_work(cohort, cluster, undisturbed):
    cohort.trouble("break")
    excluded = cohort.run(cluster, retries=0)
    assert excluded == {cohort.bad: "unreadable_image", cohort.hit: "unexpected_error"}
    cohort.no_trouble()
    assert cohort.run(cluster) == {cohort.bad: "unreadable_image"}
    assert cohort.written() == undisturbed


@pytest.mark.parametrize("kind", ["crash", "unreadable", "break"])
def test_what_passes_excludes_nobody(cohort, cluster, undisturbed, kind):
    cohort.trouble(f"{kind} once", cohort.random.sample(cohort.names, 3))
    assert cohort.run(cluster, retries=1) == {cohort.bad: "unreadable_image"}
    assert cohort.written() == undisturbed


def test_a_process_that_cannot_be_started_for_once_costs_nobody(
    cohort, cluster, undisturbed, monkeypatch
):
    start, failures = subprocess.Popen, [OSError(errno.ENOMEM, "Cannot allocate memory")]

    def start_or_fail(*arguments, **keywords):
        if failures:
            raise failures.pop()
        return start(*arguments, **keywords)

    cohort.trouble("crash once", cohort.names[5:6])  # another process is needed within a batch
    monkeypatch.setattr("muscle_study.mapping.worker_process.subprocess.Popen", start_or_fail)
    assert cohort.run(cluster, retries=1) == {cohort.bad: "unreadable_image"}
    assert not failures
    assert cohort.written() == undisturbed


def test_a_finished_run_does_nothing_again(cohort, cluster):
    cohort.run(cluster)
    before = {path: path.stat().st_mtime_ns for path in cohort.folder.rglob("*0*")}
    cohort.trouble("crash", cohort.names)  # every participant would crash
    assert cohort.run(cluster) == {cohort.bad: "unreadable_image"}
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_file_that_was_touched_is_read_again_and_not_worked_on(cohort, cluster, undisturbed):
    cohort.run(cluster)
    cohort.work.input_of(cohort.hit).touch()
    recorded = Recorded(cohort.work.do, cohort.work.records)
    assert recorded.recall((cohort.hit, cohort.hit)) is None
    cohort.trouble("crash", cohort.names)
    assert cohort.run(cluster, retries=0) == {cohort.bad: "unreadable_image"}
    assert recorded.recall((cohort.hit, cohort.hit)) is not None
    assert cohort.written() == undisturbed


# ---- everybody


def test_where_everyone_fails_the_run_stops(cohort, cluster, undisturbed):
    cohort.trouble("unreadable", cohort.names)
    with pytest.raises(MapStoppedError, match=r"20 participants in a row failed, .*Input/output"):
        cohort.run(cluster)
    cohort.no_trouble()
    cohort.run(cluster)
    assert cohort.written() == undisturbed


def test_a_few_who_fail_whatever_is_tried_do_not_stop_the_run(cohort, cluster, monkeypatch):
    monkeypatch.setattr("muscle_study.mapping.dispatch.FIRST_PAUSE_SECONDS", 0.0)
    hopeless = [name for name in cohort.names if name != cohort.bad][-8:]
    cohort.trouble("unreadable", hopeless)
    excluded = cohort.run(cluster, retries=3)  # the last 24 attempts all fail
    assert excluded == {cohort.bad: "unreadable_image"} | dict.fromkeys(hopeless, "io_error")


@pytest.mark.parametrize("folder", ["inputs", "results"])
def test_a_folder_that_vanishes_stops_the_run(cohort, cluster, undisturbed, folder):
    cohort.trouble("slow", cohort.names)  # so that batches are small
    cohort.trouble(f"{folder} once", cohort.names[:1])
    with pytest.raises(MapStoppedError, match=rf"{folder} vanished on .* file system mounted"):
        cohort.run(cluster)
    assert len(cohort.work_ids()) < PEOPLE / 2
    shutil.rmtree(cohort.folder / folder)
    (cohort.folder / "unmounted").rename(cohort.folder / folder)
    cohort.no_trouble()
    cohort.run(cluster)
    assert cohort.written() == undisturbed


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_worker_looks_for_the_folders_before_and_after_its_work(tmp_path, when):
    """Those of another machine may be gone while ours are there."""
    folder = tmp_path / "results"
    if when == "meanwhile":
        folder.mkdir()
    settings = MapSettings(
        when,
        Code.behind(Work(folder).do),
        pickle.dumps(os.rmdir),
        Limits(1, 1.0, None),
        gpus=None,
        folders=(folder,),
    )
    results, _ = run_batch(Batch(settings, (("a", pickle.dumps(folder)), ("b", b"")), pause=0))
    assert [result.stops for result in results] == [True]
    assert results[0].detail.startswith(f"{folder} vanished on {platform.node()} ")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB, which half of the cohort fills."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small tmpfs is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_stops_the_run(cohort, cluster, undisturbed, small_disk):
    (cohort.folder / "results").symlink_to(small_disk)
    with pytest.raises(MapStoppedError, match=r"No space left on device .*then run again"):
        cohort.run(cluster)
    before = {path.name: path.read_bytes() for path in small_disk.iterdir()}
    assert 0 < len(before) < PEOPLE
    assert before.items() <= undisturbed.items()  # none is cut short
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    cohort.run(cluster)
    assert cohort.written() == undisturbed


# ---- processes that are killed


def test_a_worker_that_is_killed_costs_nobody(cohort, undisturbed):
    here = load("ci").cluster.model_copy(update={"workers": 1})
    cohort.trouble("slow", cohort.names)

    killed = []

    def kill() -> None:
        wait_until(cohort.work_ids, "the first participant")
        killed.append(cohort.work_ids()[0][1])
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    assert cohort.run(here) == {cohort.bad: "unreadable_image"}
    killer.join()
    assert {worker for _, worker in cohort.work_ids()} - set(killed)  # another one came for it
    assert cohort.written() == undisturbed


def test_one_who_takes_the_worker_along_costs_nobody_else(cohort, undisturbed):
    here = load("ci").cluster.model_copy(update={"workers": 1, "retries": 1})
    hit = next(name for name in cohort.names[3:] if name != cohort.bad)  # not alone in a batch
    cohort.trouble("crash_worker", [hit])
    assert cohort.run(here) == {cohort.bad: "unreadable_image", hit: "worker_lost"}
    cohort.no_trouble()
    assert cohort.run(here) == {cohort.bad: "unreadable_image"}
    assert cohort.written() == undisturbed


RUN = """
import sys
from pathlib import Path
from faulty_work import Work
from muscle_study.mapping.cluster import map_participants
from muscle_study.running.parameters import load
work = Work(Path(sys.argv[1]))
names = sorted(path.name for path in (work.folder / "inputs").iterdir())
here = load("ci").cluster.model_copy(update={"workers": 1})
map_participants("faults", work.do, {name: name for name in names}, here, records=work.records)
"""


def test_a_notebook_that_is_killed_leaves_no_process_and_loses_nothing(
    cohort, cluster, undisturbed
):
    cohort.trouble("slow", cohort.names)
    kernel = subprocess.Popen([sys.executable, "-c", RUN, str(cohort.folder)], env=ENVIRONMENT)
    wait_until(lambda: len(cohort.work_ids()) > 3, "the fourth participant")
    kernel.kill()
    kernel.wait()
    processes = {process for pair in cohort.work_ids() for process in pair}
    wait_until(lambda: not any(map(is_alive, processes)), "the end of all processes")
    assert 0 < len(list((cohort.folder / "results").glob("[!.]*"))) < PEOPLE
    cohort.no_trouble()
    cohort.run(cluster)
    assert {n: b for n, b in cohort.written().items() if not n.startswith(".")} == undisturbed


class OwnScheduler:
    """A scheduler and a worker of their own, as `cluster.kind: address` finds them."""

    def __init__(self, folder: Path):
        self.file = folder / "scheduler.json"
        self.file.unlink(missing_ok=True)
        where = ["--scheduler-file", str(self.file)]
        dask = [sys.executable, "-m", "dask"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": ENVIRONMENT}
        self.scheduler = subprocess.Popen(
            [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", *where],
            **quiet,
        )
        wait_until(self.file.exists, "the scheduler")
        self.worker = subprocess.Popen(
            [*dask, "worker", "--nthreads", "1", "--no-dashboard", "--no-nanny", *where], **quiet
        )

    def parameters(self):
        address = json.loads(self.file.read_text())["address"]
        here = {"kind": "address", "workers": 1, "address": address}
        return load("ci").cluster.model_copy(update=here)

    def close(self):
        for process in (self.worker, self.scheduler):
            process.kill()
            process.wait()


def test_a_scheduler_that_is_killed_stops_the_run(cohort, undisturbed, tmp_path):
    cohort.trouble("slow", cohort.names)
    with closing(OwnScheduler(tmp_path)) as first:

        def kill() -> None:
            wait_until(lambda: len(cohort.work_ids()) > 3, "the fourth participant")
            first.scheduler.kill()

        killer = threading.Thread(target=kill)
        killer.start()
        with pytest.raises(MapStoppedError, match=r"scheduler is lost: start one at tcp://127"):
            cohort.run(first.parameters())
        killer.join()
    cohort.no_trouble()
    with closing(OwnScheduler(tmp_path)) as second:
        cohort.run(second.parameters())
    assert {n: b for n, b in cohort.written().items() if not n.startswith(".")} == undisturbed


# ---- two at once


HOLD = """
import sys, time
from pathlib import Path
from muscle_study.running.lock import run_lock
with run_lock(Path(sys.argv[1]), "inference"):
    print("held", flush=True)
    time.sleep(3600)
"""


def test_a_lock_is_gone_with_its_owner_however_that_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("muscle_study.running.lock.PATIENCE_SECONDS", 0.2)
    owner = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout.readline() == "held\n"
    assert is_held(tmp_path)
    refusal = f"is being worked on: inference, by process {owner.pid} on .*make status"
    with pytest.raises(RunLockedError, match=refusal), run_lock(tmp_path, "curation"):
        pass
    owner.kill()
    owner.wait()
    assert not is_held(tmp_path)
    with run_lock(tmp_path, "curation"):
        assert is_held(tmp_path)


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_named_with_the_remedy(tmp_path, monkeypatch, capsys, number):
    def refuse(*_arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    run = tmp_path / "data" / "ci"
    run.mkdir(parents=True)
    (run / ".lock").touch()
    with pytest.raises(RunLockedError, match="option flock"), run_lock(run, "curation"):
        pass
    for command in ("slices", "status", "learning-curve"):
        assert main([command, "--run", "ci"]) == 1
        error = capsys.readouterr().err
        assert error.startswith(f"the file system of {run} has no file locks") and "OUT=" in error


def test_a_second_make_is_refused_and_status_works(make, tmp_path):
    settings = ("RUN=ci", f"OUT={tmp_path}")
    with run_lock(tmp_path / "data" / "ci", "cohort"):
        second = make("all", *settings)
        said = make("status", *settings)
    assert second.returncode != 0
    assert f"run ci is being worked on: cohort, by process {os.getpid()}" in second.stderr
    assert "Traceback" not in second.stderr
    assert said.returncode == 0, said.stderr
    first, *others = said.stdout.splitlines()
    assert first.startswith("cohort       running since ")
    stages = "curation, training, inference, measurement, statistics, extensions, report"
    assert others[-1] == f"next:        {stages}"

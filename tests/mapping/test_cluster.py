"""The map over participants conserves them."""

import os
import queue
import re
import subprocess
import sys
import threading
import time

import pytest
from dask.distributed import Client, KilledWorker, LocalCluster

from example_parameters import section
from faulty_work import environment
from muscle_study.mapping.batches import MAX_BATCH_SIZE, Batch, Pace
from muscle_study.mapping.cluster import map_participants, slurm_job
from muscle_study.mapping.dispatch import Dispatch
from muscle_study.mapping.mounts import WatchedFolders
from muscle_study.mapping.progress import KEPT_IN, LIVE, PLAIN
from muscle_study.mapping.records import Recorded, Records
from muscle_study.mapping.task_result import MapStoppedError, attempt
from muscle_study.mapping.worker_watch import warn_without_workers
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import read_json
from muscle_study.running.parameters import load


def work(task: int) -> dict:
    if task == 2:
        raise Excluded(Reason.EMPTY_IMAGE, "water.nii.gz: all voxels are zero")
    if task == 4:
        raise ZeroDivisionError("by chance")
    if task == 6:
        raise OSError(5, "Input/output error", "/export/Jane_Doe.zip")
    return {"double": 2 * task}


def test_result_of_one_participant():
    assert attempt(work, "a", 1).record == {"double": 2}
    excluded = attempt(work, "a", 2)
    assert excluded.reason is Reason.EMPTY_IMAGE
    assert excluded.detail == "water.nii.gz: all voxels are zero"


def test_an_unforeseen_error_names_itself_and_its_place():
    excluded = attempt(work, "a", 4)
    assert excluded.reason is Reason.UNEXPECTED_ERROR
    assert excluded.detail.startswith("ZeroDivisionError: by chance (work, line ")


def test_an_error_of_reading_names_no_file():
    """Its name may hold a person's."""
    excluded = attempt(work, "a", 6)
    assert excluded.reason is Reason.IO_ERROR
    assert excluded.detail.startswith("Input/output error (work, line ")


@pytest.fixture
def kept(tmp_path):
    return Records(tmp_path / "records")


def test_everyone_comes_back_sorted_kept_or_excluded(cluster, kept):
    tasks = {f"p{i}": i for i in (5, 4, 3, 2, 1)}
    records, exclusions = map_participants("stage", work, tasks, cluster, records=kept)
    assert records["participant_id"].tolist() == ["p1", "p3", "p5"]
    assert records["double"].tolist() == [2, 6, 10]
    assert exclusions[["participant_id", "stage", "reason"]].to_numpy().tolist() == [
        ["p2", "stage", "empty_image"],
        ["p4", "stage", "unexpected_error"],
    ]


@pytest.mark.parametrize("table", [0, 1])
def test_nobody_in_nobody_out(cluster, kept, table):
    empty = map_participants("stage", work, {}, cluster, records=kept)[table]
    assert len(empty) == 0
    assert "participant_id" in empty.columns


def unreadable(task: int) -> dict:
    raise OSError(5, "Input/output error")


def test_who_is_finished_or_excluded_is_not_worked_on(cluster, kept):
    map_participants("stage", work, {"p1": 1, "p2": 2, "p3": 3, "p6": 6}, cluster, records=kept)
    kept.file("p3").write_text('{"seen":')  # a damaged disk
    later = {"p1": 1, "p2": 2, "p3": 3}
    records, exclusions = map_participants("stage", unreadable, later, cluster, records=kept)
    assert records["double"].tolist() == [2]
    assert exclusions["reason"].tolist() == ["empty_image", "io_error"]
    assert {file.stem for file in kept.folder.iterdir()} == {"p1", "p2"}


@pytest.mark.parametrize(("done", "stops"), [(300, False), (100, True)])
def test_hopeless_ones_who_are_left_over_do_not_stop_a_run_that_is_all_but_done(
    cluster, kept, done, stops
):
    tasks = {f"p{i}": i for i in range(done + 25)}
    cluster = cluster.model_copy(update={"retries": 0})
    before = Recorded(lambda task: {"double": 0}, kept)
    for i in range(done):
        before((f"p{i}", i))

    def run():
        return map_participants("stage", unreadable, tasks, cluster, records=kept)

    if stops:
        with pytest.raises(MapStoppedError, match="20 participants in a row failed"):
            run()
    else:
        assert len(run()[1]) == 25


def test_where_all_are_finished_no_worker_is_started(kept):
    Recorded(work, kept)(("p1", 1))
    nowhere = section("cluster", kind="address", workers=1, address="tcp://127.0.0.1:1")
    records, _ = map_participants("stage", work, {"p1": 1}, nowhere, records=kept)
    assert records["double"].tolist() == [2]


def test_work_for_gpus_asks_for_them(cluster, kept, monkeypatch):
    asked = []

    def submit(_client, *_arguments, resources, **_keywords):
        asked.append(resources)
        raise LookupError

    monkeypatch.setattr("dask.distributed.Client.submit", submit)
    with_gpu = cluster.model_copy(update={"gpus": 1})
    for where, on_gpu in ((with_gpu, True), (with_gpu, False), (cluster, True)):
        with pytest.raises(LookupError):
            map_participants("stage", work, {"p1": 1}, where, records=kept, on_gpu=on_gpu)
    assert asked == [{"GPU": 1}, None, None]


@pytest.mark.parametrize(
    ("gpus", "on_gpu", "seen"), [(0, True, ""), (1, True, "4"), (1, False, "4,5")]
)
def test_a_local_process_sees_its_gpu_or_none(monkeypatch, kept, gpus, on_gpu, seen):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    here = load("ci").cluster.model_copy(update={"workers": 2, "gpus": gpus})
    tasks = {f"p{i}": ["CUDA_VISIBLE_DEVICES"] for i in range(4)}
    records, _ = map_participants("stage", environment, tasks, here, records=kept, on_gpu=on_gpu)
    assert records["values"].tolist() == [[seen]] * 4


def test_slurms_jobs_offer_their_gpu():
    jobqueue = pytest.importorskip("dask_jobqueue")
    slurm = {"memory": "1 GB", "worker_extra_args": ["--lifetime 23h"],
             "scheduler_options": {"dashboard": False}}  # fmt: skip
    here = load("ci").cluster.model_copy(update={"kind": "slurm", "gpus": 1, "slurm": slurm})
    with jobqueue.SLURMCluster(**slurm_job(here)) as jobs:
        assert "--lifetime 23h --resources GPU=1" in jobs.job_script()
    slurm["worker_extra_args"] = ['--resources "GPU=1 DISK=2"']
    assert slurm_job(here)["worker_extra_args"] == slurm["worker_extra_args"]


def test_a_map_without_workers_says_that_it_waits(tmp_path, kept, monkeypatch, capsys):
    progress = tmp_path / "progress.json"
    monkeypatch.setattr("muscle_study.mapping.worker_watch.SECONDS_BETWEEN_WARNINGS", 0.1)
    monkeypatch.setenv(PLAIN, "lines")
    monkeypatch.setenv(KEPT_IN, str(progress))
    with LocalCluster(
        n_workers=0, processes=False, threads_per_worker=1, dashboard_address=":0"
    ) as local:

        def come_when_missed() -> None:
            while not progress.exists():
                time.sleep(0.02)
            waiting.append(read_json(progress)["said"])
            local.scale(1)

        waiting = []
        workers = threading.Thread(target=come_when_missed)
        workers.start()
        here = {"kind": "address", "address": local.scheduler_address}
        records, _ = map_participants(
            "stage", work, {"p1": 1}, load("ci").cluster.model_copy(update=here), records=kept
        )
        workers.join()
    assert len(records) == 1
    assert waiting == ["stage 0/1 · no work for 0 min: Dask has no worker: start some at "
                       "cluster.address, or see what became of them"]  # fmt: skip
    assert "no work for 0 min: Dask has no worker" in capsys.readouterr().out


def test_a_map_says_when_no_worker_has_a_gpu(cluster, monkeypatch):
    monkeypatch.setattr("muscle_study.mapping.worker_watch.SECONDS_BETWEEN_WARNINGS", 0.1)
    told = queue.Queue()
    with Client(cluster.address) as client, warn_without_workers(client, cluster, True, told.put):
        assert "workers has a GPU to offer: start workers with" in told.get(timeout=20)
    told = queue.Queue()
    with Client(cluster.address) as client, warn_without_workers(client, cluster, False, told.put):
        time.sleep(0.5)
    assert told.empty()


def test_time_left_goes_by_work_and_not_by_the_search_before(
    cluster, tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv(PLAIN, LIVE)
    monkeypatch.setattr("muscle_study.mapping.progress.LIVE_SECONDS", 0.0)

    here = os.getpid()

    def search(task: int) -> None:
        time.sleep(1.0 if os.getpid() == here else 0.0)

    records = Records(tmp_path / "records", values=search)
    map_participants("stage", work, {"p1": 1, "p3": 3, "p5": 5}, cluster, records=records)
    (rate,) = re.findall(r"stage 2/3 · ([.0-9]+) a second", capsys.readouterr().out)
    assert float(rate) > 2 / 3.0


class LostResult:
    """A task that ended, and whose result went with its worker before it was fetched."""

    status = "finished"

    def result(self):
        raise KilledWorker("run_batch", None, 1)


@pytest.mark.parametrize(("names", "lost"), [(["p1"], ["p1"]), (["p1", "p2"], [])])
def test_a_result_that_is_lost_with_its_worker_stops_nothing(cluster, kept, names, lost):
    with Client(cluster.address) as client:
        tasks = dict.fromkeys(names, 1)
        recorded = Recorded(work, kept)
        dispatch = Dispatch(client, recorded, tasks, cluster, WatchedFolders(()), False, done=0)
        participants = tuple((name, b"") for name in names)
        came = dispatch._results_of(LostResult(), Batch(dispatch.settings, participants, 0.0))
    assert [(result.participant_id, result.reason) for result in came] == [
        (name, Reason.WORKER_LOST) for name in lost
    ]


def test_pauses_end_growing(cluster, kept):
    with Client(cluster.address) as client:
        recorded = Recorded(work, kept)
        dispatch = Dispatch(client, recorded, {"p1": 1}, cluster, WatchedFolders(()), False, done=0)
        dispatch.waiting.clear()
        pauses = []
        for failures in range(1, 100):
            dispatch.retries.append("p1")
            dispatch.failures["p1"] = failures
            pauses.append(dispatch._next_batch(1).pause)
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert set(pauses[7:]) == {60}


def test_batches_are_large_where_work_is_short_and_single_where_it_is_long():
    pace = Pace()
    assert pace.size(1000, 2) == 1  # nothing is known yet
    pace.took(0, 0.001)
    assert pace.size(1000, 2) == 1  # nor by those who fail
    pace.took(1, 0.001)
    assert pace.size(1000, 2) == MAX_BATCH_SIZE
    assert pace.size(12, 2) == 3  # so that both workers end together
    for _ in range(10):
        pace.took(1, 60.0)
    assert pace.size(1000, 2) == 1


def test_failures_do_not_make_batches_large(cluster, kept, monkeypatch):
    sizes = []
    monkeypatch.setattr(Dispatch, "_next_batch", watched(Dispatch._next_batch, sizes))
    tasks = {f"p{i}": 2 for i in range(80)}  # set aside in no time
    assert len(map_participants("stage", work, tasks, cluster, records=kept)[1]) == 80
    assert set(sizes) == {1}


def watched(make, sizes):
    def made(*arguments):
        batch = make(*arguments)
        sizes.append(len(batch.participants))
        return batch

    return made


WARNS = """
import logging
from muscle_study.mapping.cluster import LocalCluster
logging.getLogger("distributed.nanny").warning("Worker process still alive")
"""


def test_warnings_carry_no_date_into_notebooks():
    """The check of the report would take it for one of a scan."""
    done = subprocess.run([sys.executable, "-c", WARNS], capture_output=True, text=True, check=True)
    assert done.stderr == "distributed.nanny: Worker process still alive\n"

"""The process that works on participants: its limits, its libraries' threads, its GPU."""

import os
import pickle
import re
import time
from contextlib import closing

import pytest

from faulty_work import environment
from muscle_study.mapping.batches import MapSettings, _gpu_of
from muscle_study.mapping.code_version import Code
from muscle_study.mapping.dispatch import local_gpus
from muscle_study.mapping.task_result import MapStoppedError
from muscle_study.mapping.worker_process import (
    HUGE_PAGES,
    MEMORY_SETTINGS,
    Limits,
    ParticipantProcess,
)
from muscle_study.protocol.exclusions import Reason

NO_CODE = Code.behind(environment)  # of the tests, not of the package
LIMITS = Limits(threads=3, minutes=1.0, memory_gb=None)


@pytest.fixture
def process():
    started = ParticipantProcess(NO_CODE, LIMITS, gpu="1")
    yield started
    started.close()


def test_it_keeps_what_it_has_loaded_and_sees_its_threads_and_its_gpu(process):
    asked = pickle.dumps(["OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES"])
    first, second = process.run(pickle.dumps(environment), [("a", asked), ("b", asked)])
    assert first.record["values"] == ["3", "1"]
    assert first.record["process"] == second.record["process"] != os.getpid()


def test_it_does_not_give_memory_back_as_a_dask_worker_does(process, monkeypatch):
    monkeypatch.setenv("MALLOC_TRIM_THRESHOLD_", "65536")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    asked = pickle.dumps([*MEMORY_SETTINGS, "GLIBC_TUNABLES"])
    (result,) = process.run(pickle.dumps(environment), [("a", asked)])
    *values, tunables = result.record["values"]
    assert values == list(MEMORY_SETTINGS.values())
    assert tunables == HUGE_PAGES


def test_tunables_of_the_machine_stay(process, monkeypatch):
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.perturb=0")
    asked = pickle.dumps(["GLIBC_TUNABLES"])
    (result,) = process.run(pickle.dumps(environment), [("a", asked)])
    assert result.record["values"] == ["glibc.malloc.perturb=0"]


def test_another_one_comes_where_it_has_ended(process):
    asked = pickle.dumps(environment), [("a", pickle.dumps([]))]
    (first,) = process.run(*asked)
    process.process.kill()
    process.process.wait()
    (second,) = process.run(*asked)
    assert second.record["process"] != first.record["process"]


def test_one_that_cannot_be_killed_is_left_behind(monkeypatch):
    monkeypatch.setattr("muscle_study.mapping.worker_process.SECONDS_TO_END", 0.1)
    limits = Limits(threads=1, minutes=0.01, memory_gb=None)
    process = ParticipantProcess(NO_CODE, limits, gpu=None)
    work = [("a", pickle.dumps(3600)), ("b", pickle.dumps(0))]
    left_behind = []
    with monkeypatch.context() as immune, closing(process):
        immune.setattr("subprocess.Popen.kill", lambda popen: left_behind.append(popen))
        first, second = process.run(pickle.dumps(time.sleep), work)
    for one in left_behind:
        one.kill()
        one.wait()
    assert [first.reason, second.reason] == [Reason.TIME_LIMIT, None]


def test_where_none_can_be_started_it_says_why_and_leaves_the_others(process, monkeypatch):
    asked = pickle.dumps(environment), [(name, pickle.dumps([])) for name in "ab"]
    with monkeypatch.context() as away:
        away.setattr("sys.executable", "/nowhere/python")
        (result,) = process.run(*asked)
    assert (result.participant_id, result.reason) == ("a", Reason.WORKER_LOST)
    assert re.fullmatch(r"no process could be .* on .*: No such file or directory", result.detail)
    assert [result.reason for result in process.run(*asked)] == [None, None]


def test_one_with_other_code_stops_the_map():
    with closing(ParticipantProcess(Code((), "of last week"), LIMITS, gpu=None)) as process:
        (result,) = process.run(pickle.dumps(environment), [("a", b""), ("b", b"")])
    assert result.stops
    assert re.search(r" on .*: /.*/muscle_study is not the run's code ", result.detail)


def test_work_that_cannot_be_loaded_is_told(process):
    (result,) = process.run(b"cmuscle_study.nowhere\nwork\n.", [("a", pickle.dumps(1))])
    assert result.detail.startswith("ModuleNotFoundError: No module named 'muscle_study.nowhere'")


@pytest.mark.parametrize(
    ("allowed", "gpus"),
    [(None, ["0", "1"]), ("4,5,6", ["4", "5"]), ("GPU-8932,GPU-0517", ["GPU-8932", "GPU-0517"])],
)
def test_local_workers_take_a_gpu_each_of_those_that_are_allowed(monkeypatch, allowed, gpus):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if allowed is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    settings = MapSettings("", "", b"", LIMITS, gpus=local_gpus(2), folders=())
    for worker, gpu in enumerate(gpus):
        monkeypatch.setattr("dask.distributed.get_worker", lambda name=worker: Named(str(name)))
        assert _gpu_of(settings) == gpu


@pytest.mark.parametrize("allowed", ["", "-1", "3"])
def test_more_gpus_than_are_allowed_are_refused(monkeypatch, allowed):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    with pytest.raises(MapStoppedError, match=rf"gpus is 2, but CUDA_VISIBLE_DEVICES={allowed} "):
        local_gpus(2)


class Named:
    def __init__(self, name):
        self.name = name

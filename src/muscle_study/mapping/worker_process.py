"""A worker's killable process that handles one participant at a time.

Each Dask worker keeps one such process. If a participant's files fill the memory, hang a library or
crash the interpreter, only that participant fails: the worker starts another process and goes on
with the next. Dask never sees a worker die because of a participant.
"""

import os
import pickle
import platform
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psutil

from muscle_study.mapping.code_version import Code, digest_of
from muscle_study.mapping.parent_watch import exit_with_parent
from muscle_study.mapping.task_result import TaskResult, attempt
from muscle_study.protocol.exclusions import Reason

#: Interval between measurements of the process's memory.
SECONDS_BETWEEN_LOOKS = 0.05

#: Time limit for starting Python on a busy machine.
SECONDS_TO_START = 300.0

#: Idle time after which the process ends: its run may be dead, and a model fills a GPU.
SECONDS_IDLE = 60.0

#: Time limit for the end of a killed process. One that waits for an unreachable network disk ends
#: only when the disk is back; it is left behind.
SECONDS_TO_END = 10.0

BYTES_PER_GB = 1e9

#: Thresholds (bytes) at which glibc takes memory from the system and returns it. Dask's setting for
#: its workers, which the process would inherit, returns memory at once: arrays are then allocated
#: anew, and making a synthetic participant takes 1.6 times as long. Without any setting inference
#: takes a quarter more memory. Other C libraries ignore these.
#:
#: Capacity of oneDNN's cache of operations prepared for an array's shape: enough for one pass of
#: the networks. Participants' shapes differ, so its default of 1,024 grows by 1 MB a participant.
MEMORY_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**20),
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}

#: Puts large arrays in pages of 2 MiB where the system has them: with fewer pages to fetch,
#: inference takes a quarter less time. For glibc from 2.35 on; ignored by others.
HUGE_PAGES = "glibc.malloc.hugetlb=1"


@dataclass(frozen=True)
class Limits:
    """Limits of the work on one participant.

    Parameters
    ----------
    threads
        Threads of each library.
    minutes
        Time for one participant, including loading the model for the first.
    memory_gb
        Memory of the process, GB; ``None``: no limit.
    """

    threads: int
    minutes: float
    memory_gb: float | None


def library_environment(threads: int) -> dict[str, str]:
    """Return environment variables that libraries read while loading, for `threads` each."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    settings = dict.fromkeys(names, str(threads)) | MEMORY_SETTINGS
    # Threads that wait by spinning slow all work on a shared machine, most of all their own.
    settings["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")
    settings["GLIBC_TUNABLES"] = os.environ.get("GLIBC_TUNABLES", HUGE_PAGES)
    return settings


class ParticipantProcess:
    """Call functions in a process of its own, which keeps what it has loaded.

    Parameters
    ----------
    code
        Code that the process must have; it may start on another machine, or days after the run.
    limits
        Limits of the work on one participant.
    gpu
        GPU that the process sees, by number or name; empty: none; ``None``: all of them.
    """

    def __init__(self, code: Code, limits: Limits, gpu: str | None):
        self.code, self.limits, self.gpu = code, limits, gpu
        self.process: subprocess.Popen | None = None

    def run(self, function: bytes, participants: Sequence[tuple[str, bytes]]) -> list[TaskResult]:
        """Work on participants in turn; return their results up to the first that stops the map.

        The results also end if no process could be started for a participant, since the
        remaining ones would fail too.

        Parameters
        ----------
        function
            Pickled function.
        participants
            Identifiers and pickled tasks. They are sent together, since each message costs time; if
            the process is lost, another one goes on with the remaining ones.
        """
        left, results, sent = deque(participants), [], False
        while left and not (results and results[-1].stops):
            participant_id, _ = left[0]
            try:
                if self.process is None or self.process.poll() is not None:
                    self._start()
                    sent = False
                if not sent:
                    self.connection.send((function, list(left)))
                    sent = True
                result = self._answer(60 * self.limits.minutes)
            except _OverLimitError as over:
                self.close()
                result = TaskResult(participant_id, reason=over.reason, detail=over.detail)
            except (EOFError, ConnectionError):
                result = TaskResult(participant_id, reason=Reason.WORKER_LOST, detail=self._end())
            except _NotStartedError as error:
                lost = Reason.WORKER_LOST
                return [*results, TaskResult(participant_id, None, lost, str(error), error.stops)]
            if result.reason is Reason.UNEXPECTED_ERROR:
                self.close()
            results.append(result)
            left.popleft()
        return results

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(SECONDS_TO_END)
            self.connection.close()
            self.process = None

    def _end(self) -> str:
        """Wait for a process that is ending; return how it ended."""
        try:
            code = self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "the process no longer answers"
        finally:
            self.close()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"the process ended {how}"

    def _start(self) -> None:
        """Start a process in place of one that has ended.

        Raises
        ------
        _NotStartedError
            If the machine has no memory or processes left or the environment's disk is unmounted;
            if its code is another version, which stops the map.
        """
        self.close()
        stops = False
        try:
            self._launch()
            found = self._answer(SECONDS_TO_START)
        except (EOFError, ConnectionError):
            why = self._end()
        except _OverLimitError as over:
            why = over.detail
        except OSError as error:
            why = error.strerror
        else:
            if found == self.code.digest:
                return
            where = Path(__file__).parents[1]
            why = f"{where} is not the run's code (changed during the run, or another copy?)"
            stops = True
        self.close()
        raise _NotStartedError(f"no process could be started on {platform.node()}: {why}", stops)

    def _launch(self) -> None:
        self.connection, others = Pipe()
        environment = os.environ | library_environment(self.limits.threads)
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        if self.gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpu
        with others:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(others.fileno()), *self.code.files],
                env=environment,
                stdin=subprocess.DEVNULL,
                pass_fds=[others.fileno()],
            )

    def _answer(self, seconds: float) -> Any:
        """Wait for a message of the process.

        Raises
        ------
        _OverLimitError
            If it exceeds its limit of time or memory.
        EOFError
            If the process has ended.
        """
        ends = time.monotonic() + seconds
        looked_at = psutil.Process(self.process.pid)
        while not self.connection.poll(SECONDS_BETWEEN_LOOKS):
            if time.monotonic() > ends:
                raise _OverLimitError(
                    Reason.TIME_LIMIT, f"not done after {seconds / 60:.3g} minutes"
                )
            if self.limits.memory_gb is not None:
                with suppress(psutil.NoSuchProcess):
                    if looked_at.memory_info().rss > self.limits.memory_gb * BYTES_PER_GB:
                        # without the measured value, so that a retry gives the same detail
                        raise _OverLimitError(
                            Reason.MEMORY_LIMIT, f"more than {self.limits.memory_gb:g} GB"
                        )
        return self.connection.recv()


class _OverLimitError(Exception):
    def __init__(self, reason: Reason, detail: str):
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail


class _NotStartedError(Exception):
    def __init__(self, detail: str, stops: bool):
        super().__init__(detail)
        self.stops = stops


def serve(connection: Connection, files: Sequence[str]) -> None:
    """Send the digest of the code's files, then the result of each task; the process's side.

    An unexpected error is the last result, since it may leave the process unfit: after an illegal
    access on a GPU all further work fails.
    """
    connection.send(digest_of(files))
    with suppress(EOFError, ConnectionError):  # the worker is gone
        while connection.poll(SECONDS_IDLE):
            function, participants = connection.recv()
            for participant_id, task in participants:
                result = attempt(_call, participant_id, (function, task))
                connection.send(result)
                if result.reason is Reason.UNEXPECTED_ERROR:
                    return
                if result.stops:
                    break


def _call(pickled: tuple[bytes, bytes]) -> dict:
    function, task = map(pickle.loads, pickled)
    return function(task)


if __name__ == "__main__":
    exit_with_parent()
    serve(Connection(int(sys.argv[1])), sys.argv[2:])

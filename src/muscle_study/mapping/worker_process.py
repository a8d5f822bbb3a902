"""The process that works on participants, one at a time, and can be ended at any of them.

A Dask worker keeps one such process. Whatever a participant's files do to it, fill the memory, hang
in a library, crash the interpreter, happens to that participant alone: the worker notes it, starts
another process and goes on with the next. Dask never sees a worker die of a participant.
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
from muscle_study.mapping.parent_death import end_with_parent
from muscle_study.mapping.task_result import Outcome, attempt
from muscle_study.protocol.exclusions import Reason

#: Between looks at how much memory the process has.
SECONDS_BETWEEN_LOOKS = 0.05

#: Until Python is there, on a machine that is busy.
SECONDS_TO_START = 300.0

#: Without work for so long, the process ends: its run may be dead, and a model fills a GPU.
SECONDS_IDLE = 60.0

#: For the end of a process that was killed. One that waits for a network disk that is gone ends
#: only when that is back, and is left behind.
SECONDS_TO_END = 10.0

BYTES_PER_GB = 1e9

#: How glibc takes memory from the system and gives it back (bytes). Dask's own setting for workers,
#: which the process would inherit, gives back at once: then each array is taken anew, and making a
#: synthetic participant takes 1.6 times as long. Without any setting inference takes a quarter more
#: memory. Other C libraries take no notice.
#:
#: And how many prepared operations oneDNN keeps for arrays of the same shapes: enough for a pass of
#: the networks. Participants' shapes differ, and its own 1,024 grow by 1 MB a participant.
MEMORY_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(4 * 2**20),
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64",
}

#: Large arrays come in pages of 2 MiB, where the system has them: inference takes a quarter less
#: time, since fewer pages must be fetched. Known to glibc from 2.35 on, ignored by others.
HUGE_PAGES = "glibc.malloc.hugetlb=1"


@dataclass(frozen=True)
class Limits:
    """What work on a participant may take.

    Parameters
    ----------
    threads
        Of each library.
    minutes
        For one participant, with loading a model for the first.
    memory_gb
        Of the process; ``None``: no limit.
    """

    threads: int
    minutes: float
    memory_gb: float | None


def settings_of(threads: int) -> dict[str, str]:
    """Return what the libraries read from the environment when they are loaded; later is too late.

    Parameters
    ----------
    threads
        Of each library.
    """
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    settings = dict.fromkeys(names, str(threads)) | MEMORY_SETTINGS
    # Threads that wait by spinning slow everybody on a shared machine, themselves most.
    settings["OMP_WAIT_POLICY"] = os.environ.get("OMP_WAIT_POLICY", "PASSIVE")
    settings["GLIBC_TUNABLES"] = os.environ.get("GLIBC_TUNABLES", HUGE_PAGES)
    return settings


class ParticipantProcess:
    """Calls functions in a process of its own, which keeps what it has loaded.

    Parameters
    ----------
    code
        That the process must have: it may start on another machine than the run, or days after it.
    limits
        What work on a participant may take.
    gpu
        The one that the process sees, by number or name; empty: none; ``None``: all of them.
    """

    def __init__(self, code: Code, limits: Limits, gpu: str | None):
        self.code, self.limits, self.gpu = code, limits, gpu
        self.process: subprocess.Popen | None = None

    def run(self, function: bytes, participants: Sequence[tuple[str, bytes]]) -> list[Outcome]:
        """Work on participants in turn; return an outcome of each, as far as it came.

        The last is one that stops the map, or one for whom no process could be started: that is no
        matter of participants, and those behind would fare the same.

        Parameters
        ----------
        function
            Pickled.
        participants
            Identifiers and pickled tasks. They are sent together, for each message costs time;
            where the process is lost, another one goes on with those who are left.
        """
        left, outcomes, sent = deque(participants), [], False
        while left and not (outcomes and outcomes[-1].stops):
            participant_id, _ = left[0]
            try:
                if self.process is None or self.process.poll() is not None:
                    self._start()
                    sent = False
                if not sent:
                    self.connection.send((function, list(left)))
                    sent = True
                outcome = self._answer(60 * self.limits.minutes)
            except _OverLimitError as over:
                self.close()
                outcome = Outcome(participant_id, reason=over.reason, detail=over.detail)
            except (EOFError, ConnectionError):
                outcome = Outcome(participant_id, reason=Reason.WORKER_LOST, detail=self._end())
            except _NotStartedError as error:
                lost = Reason.WORKER_LOST
                return [*outcomes, Outcome(participant_id, None, lost, str(error), error.stops)]
            if outcome.reason is Reason.UNEXPECTED_ERROR:
                self.close()
            outcomes.append(outcome)
            left.popleft()
        return outcomes

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.kill()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(SECONDS_TO_END)
            self.connection.close()
            self.process = None

    def _end(self) -> str:
        """Wait for the end that has come; return what it was."""
        try:
            code = self.process.wait(SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            return "the process answers no more"
        finally:
            self.close()
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
        return f"the process ended {how}"

    def _start(self) -> None:
        """Start a process in place of one that has ended.

        Raises
        ------
        _NotStartedError
            Where the machine has no memory or processes left, or the environment's disk is away, or
            its code is another version, which stops the map.
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
        environment = os.environ | settings_of(self.limits.threads)
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
        """Wait for what the process says, so long at most.

        Raises
        ------
        _OverLimitError
            Where it takes more.
        EOFError
            When it has ended.
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
                        # not how much: another attempt that ends alike changes nothing
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
    """Say what the code's files hold, then answer each task with its outcome; the process's side.

    An unexpected error is the last answer, for it may leave the process unfit: a GPU's illegal
    access fails everybody behind.
    """
    connection.send(digest_of(files))
    with suppress(EOFError, ConnectionError):  # the worker is gone
        while connection.poll(SECONDS_IDLE):
            function, participants = connection.recv()
            for participant_id, task in participants:
                outcome = attempt(_call, participant_id, (function, task))
                connection.send(outcome)
                if outcome.reason is Reason.UNEXPECTED_ERROR:
                    return
                if outcome.stops:
                    break


def _call(pickled: tuple[bytes, bytes]) -> dict:
    function, task = map(pickle.loads, pickled)
    return function(task)


if __name__ == "__main__":
    end_with_parent()
    serve(Connection(int(sys.argv[1])), sys.argv[2:])

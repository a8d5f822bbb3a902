"""Participants in batches, as large as makes Dask's own cost small beside the work."""

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from muscle_study.mapping.code_version import Code
from muscle_study.mapping.mounts import Folders
from muscle_study.mapping.task_result import Outcome
from muscle_study.mapping.worker_process import Limits, ParticipantProcess
from muscle_study.protocol.exclusions import Reason

#: What a batch should take: long against Dask's milliseconds, short for whoever watches.
SECONDS_A_BATCH = 5.0
MOST_IN_A_BATCH = 64


@dataclass(frozen=True)
class MapSettings:
    """What is the same in all batches of a map.

    Parameters
    ----------
    map_id
        Of no other map.
    code
        Behind the function: a process with another version is of no use.
    function
        What to call; pickled, since Dask's own workers need no library of the stage.
    limits
        Of the work on a participant.
    gpus
        Of the machine, one for each of its workers; empty: they see none; ``None``: whatever there
        is.
    folders
        That the function reads or writes.
    """

    map_id: str
    code: Code
    function: bytes
    limits: Limits
    gpus: tuple[str, ...] | None
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Batch:
    """What one Dask task is about.

    Parameters
    ----------
    settings
        Of its map.
    participants
        Identifiers and pickled tasks.
    pause
        Before the work begins (s), where it failed before.
    """

    settings: MapSettings
    participants: tuple[tuple[str, bytes], ...]
    pause: float


#: A process for each of this worker's threads, with the code and the limits it was started for.
_processes: dict[int, tuple[tuple, ParticipantProcess]] = {}


def work_on(batch: Batch) -> tuple[list[Outcome], float]:
    """Work on a batch in this worker's process, which keeps what it has loaded.

    Returns
    -------
    outcomes : list of Outcome
        Fewer than participants where the last one concerns those behind it too.
    seconds : float
        That the work took.
    """
    time.sleep(batch.pause)
    settings, started = batch.settings, time.monotonic()
    folders = _folders(settings)
    if gone := folders.vanished():
        return [_stop(batch, gone)], 0.0
    outcomes = _process_for(settings).run(settings.function, batch.participants)
    if gone := folders.vanished():  # and who knows where the results are
        outcomes = [_stop(batch, gone)]
    return outcomes, time.monotonic() - started


@lru_cache(maxsize=2)
def _folders(settings: MapSettings) -> Folders:
    """Return a map's folders as this machine knew them when the map came here first."""
    return Folders(settings.folders)


def _stop(batch: Batch, why: str) -> Outcome:
    first, _ = batch.participants[0]
    return Outcome(first, reason=Reason.IO_ERROR, detail=why, stops=True)


def _process_for(settings: MapSettings) -> ParticipantProcess:
    thread = threading.get_ident()
    wanted = settings.code, settings.limits, settings.gpus
    started_for, process = _processes.get(thread, (None, None))
    if started_for != wanted:
        if process is not None:
            process.close()
        process = ParticipantProcess(settings.code, settings.limits, _gpu_of(settings))
        _processes[thread] = wanted, process
    return process


def _gpu_of(settings: MapSettings) -> str | None:
    if not settings.gpus:
        return None if settings.gpus is None else ""
    from dask.distributed import get_worker

    return settings.gpus[int(get_worker().name)]  # a local cluster numbers its workers


class Pace:
    """How many participants to put into a batch, from how long the last ones took."""

    def __init__(self):
        self.seconds: float | None = None

    def took(self, succeeded: int, seconds: float) -> None:
        """Learn from a batch that has ended; nothing of failures, which may take no time at all."""
        if not succeeded:
            return
        each = seconds / succeeded
        # the first ones load the model: they must not count for ever
        self.seconds = each if self.seconds is None else 0.5 * (self.seconds + each)

    def size(self, left: int, workers: int) -> int:
        """Return the number for the next batch.

        Parameters
        ----------
        left
            Participants who wait.
        workers
            That share them: towards the end batches become small, so that all end together.
        """
        if self.seconds is None:
            return 1
        by_time = SECONDS_A_BATCH / max(self.seconds, 1e-6)
        return int(max(1, min(by_time, MOST_IN_A_BATCH, left / (2 * workers))))

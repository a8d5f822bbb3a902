"""Batches of participants, large enough to amortise Dask's per-task overhead."""

import threading
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from muscle_study.mapping.code_version import Code
from muscle_study.mapping.mounts import WatchedFolders
from muscle_study.mapping.task_result import TaskResult
from muscle_study.mapping.worker_process import Limits, ParticipantProcess
from muscle_study.protocol.exclusions import Reason

#: Intended duration of a batch (s): long against Dask's milliseconds, short for progress reports.
BATCH_SECONDS = 5.0
MAX_BATCH_SIZE = 64


@dataclass(frozen=True)
class MapSettings:
    """Settings that all batches of a map share.

    Parameters
    ----------
    map_id
        Unique name of the map.
    code
        Code behind the function; a worker's process must have the same version.
    function
        Function to call; pickled, since Dask's own workers need no library of the stage.
    limits
        Limits of the work on one participant.
    gpus
        GPUs of this machine, one for each of its workers; empty: workers see none; ``None``:
        workers see all.
    folders
        Folders that the function reads or writes.
    """

    map_id: str
    code: Code
    function: bytes
    limits: Limits
    gpus: tuple[str, ...] | None
    folders: tuple[Path, ...]


@dataclass(frozen=True)
class Batch:
    """Participants of one Dask task.

    Parameters
    ----------
    settings
        Settings of the map.
    participants
        Identifiers and pickled tasks.
    pause
        Pause before a retry, s.
    """

    settings: MapSettings
    participants: tuple[tuple[str, bytes], ...]
    pause: float


#: Process of each of this worker's threads, with the code and limits that it was started with.
_processes: dict[int, tuple[tuple, ParticipantProcess]] = {}


def run_batch(batch: Batch) -> tuple[list[TaskResult], float]:
    """Run a batch in this worker's process, which keeps what it has loaded.

    Returns
    -------
    results : list of TaskResult
        Fewer than participants where the last one concerns the remaining ones too.
    seconds : float
        Duration of the work.
    """
    time.sleep(batch.pause)
    settings, started = batch.settings, time.monotonic()
    folders = _folders(settings)
    if gone := folders.vanished():
        return [_stop(batch, gone)], 0.0
    results = _process_for(settings).run(settings.function, batch.participants)
    if gone := folders.vanished():  # then the results' files may be lost
        results = [_stop(batch, gone)]
    return results, time.monotonic() - started


@lru_cache(maxsize=2)
def _folders(settings: MapSettings) -> WatchedFolders:
    """Return a map's folders as they were on this machine at its first batch."""
    return WatchedFolders(settings.folders)


def _stop(batch: Batch, why: str) -> TaskResult:
    first, _ = batch.participants[0]
    return TaskResult(first, reason=Reason.IO_ERROR, detail=why, stops=True)


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
    """Choose batch sizes from the time that recent participants took."""

    def __init__(self):
        self.seconds: float | None = None

    def took(self, succeeded: int, seconds: float) -> None:
        """Learn from a finished batch; failures do not count, as they may take no time."""
        if not succeeded:
            return
        each = seconds / succeeded
        # a moving average, since the first participants include loading the model
        self.seconds = each if self.seconds is None else 0.5 * (self.seconds + each)

    def size(self, left: int, workers: int) -> int:
        """Return the size of the next batch.

        Parameters
        ----------
        left
            Number of waiting participants.
        workers
            Number of workers; towards the end batches become small, so that all end together.
        """
        if self.seconds is None:
            return 1
        by_time = BATCH_SECONDS / max(self.seconds, 1e-6)
        return int(max(1, min(by_time, MAX_BATCH_SIZE, left / (2 * workers))))

"""Participants in batches, as large as makes Dask's own cost small beside the work."""

import threading
import time
from dataclasses import dataclass

from muscle_study.outcomes import Outcome
from muscle_study.participant_process import Limits, ParticipantProcess

#: What a batch should take: long against Dask's milliseconds, short for whoever watches.
SECONDS_A_BATCH = 5.0
MOST_IN_A_BATCH = 64


@dataclass(frozen=True)
class Batch:
    """What one Dask task is about.

    The function and the tasks are pickled, since Dask's own workers need no library of the stage.

    Parameters
    ----------
    code
        Version of the code: a process that has loaded another one is of no use.
    function
        What to call.
    participants
        Identifiers and tasks.
    limits
        Of the work on a participant.
    gpus
        Of the machine, one for each of its workers; empty: they see none; ``None``: whatever there
        is.
    pause
        Before the work begins (s), where it failed before.
    """

    code: str
    function: bytes
    participants: tuple[tuple[str, bytes], ...]
    limits: Limits
    gpus: tuple[str, ...] | None
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
    started = time.monotonic()
    outcomes = _process_for(batch).run(batch.function, batch.participants)
    return outcomes, time.monotonic() - started


def _process_for(batch: Batch) -> ParticipantProcess:
    thread = threading.get_ident()
    wanted = batch.code, batch.limits, batch.gpus
    started_for, process = _processes.get(thread, (None, None))
    if started_for != wanted:
        if process is not None:
            process.close()
        process = ParticipantProcess(batch.limits, _gpu_of(batch))
        _processes[thread] = wanted, process
    return process


def _gpu_of(batch: Batch) -> str | None:
    if not batch.gpus:
        return None if batch.gpus is None else ""
    from dask.distributed import get_worker

    return batch.gpus[int(get_worker().name)]  # a local cluster numbers its workers


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

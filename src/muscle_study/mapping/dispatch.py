"""Participants on their way to Dask's workers and back: few at a time, some of them again."""

import os
import time
import uuid
from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

import cloudpickle
from dask.distributed import Client, Future, KilledWorker, as_completed

from muscle_study.mapping.batches import Batch, MapSettings, Pace, work_on
from muscle_study.mapping.mounts import Folders
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Recorded
from muscle_study.mapping.task_result import NOT_OF_DATA, TO_GO_ON, MapStoppedError, Outcome
from muscle_study.mapping.worker_process import Limits
from muscle_study.protocol.exclusions import MAY_PASS, Reason

#: Tasks that a worker has or waits for. More would fill the scheduler's memory, not the worker.
TASKS_A_WORKER = 2

#: So many participants who fail one after the other are no matter of participants any more, if
#: they are also more than this share of those who are done: a few hopeless ones may be all that is
#: left of a cohort.
MOST_IN_A_ROW = 20
SHARE_OF_DONE = 0.1

#: Reasons that may be everybody's; time and memory go by what a participant's files hold.
OF_THE_MACHINE = {Reason.IO_ERROR, Reason.WORKER_LOST, Reason.UNEXPECTED_ERROR}

#: Before a participant is tried for the second time (s); doubled each time, to this at most.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


def local_gpus(count: int) -> tuple[str, ...]:
    """Return this machine's GPUs for its workers, one each.

    Raises
    ------
    MapStoppedError
        Where this process may use fewer.
    """
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None:
        return tuple(map(str, range(count)))
    names = [name for name in allowed.split(",") if name not in ("", "-1")]
    if count > len(names):
        raise MapStoppedError(
            f"cluster.gpus is {count}, but CUDA_VISIBLE_DEVICES={allowed} allows {len(names)}: "
            "lower the one or widen the other"
        )
    return tuple(names[:count])


class FailuresInARow:
    """Whether participants fail one after the other, at the first attempt of each in this map.

    Parameters
    ----------
    done
        How many were done before.
    """

    def __init__(self, done: int):
        self.done, self.failed = done, 0

    def count(self, outcome: Outcome, first: bool) -> None:
        """Count an attempt.

        Raises
        ------
        MapStoppedError
            If so many failed that the cause is everybody's.
        """
        if outcome.reason not in NOT_OF_DATA:
            self.done += 1
            self.failed = 0
        elif first and outcome.reason in OF_THE_MACHINE:
            self.failed += 1
            if self.failed >= MOST_IN_A_ROW and self.failed > SHARE_OF_DONE * self.done:
                raise MapStoppedError(
                    f"{self.failed} participants in a row failed, the last of them "
                    f"{outcome.participant_id}: {outcome.reason}, {outcome.detail}. That is no "
                    "matter of participants: find the cause, then run again"
                )


class Dispatch:
    """The participants who need work: who waits, who is at a worker, who failed how often."""

    def __init__(
        self,
        client: Client,
        work: Recorded,
        tasks: Mapping[str, Any],
        cluster: ClusterParameters,
        folders: Folders,
        on_gpu: bool,
        done: int,
    ):
        self.client, self.tasks, self.cluster, self.folders = client, tasks, cluster, folders
        local = cluster.kind == "local"
        self.settings = MapSettings(
            map_id=uuid.uuid4().hex,
            code=work.code,
            function=cloudpickle.dumps(work),
            limits=Limits(cluster.threads, cluster.time_limit_minutes, cluster.memory_limit_gb),
            gpus=local_gpus(cluster.gpus) if on_gpu and local else None,
            folders=tuple(folders.identities),
        )
        self.resources = {"GPU": 1} if on_gpu and cluster.gpus and not local else None
        self.waiting = deque(tasks)
        self.again: deque[str] = deque()
        self.failures: Counter[str] = Counter()
        self.ordered_by_similarity = FailuresInARow(done)
        self.pace = Pace()
        self.began: float | None = None  # when the work on the first who came back did
        self.running: dict[Future, Batch] = {}

    def outcomes(self) -> Iterator[Outcome]:
        """Yield an outcome of each participant, as they come.

        Raises
        ------
        MapStoppedError
            If the cause of a failure concerns everybody.
        """
        completed = as_completed()
        try:
            self._fill(completed)
            for future in completed:
                batch = self.running.pop(future)
                outcomes = self._result(future, batch)
                self.folders.check()
                for outcome in outcomes:
                    if self._is_final(outcome):
                        yield outcome
                # whom the batch did not come to; each alone from now on, so that it ends
                self.again.extend(name for name, _ in batch.participants[len(outcomes) :])
                self._fill(completed)
        except (OSError, CancelledError) as error:  # of Dask's own connections
            where = f": start one at {self.cluster.address}" if self.cluster.address else ""
            raise MapStoppedError(
                f"the connection to Dask's scheduler is lost{where}. Then run again"
            ) from error
        finally:
            if self.client.status == "running":
                self.client.cancel(list(self.running))

    def _fill(self, completed: as_completed) -> None:
        """Send out batches until every worker has one and the next.

        Of those who are tried again one at a worker, since one may take the worker with it: whoever
        waits there would be lost too.
        """
        alive = sum(self.client.nthreads().values())
        workers = max(alive, self.cluster.workers)
        while (self.waiting and len(self.running) < TASKS_A_WORKER * workers) or (
            self.again and not self.waiting and len(self.running) < max(alive, 1)
        ):
            batch = self._next_batch(workers)
            future = self.client.submit(work_on, batch, pure=False, resources=self.resources)
            self.running[future] = batch
            completed.add(future)

    def _next_batch(self, workers: int) -> Batch:
        """Return a batch; who comes again is alone, and last: what failed may have passed."""
        pause = 0.0
        if self.waiting:
            size = self.pace.size(len(self.waiting), workers)
            names = [self.waiting.popleft() for _ in range(size)]
        else:
            names = [self.again.popleft()]
            if failures := self.failures[names[0]]:
                pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        participants = tuple((name, cloudpickle.dumps(self.tasks[name])) for name in names)
        return Batch(self.settings, participants, pause)

    def _result(self, future: Future, batch: Batch) -> list[Outcome]:
        """Return what came of a batch, in order; nothing of whom it did not come to."""
        if future.status == "finished":
            try:
                outcomes, seconds = future.result()
            except KilledWorker:  # with the result, which was computed again, until it was given up
                return self._lost(batch)
            if self.began is None:
                self.began = time.monotonic() - seconds
            self.pace.took(sum(outcome.record is not None for outcome in outcomes), seconds)
            return outcomes
        if future.cancelled():
            raise CancelledError
        problem = future.exception()
        if isinstance(problem, KilledWorker):
            return self._lost(batch)
        raise MapStoppedError(
            f"Dask's workers cannot do the work: {type(problem).__name__}: {problem}. Have "
            "they the same environment and the same version of this repository?"
        )

    def _lost(self, batch: Batch) -> list[Outcome]:
        """Return what came of a batch with which workers ended, twice."""
        names = [name for name, _ in batch.participants]
        detail = "Dask lost the worker, more than once"
        lost = Outcome(names[0], reason=Reason.WORKER_LOST, detail=detail)
        if len(names) == 1:
            return [lost]
        self.ordered_by_similarity.count(lost, first=True)  # once: it may be one of them, or none
        return []

    def _is_final(self, outcome: Outcome) -> bool:
        """Count failures; put the participant back where one may pass."""
        name = outcome.participant_id
        if outcome.stops:
            raise MapStoppedError(f"{outcome.detail}: {TO_GO_ON}")
        self.ordered_by_similarity.count(outcome, first=not self.failures[name])
        if outcome.reason not in NOT_OF_DATA:
            return True
        self.failures[name] += 1
        # an unexpected error may have been the process's: once more, in another one
        most = self.cluster.retries if outcome.reason in MAY_PASS else min(self.cluster.retries, 1)
        if self.failures[name] > most:
            return True
        self.again.append(name)
        return False

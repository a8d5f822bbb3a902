"""Send participants to Dask's workers, a few batches at a time, and retry failures."""

import os
import time
import uuid
from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from typing import Any

import cloudpickle
from dask.distributed import Client, Future, KilledWorker, as_completed

from muscle_study.mapping.batches import Batch, MapSettings, Pace, run_batch
from muscle_study.mapping.mounts import WatchedFolders
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Recorded
from muscle_study.mapping.task_result import REMEDY, WORTH_RETRYING, MapStoppedError, TaskResult
from muscle_study.mapping.worker_process import Limits
from muscle_study.protocol.exclusions import MAY_PASS, Reason

#: Running and waiting batches per worker. More would only fill the scheduler's memory.
BATCHES_PER_WORKER = 2

#: Consecutive failures that indicate a systemic cause, if they also exceed a share of the finished
#: participants: the last participants of a cohort may all be hopeless.
MAX_CONSECUTIVE_FAILURES = 20
MAX_SHARE_OF_DONE = 0.1

#: Reasons that may have a systemic cause; time and memory depend on a participant's files.
MAYBE_SYSTEMIC = {Reason.IO_ERROR, Reason.WORKER_LOST, Reason.UNEXPECTED_ERROR}

#: Pause before the first retry (s), doubled for each further one up to the second value.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 60.0


def local_gpus(count: int) -> tuple[str, ...]:
    """Return names of this machine's GPUs, one for each worker.

    Raises
    ------
    MapStoppedError
        If this process may use fewer.
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


class FailureStreak:
    """Count participants that fail one after the other, each at its first attempt.

    Parameters
    ----------
    done
        Number of participants finished earlier.
    """

    def __init__(self, done: int):
        self.done, self.failed = done, 0

    def count(self, result: TaskResult, first: bool) -> None:
        """Count an attempt.

        Raises
        ------
        MapStoppedError
            If the failures indicate a systemic cause.
        """
        if result.reason not in WORTH_RETRYING:
            self.done += 1
            self.failed = 0
        elif first and result.reason in MAYBE_SYSTEMIC:
            self.failed += 1
            too_many = self.failed >= MAX_CONSECUTIVE_FAILURES
            if too_many and self.failed > MAX_SHARE_OF_DONE * self.done:
                raise MapStoppedError(
                    f"{self.failed} participants in a row failed, the last of them "
                    f"{result.participant_id}: {result.reason}, {result.detail}. The cause is "
                    "probably not in their files: find it, then run again"
                )


class Dispatch:
    """Participants that need work: waiting, running or to be retried."""

    def __init__(
        self,
        client: Client,
        work: Recorded,
        tasks: Mapping[str, Any],
        cluster: ClusterParameters,
        folders: WatchedFolders,
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
        self.retries: deque[str] = deque()
        self.failures: Counter[str] = Counter()
        self.streak = FailureStreak(done)
        self.pace = Pace()
        self.began: float | None = None  # start of the work of the first batch that came back
        self.running: dict[Future, Batch] = {}

    def results(self) -> Iterator[TaskResult]:
        """Yield the result of each participant as it comes.

        Raises
        ------
        MapStoppedError
            If the cause of a failure concerns all participants.
        """
        completed = as_completed()
        try:
            self._fill(completed)
            for future in completed:
                batch = self.running.pop(future)
                results = self._results_of(future, batch)
                self.folders.check()
                for result in results:
                    if self._is_final(result):
                        yield result
                # participants not reached by the batch now go one by one, so that the map ends
                self.retries.extend(name for name, _ in batch.participants[len(results) :])
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
        """Send batches until every worker has one and the next.

        Retries go one per worker: a participant may take the worker down, and with it all that
        wait there.
        """
        alive = sum(self.client.nthreads().values())
        workers = max(alive, self.cluster.workers)
        while (self.waiting and len(self.running) < BATCHES_PER_WORKER * workers) or (
            self.retries and not self.waiting and len(self.running) < max(alive, 1)
        ):
            batch = self._next_batch(workers)
            future = self.client.submit(run_batch, batch, pure=False, resources=self.resources)
            self.running[future] = batch
            completed.add(future)

    def _next_batch(self, workers: int) -> Batch:
        """Return a batch; retries come last, since causes may pass, and one by one."""
        pause = 0.0
        if self.waiting:
            size = self.pace.size(len(self.waiting), workers)
            names = [self.waiting.popleft() for _ in range(size)]
        else:
            names = [self.retries.popleft()]
            if failures := self.failures[names[0]]:
                pause = min(FIRST_PAUSE_SECONDS * 2 ** (failures - 1), LONGEST_PAUSE_SECONDS)
        participants = tuple((name, cloudpickle.dumps(self.tasks[name])) for name in names)
        return Batch(self.settings, participants, pause)

    def _results_of(self, future: Future, batch: Batch) -> list[TaskResult]:
        """Return the results of a batch in order, without participants that it did not reach."""
        if future.status == "finished":
            try:
                results, seconds = future.result()
            except KilledWorker:  # the result was lost, computed again and given up
                return self._lost(batch)
            if self.began is None:
                self.began = time.monotonic() - seconds
            self.pace.took(sum(result.record is not None for result in results), seconds)
            return results
        if future.cancelled():
            raise CancelledError
        problem = future.exception()
        if isinstance(problem, KilledWorker):
            return self._lost(batch)
        raise MapStoppedError(
            f"Dask's workers cannot do the work: {type(problem).__name__}: {problem}. Have "
            "they the same environment and the same version of this repository?"
        )

    def _lost(self, batch: Batch) -> list[TaskResult]:
        """Return the results of a batch during which workers ended twice."""
        names = [name for name, _ in batch.participants]
        detail = "Dask lost the worker, more than once"
        lost = TaskResult(names[0], reason=Reason.WORKER_LOST, detail=detail)
        if len(names) == 1:
            return [lost]
        self.streak.count(lost, first=True)  # once, as one of them may be the cause, or none
        return []

    def _is_final(self, result: TaskResult) -> bool:
        """Count failures and put the participant back where a retry may succeed."""
        name = result.participant_id
        if result.stops:
            raise MapStoppedError(f"{result.detail}: {REMEDY}")
        self.streak.count(result, first=not self.failures[name])
        if result.reason not in WORTH_RETRYING:
            return True
        self.failures[name] += 1
        # an unexpected error may be the process's own: one retry in another process
        retries = self.cluster.retries
        if self.failures[name] > (retries if result.reason in MAY_PASS else min(retries, 1)):
            return True
        self.retries.append(name)
        return False

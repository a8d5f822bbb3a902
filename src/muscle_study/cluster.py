"""One map over participants, on local processes, an existing scheduler or SLURM."""

import errno
import os
from asyncio import CancelledError
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Read when Dask is imported, here and in the workers. What it warns of lands in executed notebooks,
# where a date, which its own format begins with, must not stand.
os.environ["DASK_DISTRIBUTED__ADMIN__LOG_FORMAT"] = "%(name)s: %(message)s"

import cloudpickle
import dask
import pandas as pd
from dask.distributed import Client, Future, KilledWorker, LocalCluster, as_completed

from muscle_study.batches import Batch, Pace, work_on
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.exclusions import MAY_PASS, Reason, check_conserved, exclusion_table
from muscle_study.files import sha256
from muscle_study.outcomes import Outcome, attempt
from muscle_study.participant_process import Limits
from muscle_study.progress import Progress
from muscle_study.records import record_key

#: Tasks that a worker has or waits for. More would fill the scheduler's memory, not the worker.
TASKS_A_WORKER = 2

#: So many attempts that fail one after the other are no matter of participants any more.
MOST_FAILURES_IN_A_ROW = 20

#: Reasons that another attempt need not find again.
NOT_OF_DATA = MAY_PASS | {Reason.UNEXPECTED_ERROR}

#: Before a participant is tried for the second time (s); doubled each time.
FIRST_PAUSE_SECONDS = 1.0


class MapStoppedError(RuntimeError):
    """A cause that concerns everybody. What is finished is kept, and the next run goes on."""


class Folders:
    """Folders that the work needs, known by what they are and not by name alone.

    A network file system that goes away leaves an empty folder of the same name, in which work
    would go on unnoticed.

    Parameters
    ----------
    folders
        Each is made if it is not there.
    """

    def __init__(self, folders: Sequence[Path]):
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        self.identities = {folder: self._identity(folder) for folder in folders}

    def check(self) -> None:
        """Stop the map where a folder is gone or another one.

        Raises
        ------
        MapStoppedError
            Naming it.
        """
        for folder, identity in self.identities.items():
            if self._identity(folder) != identity:
                raise MapStoppedError(
                    f"{folder} vanished during the work: is its file system mounted? Then run again"
                )

    @staticmethod
    def _identity(folder: Path) -> tuple[int, int] | None:
        try:
            state = folder.stat()
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ESTALE, errno.EIO):
                return None
            raise
        return state.st_dev, state.st_ino


@contextmanager
def connect(cluster: ClusterParameters) -> Iterator[Client]:
    """Yield a Dask client on the workers that the parameters describe."""
    if cluster.kind == "address":
        with Client(cluster.address) as client:
            yield client
        return
    # A participant does not end its worker (see `participant_process`), so one that ends twice
    # with the same batch is a matter of the batch.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        if cluster.kind == "slurm":
            from dask_jobqueue import SLURMCluster  # only there where SLURM is

            # a job is a worker that does one participant at a time, on all of the job's processors
            job = {"cores": 1, "processes": 1, "job_cpu": cluster.threads}
            workers = SLURMCluster(**job | cluster.slurm)
            # rather than `scale`, which does not replace jobs that reached their time limit
            workers.adapt(minimum=cluster.workers, maximum=cluster.workers)
        else:
            workers = LocalCluster(
                n_workers=cluster.workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                # the worker itself only watches the process that works
                memory_limit=0,
            )
        with workers, Client(workers) as client:
            yield client


def map_participants(
    stage: str,
    function: Callable[[Any], dict],
    tasks: Mapping[str, Any],
    cluster: ClusterParameters,
    *,
    finished: Callable[[Any], dict | None] = lambda task: None,
    folders: Sequence[Path] = (),
    on_gpu: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply `function` to every participant's task.

    Parameters
    ----------
    stage
        Name of the stage, for the exclusions and the progress lines.
    function
        Takes a task, returns a flat record; raises `Excluded` to set the participant aside.
        It and the tasks must pickle.
    tasks
        Participant identifier to task.
    cluster
        Where to run.
    finished
        Called here, before anything is sent to a worker: the record of a participant who needs no
        work, ``None`` for others. Raises `Excluded` of whom that is known already.
    folders
        That `function` reads or writes; the map stops where one vanishes.
    on_gpu
        Whether the work uses a GPU, where there are any.

    Returns
    -------
    records, exclusions : pandas.DataFrame
        Sorted by ``participant_id``, whatever order the workers finished in.

    Raises
    ------
    MapStoppedError
        Where going on makes no sense for anybody: the disk is full, a folder is gone, the scheduler
        is lost, or everyone fails.
    """
    needed = Folders(folders)
    outcomes: dict[str, Outcome] = {}
    with Progress(stage, len(tasks)) as progress:
        for participant_id, task in tasks.items():
            known = attempt(finished, participant_id, task)
            if known.record is not None or (known.reason and known.reason not in NOT_OF_DATA):
                outcomes[participant_id] = known
                progress.advance(reason=known.reason, earlier=True)
        left = {name: task for name, task in tasks.items() if name not in outcomes}
        if left:
            with connect(cluster) as client:
                if client.dashboard_link:  # a scheduler elsewhere may have none
                    progress.say(f"Dask dashboard: {client.dashboard_link}")
                work = _Work(client, function, left, cluster, needed, on_gpu)
                for outcome in work.outcomes():
                    outcomes[outcome.participant_id] = outcome
                    progress.advance(reason=outcome.reason)
    needed.check()
    return tables(stage, tasks, outcomes)


def tables(
    stage: str, tasks: Collection[str], outcomes: Mapping[str, Outcome]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return records and exclusions, each sorted by participant.

    Raises
    ------
    RuntimeError
        When participants do not add up.
    """
    kept = [{"participant_id": name, **outcome.record}
            for name, outcome in outcomes.items() if outcome.record is not None]  # fmt: skip
    excluded = [
        {"participant_id": name, "stage": stage, "reason": outcome.reason, "detail": outcome.detail}
        for name, outcome in outcomes.items()
        if outcome.record is None
    ]
    check_conserved(stage, len(tasks), len(kept), len(excluded))
    records = pd.DataFrame(kept, columns=None if kept else ["participant_id"])
    return (
        records.sort_values("participant_id", ignore_index=True),
        exclusion_table(excluded),
    )


def code_version() -> str:
    """Return a hash of this package's code."""
    package = Path(__file__).parent
    return record_key({str(file): sha256(file) for file in package.rglob("*.py")})


class _Work:
    """The participants who need work: who waits, who is at a worker, who failed how often."""

    def __init__(
        self,
        client: Client,
        function: Callable[[Any], dict],
        tasks: Mapping[str, Any],
        cluster: ClusterParameters,
        folders: Folders,
        on_gpu: bool,
    ):
        self.client, self.tasks, self.cluster, self.folders = client, tasks, cluster, folders
        self.code, self.function = code_version(), cloudpickle.dumps(function)
        self.limits = Limits(cluster.threads, cluster.time_limit_minutes, cluster.memory_limit_gb)
        local = cluster.kind == "local"
        self.gpus = cluster.gpus if on_gpu and local else 0
        self.resources = {"GPU": 1} if on_gpu and cluster.gpus and not local else None
        self.waiting = deque(tasks)
        self.again: deque[str] = deque()
        self.failures: Counter[str] = Counter()
        self.in_a_row = 0
        self.pace = Pace()
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
                for outcome in self._result(future, batch):
                    if self._is_final(outcome):
                        yield outcome
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
        """Send out batches until every worker has one and the next."""
        workers = max(sum(self.client.nthreads().values()), self.cluster.workers)
        while len(self.running) < TASKS_A_WORKER * workers and (self.waiting or self.again):
            batch = self._next_batch(workers)
            future = self.client.submit(work_on, batch, pure=False, resources=self.resources)
            self.running[future] = batch
            completed.add(future)

    def _next_batch(self, workers: int) -> Batch:
        """Return a batch; of those who failed each alone, and last: what failed may have passed."""
        pause = 0.0
        if self.waiting:
            size = self.pace.size(len(self.waiting), workers)
            names = [self.waiting.popleft() for _ in range(size)]
        else:
            names = [self.again.popleft()]
            pause = FIRST_PAUSE_SECONDS * 2 ** (self.failures[names[0]] - 1)
        participants = tuple((name, cloudpickle.dumps(self.tasks[name])) for name in names)
        return Batch(self.code, self.function, participants, self.limits, self.gpus, pause)

    def _result(self, future: Future, batch: Batch) -> list[Outcome]:
        """Return what came of a batch."""
        if future.status == "finished":
            outcomes, seconds = future.result()
            self.pace.took(len(outcomes), seconds)
            return outcomes
        if future.cancelled():
            raise CancelledError
        problem = future.exception()
        if not isinstance(problem, KilledWorker):
            raise MapStoppedError(
                f"Dask's workers cannot do the work: {type(problem).__name__}: {problem}. Have "
                "they the same environment and the same version of this repository?"
            )
        return [
            Outcome(name, reason=Reason.WORKER_LOST, detail="Dask lost the worker, more than once")
            for name, _ in batch.participants
        ]

    def _is_final(self, outcome: Outcome) -> bool:
        """Count failures; put the participant back where one may pass."""
        name = outcome.participant_id
        self.in_a_row = self.in_a_row + 1 if outcome.reason in NOT_OF_DATA else 0
        if outcome.reason in MAY_PASS:
            self.folders.check()
        if outcome.stops:
            raise MapStoppedError(f"{outcome.detail}: put that right, then run again")
        if self.in_a_row >= MOST_FAILURES_IN_A_ROW:
            raise MapStoppedError(
                f"{self.in_a_row} attempts in a row failed, the last of participant {name}: "
                f"{outcome.reason}, {outcome.detail}. That is no matter of participants: find the "
                "cause, then run again"
            )
        if outcome.reason not in MAY_PASS:
            return True
        self.failures[name] += 1
        if self.failures[name] > self.cluster.retries:
            return True
        self.again.append(name)
        return False

"""One map over participants, on local processes, an existing scheduler or SLURM."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Read when Dask is imported, here and in the workers. What it warns of lands in executed notebooks,
# where a date, which its own format begins with, must not stand.
os.environ["DASK_DISTRIBUTED__ADMIN__LOG_FORMAT"] = "%(name)s: %(message)s"

import dask
import pandas as pd
from dask.distributed import Client, LocalCluster

from muscle_study.mapping.dispatch import Dispatch
from muscle_study.mapping.mounts import Folders
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.progress import Progress
from muscle_study.mapping.records import Recorded, Records
from muscle_study.mapping.task_result import NOT_OF_DATA, Outcome, attempt
from muscle_study.mapping.waiting import telling_of_waiting
from muscle_study.protocol.exclusions import check_conserved, exclusion_table


@contextmanager
def connect(cluster: ClusterParameters) -> Iterator[Client]:
    """Yield a Dask client on the workers that the parameters describe."""
    if cluster.kind == "address":
        with Client(cluster.address) as client:
            yield client
        return
    # A participant does not end its worker (see `participant_process`), so one that ends twice
    # with the same batch is a matter of the batch.
    settings = {"distributed.scheduler.allowed-failures": 1}
    if cluster.kind == "local":
        # A worker that is not back after 15 s would be given up for good; a busy machine is slower.
        settings["distributed.deploy.lost-worker-timeout"] = "1 day"
    with dask.config.set(settings):
        if cluster.kind == "slurm":
            from dask_jobqueue import SLURMCluster  # only there where SLURM is

            workers = SLURMCluster(**slurm_job(cluster))
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


def slurm_job(cluster: ClusterParameters) -> dict[str, Any]:
    """Return the keywords of `SLURMCluster`, of which those in the parameters come first."""
    # a job is a worker that does one participant at a time, on all of the job's processors
    job = {"cores": 1, "processes": 1, "job_cpu": cluster.threads} | cluster.slurm
    if cluster.gpus:
        of_the_site = dask.config.get("jobqueue.slurm.worker-extra-args", [])
        given = job.get("worker_extra_args", of_the_site)
        if not any("--resources" in argument for argument in given):
            job["worker_extra_args"] = [*given, "--resources GPU=1"]
    return job


def map_participants(
    stage: str,
    function: Callable[[Any], dict],
    tasks: Mapping[str, Any],
    cluster: ClusterParameters,
    *,
    records: Records,
    folders: Sequence[Path] = (),
    on_gpu: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Apply `function` to every participant's task, or recall what came of it before.

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
    records
        Records of finished and excluded participants: written by the workers, looked up here before
        anything is sent to a worker, and removed of participants without a task.
    folders
        Folders that `function` reads or writes; made if they are not there. The map stops where one
        vanishes, here or for a worker.
    on_gpu
        Whether the work uses a GPU: on this machine each worker has one, or none at all.

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
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    needed = Folders(folders)
    work = Recorded(function, records)
    named_tasks = {name: (name, task) for name, task in tasks.items()}
    outcomes: dict[str, Outcome] = {}
    with Progress(stage, len(tasks)) as progress:
        for participant_id, named_task in named_tasks.items():
            known = attempt(work.recall, participant_id, named_task)
            if known.record is not None or (known.reason and known.reason not in NOT_OF_DATA):
                outcomes[participant_id] = known
                progress.advance(reason=known.reason, earlier=True)
        left = {name: named for name, named in named_tasks.items() if name not in outcomes}
        if left:
            if on_gpu and cluster.kind == "local" and cluster.gpus:
                most = min(cluster.workers, cluster.gpus)
                cluster = cluster.model_copy(update={"workers": most})
            with connect(cluster) as client:
                if client.dashboard_link:  # a scheduler elsewhere may have none
                    progress.say(f"Dask dashboard: {client.dashboard_link}")
                done = len(outcomes)
                dispatch = Dispatch(client, work, left, cluster, needed, on_gpu, done)
                gpu = dispatch.resources is not None
                with telling_of_waiting(client, cluster, gpu, progress.wait):
                    for outcome in dispatch.outcomes():
                        outcomes[outcome.participant_id] = outcome
                        progress.began = dispatch.began or progress.began
                        progress.advance(reason=outcome.reason)
    needed.check()
    records.keep_only(tasks)
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

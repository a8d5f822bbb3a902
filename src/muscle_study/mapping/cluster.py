"""One map over participants, on local processes, an existing scheduler or SLURM."""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# Dask reads this when it is imported, here and in the workers. Its warnings end up in executed
# notebooks, which must not show the date that its own format begins with.
os.environ["DASK_DISTRIBUTED__ADMIN__LOG_FORMAT"] = "%(name)s: %(message)s"

import dask
import pandas as pd
from dask.distributed import Client, LocalCluster

from muscle_study.mapping.dispatch import Dispatch
from muscle_study.mapping.mounts import WatchedFolders
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.progress import Progress
from muscle_study.mapping.records import Recorded, Records
from muscle_study.mapping.task_result import WORTH_RETRYING, TaskResult, attempt
from muscle_study.mapping.worker_watch import warn_without_workers
from muscle_study.protocol.exclusions import check_conserved, exclusion_table


@contextmanager
def connect(cluster: ClusterParameters) -> Iterator[Client]:
    """Yield a Dask client on the workers that the parameters describe."""
    if cluster.kind == "address":
        with Client(cluster.address) as client:
            yield client
        return
    # A participant cannot end the worker (see `worker_process`); if the worker ends twice with a
    # batch, Dask gives up the batch.
    settings = {"distributed.scheduler.allowed-failures": 1}
    if cluster.kind == "local":
        # By default a worker is lost for good after 15 s; on a busy machine it takes longer.
        settings["distributed.deploy.lost-worker-timeout"] = "1 day"
    with dask.config.set(settings):
        if cluster.kind == "slurm":
            from dask_jobqueue import SLURMCluster  # an optional extra

            workers = SLURMCluster(**slurm_job(cluster))
            # rather than `scale`, which does not replace jobs that reached their time limit
            workers.adapt(minimum=cluster.workers, maximum=cluster.workers)
        else:
            workers = LocalCluster(
                n_workers=cluster.workers,
                threads_per_worker=1,
                dashboard_address="127.0.0.1:0",
                # the worker only watches the process that does the work
                memory_limit=0,
            )
        with workers, Client(workers) as client:
            yield client


def slurm_job(cluster: ClusterParameters) -> dict[str, Any]:
    """Return the keywords of `SLURMCluster`; those in the parameters take precedence."""
    # a job is one worker with one participant at a time, on all of the job's processors
    job = {"cores": 1, "processes": 1, "job_cpu": cluster.threads} | cluster.slurm
    if cluster.gpus:
        site = dask.config.get("jobqueue.slurm.worker-extra-args", [])
        given = job.get("worker_extra_args", site)
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
    """Apply `function` to every participant's task, except where a record holds its result.

    Parameters
    ----------
    stage
        Name of the stage, for the exclusions and the progress lines.
    function
        Takes a task, returns its result as a dictionary, or raises `Excluded`. It and the tasks
        must pickle.
    tasks
        Tasks by participant identifier.
    cluster
        Workers.
    records
        Records of finished and excluded participants, which need no worker. Those of participants
        without a task are removed.
    folders
        Folders that `function` reads or writes; missing ones are made. The map stops if one
        vanishes, here or on a worker's machine.
    on_gpu
        Whether the work uses a GPU. On this machine each worker then has its own, or none has one.

    Returns
    -------
    records, exclusions : pandas.DataFrame
        Sorted by ``participant_id``.

    Raises
    ------
    MapStoppedError
        If the cause of a failure concerns all participants: the disk is full, a folder has
        vanished, the scheduler is lost, or all fail.
    """
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    needed = WatchedFolders(folders)
    work = Recorded(function, records)
    named_tasks = {name: (name, task) for name, task in tasks.items()}
    results: dict[str, TaskResult] = {}
    with Progress(stage, len(tasks)) as progress:
        for participant_id, named_task in named_tasks.items():
            known = attempt(work.recall, participant_id, named_task)
            if known.record is not None or (known.reason and known.reason not in WORTH_RETRYING):
                results[participant_id] = known
                progress.advance(reason=known.reason, earlier=True)
        left = {name: named for name, named in named_tasks.items() if name not in results}
        if left:
            if on_gpu and cluster.kind == "local" and cluster.gpus:
                workers = min(cluster.workers, cluster.gpus)
                cluster = cluster.model_copy(update={"workers": workers})
            with connect(cluster) as client:
                if client.dashboard_link:  # an existing scheduler may have none
                    progress.say(f"Dask dashboard: {client.dashboard_link}")
                done = len(results)
                dispatch = Dispatch(client, work, left, cluster, needed, on_gpu, done)
                gpu = dispatch.resources is not None
                with warn_without_workers(client, cluster, gpu, progress.wait):
                    for result in dispatch.results():
                        results[result.participant_id] = result
                        progress.began = dispatch.began or progress.began
                        progress.advance(reason=result.reason)
    needed.check()
    records.keep_only(tasks)
    return result_tables(stage, tasks, results)


def result_tables(
    stage: str, tasks: Collection[str], results: Mapping[str, TaskResult]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return records and exclusions, each sorted by participant.

    Raises
    ------
    RuntimeError
        When participants do not add up.
    """
    kept = [
        {"participant_id": name, **result.record}
        for name, result in results.items()
        if result.record is not None
    ]
    excluded = [
        {"participant_id": name, "stage": stage, "reason": result.reason, "detail": result.detail}
        for name, result in results.items()
        if result.record is None
    ]
    check_conserved(stage, len(tasks), len(kept), len(excluded))
    records = pd.DataFrame(kept, columns=None if kept else ["participant_id"])
    return (
        records.sort_values("participant_id", ignore_index=True),
        exclusion_table(excluded),
    )

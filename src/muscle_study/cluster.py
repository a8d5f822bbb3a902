"""One map over participants, on local processes, an existing scheduler or SLURM."""

import os
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

# Read when Dask is imported, here and in the workers. What it warns of lands in executed notebooks,
# where a date, which its own format begins with, must not stand.
os.environ["DASK_DISTRIBUTED__ADMIN__LOG_FORMAT"] = "%(name)s: %(message)s"

import dask
import pandas as pd
from dask.distributed import Client, LocalCluster, as_completed

from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.exclusions import Excluded, Reason, check_conserved, exclusion_table
from muscle_study.progress import Progress


@contextmanager
def connect(cluster: ClusterParameters) -> Iterator[Client]:
    """Yield a Dask client on the workers that the parameters describe."""
    if cluster.kind == "address":
        with Client(cluster.address) as client:
            yield client
        return
    # Workers read these before they import numpy or torch; too late afterwards.
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), cluster.threads
    )
    with dask.config.set({"distributed.nanny.pre-spawn-environ": threads}):
        if cluster.kind == "slurm":
            from dask_jobqueue import SLURMCluster  # only there where SLURM is

            workers = SLURMCluster(**cluster.slurm)
            workers.scale(cluster.workers)
        else:
            workers = LocalCluster(
                n_workers=cluster.workers,
                threads_per_worker=1,
                dashboard_address=":0",
                # a participant's volumes are far below a machine's memory: no spilling to disk
                memory_limit=0,
            )
        with workers, Client(workers) as client:
            yield client


def attempt(function: Callable[[Any], dict], participant_id: str, task: Any) -> dict:
    """Call `function` for one participant and turn any failure into an exclusion.

    Returns
    -------
    dict
        ``{"record": …}`` or ``{"excluded": …}``.
    """
    try:
        return {"record": {"participant_id": participant_id, **function(task)}}
    except Excluded as excluded:
        reason, detail = excluded.reason, excluded.detail
    except Exception as error:
        # Whatever one participant's files provoke must not stop the other 30,000.
        where = traceback.extract_tb(error.__traceback__)[-1]
        reason = Reason.UNEXPECTED_ERROR
        detail = f"{type(error).__name__}: {error} ({where.name}, line {where.lineno})"
    return {"excluded": {"participant_id": participant_id, "reason": reason, "detail": detail}}


def map_participants(
    stage: str,
    function: Callable[[Any], dict],
    tasks: Mapping[str, Any],
    cluster: ClusterParameters,
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

    Returns
    -------
    records, exclusions : pandas.DataFrame
        Sorted by ``participant_id``, whatever order the workers finished in.
    """
    kept, excluded = [], []
    if tasks:
        with connect(cluster) as client:
            futures = [
                client.submit(attempt, function, participant_id, task, pure=False)
                for participant_id, task in tasks.items()
            ]
            waiting = dict(zip((future.key for future in futures), tasks, strict=True))
            with Progress(stage, len(tasks)) as progress:
                for future in as_completed(futures):
                    if future.status == "finished":
                        outcome = future.result()
                    else:  # the worker died more often than Dask retries
                        lost = {
                            "participant_id": waiting[future.key],
                            "reason": Reason.UNEXPECTED_ERROR,
                            "detail": f"worker lost: {future.exception()}",
                        }
                        outcome = {"excluded": lost}
                    if "record" in outcome:
                        kept.append(outcome["record"])
                    else:
                        excluded.append({"stage": stage, **outcome["excluded"]})
                    future.release()
                    progress.advance(failed="excluded" in outcome)
    check_conserved(stage, len(tasks), len(kept), len(excluded))
    records = pd.DataFrame(kept, columns=None if kept else ["participant_id"])
    return (
        records.sort_values("participant_id", ignore_index=True),
        exclusion_table(excluded),
    )

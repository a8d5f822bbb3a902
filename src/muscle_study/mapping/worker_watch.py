"""Warn while a map has no workers."""

import threading
import time
from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dask.distributed import Client

from muscle_study.mapping.parameters import ClusterParameters

SECONDS_BETWEEN_WARNINGS = 60.0

WHERE_TO_LOOK = {
    "local": "see what Dask said above of its workers",
    "slurm": "see squeue, and what the jobs wrote (log_directory in cluster.slurm)",
    "address": "start some at cluster.address, or see what became of them",
}


@contextmanager
def warn_without_workers(
    client: Client, cluster: ClusterParameters, gpu: bool, warn: Callable[[str], None]
) -> Iterator[None]:
    """Warn every minute while there are no workers, as long as the block runs.

    Parameters
    ----------
    client
        Client of the scheduler.
    cluster
        Expected workers.
    gpu
        Whether only workers with Dask's resource ``GPU`` count.
    warn
        Takes the warning, in a thread of its own.
    """
    ended = threading.Event()

    def watch() -> None:
        last_seen = time.monotonic()
        while not ended.wait(SECONDS_BETWEEN_WARNINGS):
            workers = client.scheduler_info()["workers"].values()
            if any(worker["resources"].get("GPU") or not gpu for worker in workers):
                last_seen = time.monotonic()
            else:
                waited = f"no work for {(time.monotonic() - last_seen) / 60:.0f} min"
                warn(f"{waited}: {_cause(cluster, len(workers))}")

    def watch_while_connected() -> None:
        with suppress(OSError, RuntimeError, CancelledError):  # the map itself reports a loss
            watch()

    threading.Thread(target=watch_while_connected, daemon=True).start()
    try:
        yield
    finally:
        ended.set()


def _cause(cluster: ClusterParameters, workers: int) -> str:
    if workers:
        return (
            f"none of Dask's {workers} workers has a GPU to offer: "
            'start workers with --resources "GPU=1", or set cluster.gpus to 0'
        )
    return f"Dask has no worker: {WHERE_TO_LOOK[cluster.kind]}"

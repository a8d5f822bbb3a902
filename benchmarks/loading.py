"""Training patches per second: the study's data module and TorchIO's queue."""

from collections.abc import Callable, Iterable

import pandas as pd

from benchmarks.measured import measure
from benchmarks.study import plain_queue, training_data
from benchmarks.tables import comparison_table
from muscle_study.publishing.result import Result

#: Threads of a loader, beside the worker processes of `training.loader_workers`.
THREADS = 1
#: Participants whose patches the plain queue mixes.
QUEUE_VOLUMES = 8
OUR_EPOCHS, PLAIN_EPOCHS = 3, 1
CAPTION = (
    "An epoch of training patches. Ours: the data module's loader, whose volumes are prepared once "
    f"per training, before; median of {OUR_EPOCHS} epochs. TorchIO: its queue with patches of "
    f"{QUEUE_VOLUMES} participants over a plain dataset of the same files, one epoch, with the "
    "same transforms, sampler and number of worker processes."
)


def prepare_ours(run: str) -> Callable[[], int]:
    """Return an epoch of the study's loader, whose volumes are prepared before."""
    loader = training_data(run).train_dataloader()
    return lambda: count_patches(loader)


def prepare_plain(run: str) -> Callable[[], int]:
    """Return an epoch of the plain queue, which reads the volumes in every epoch."""
    loader = plain_queue(run, QUEUE_VOLUMES)
    return lambda: count_patches(loader)


def count_patches(batches: Iterable[dict]) -> int:
    """Draw every patch of an epoch; return their number."""
    return sum(len(batch["image"]) for batch in batches)


def compare(run: str) -> list[Result]:
    """Measure an epoch of each on the run's training participants."""
    rows = []
    for name, prepare, epochs in (
        ("ours", prepare_ours, OUR_EPOCHS),
        ("TorchIO queue", prepare_plain, PLAIN_EPOCHS),
    ):
        done = measure(prepare, run, threads=THREADS, runs=epochs)
        rows.append(
            {
                "loader": name,
                "patches": done.result,
                "seconds": done.seconds,
                "patches_per_second": done.result / done.seconds,
            }
        )
    table = pd.DataFrame(rows)
    table["times_plain"] = table["patches_per_second"] / table["patches_per_second"].iloc[-1]
    heads = ("Loader", "Patches", "Seconds", "Patches a second", "Times TorchIO's")
    return [comparison_table("loading", table, heads, CAPTION)]

"""Overhead of Dask at the NAKO's number of participants."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from dask.distributed import as_completed

from benchmarks.measured import measure
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.mapping.cluster import connect, map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Recorded, Records
from muscle_study.protocol.files import write_table
from muscle_study.protocol.paths import SCHEDULER
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load

#: Participants of the published study.
PARTICIPANTS = 27_805
WORKERS = 2

MOST_MS, MOST_GB, MOST_SCAN_SECONDS = 2.0, 1.0, 10.0

HEADS = ("Way", "Participants", "Seconds", "Milliseconds a participant", "Peak memory, GB")
CAPTION = (
    f"{PARTICIPANTS} participants without work on {WORKERS} local workers, from the call to the "
    "tables, including the start of the workers. Ours: batches, few at a time. One future a "
    "participant: Dask's `submit` of all participants at once. Nothing to do: the map over "
    "finished participants, each with a record and four input files. Records are in memory, to "
    "exclude the disk. Memory: peak of the process with scheduler and client."
)


def nothing(number: int) -> dict:
    """Return a minimal record."""
    return {"number": number}


def _cluster() -> ClusterParameters:
    return load("demo").cluster.model_copy(update={"workers": WORKERS})


def in_memory() -> tempfile.TemporaryDirectory:
    """Return a temporary folder in memory, where syncing files is free."""
    return tempfile.TemporaryDirectory(dir="/dev/shm")


def tasks(participants: int) -> dict[str, int]:
    """Return a task for each participant."""
    return {str(number): number for number in range(participants)}


def prepare_map(participants: int) -> Callable[[], int]:
    """Return the stages' map over participants."""
    folder = in_memory()
    records = Records(Path(folder.name))

    def work() -> int:
        done, _ = map_participants("", nothing, tasks(participants), _cluster(), records=records)
        folder.cleanup()
        return len(done)

    return work


def prepare_futures(participants: int) -> Callable[[], int]:
    """Return the baseline: a future for each participant."""

    def work() -> int:
        with connect(_cluster()) as client:
            futures = [client.submit(nothing, number, pure=False) for number in range(participants)]
            done = 0
            for future in as_completed(futures):
                future.result()
                future.release()
                done += 1
        return done

    return work


def prepare_scan(participants: int) -> Callable[[], int]:
    """Return the map over finished participants with four input files each."""
    folder = in_memory()

    def inputs(number: int) -> list[Path]:
        return [Path(folder.name) / f"{number}.{contrast}" for contrast in range(4)]

    records = Records(Path(folder.name) / "records", inputs=inputs)
    recorded = Recorded(nothing, records)
    for name, number in tasks(participants).items():
        for file in inputs(number):
            file.touch()
        recorded((name, number))

    def work() -> int:
        done, _ = map_participants("", nothing, tasks(participants), _cluster(), records=records)
        folder.cleanup()
        return len(done)

    return work


def compare(_run: str, participants: int = PARTICIPANTS) -> list[Result]:
    """Measure the map, the baseline, and the map over finished participants."""
    rows = []
    for way, prepare in (
        ("ours", prepare_map),
        ("one future a participant", prepare_futures),
        ("ours, nothing to do", prepare_scan),
    ):
        done = measure(prepare, participants, threads=1, runs=1)
        if done.result != participants:
            raise RuntimeError(f"{way}: {done.result} of {participants} participants came back")
        ms = 1000 * done.seconds / participants
        rows.append({"way": way, "participants": participants, "seconds": done.seconds,
                     "ms": ms, "peak_gb": done.peak_gb})  # fmt: skip
    table = pd.DataFrame(rows)
    ours, _, scan = rows
    write_table(table, SCHEDULER)  # for the report's estimate of the scheduler's limit
    bars = [
        Bar("ours: milliseconds a participant", ours["ms"], most=MOST_MS),
        Bar("ours: GB with the scheduler", ours["peak_gb"], most=MOST_GB),
        Bar("nothing to do: seconds", scan["seconds"], most=MOST_SCAN_SECONDS),
    ]
    return [comparison_table("cluster", table, HEADS, CAPTION), bars_table("cluster", bars)]

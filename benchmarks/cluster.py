"""What Dask costs at the NAKO's number of participants, when the work itself costs nothing."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from dask.distributed import as_completed

from benchmarks.measured import measure
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.mapping.cluster import connect, map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import recall, record_key, stamps
from muscle_study.protocol.files import write_table
from muscle_study.protocol.paths import SCHEDULER
from muscle_study.publishing.table import Table
from muscle_study.running.parameters import load

#: Participants of the published study.
PARTICIPANTS = 27_805
WORKERS = 2

MOST_MS, MOST_GB, MOST_SCAN_SECONDS = 2.0, 1.0, 10.0

HEADS = ("Way", "Participants", "Seconds", "Milliseconds a participant", "Peak memory, GB")
CAPTION = (
    f"{PARTICIPANTS} participants with no work on {WORKERS} local workers, from the call to the "
    "tables. Ours: batches, few of them with the workers at a time. One future a participant: "
    "Dask's `submit` of all participants at once, results taken as they come. Nothing to do: the "
    "map over participants who are all finished, each with a record and four input files. Memory: "
    "the most that the process with the scheduler and the client held. Starting the workers is "
    "in the seconds."
)


def nothing(number: int) -> dict:
    """Return the least that a record can be."""
    return {"number": number}


def _cluster() -> ClusterParameters:
    return load("demo").cluster.model_copy(update={"workers": WORKERS})


def prepare_map(participants: int) -> Callable[[], int]:
    """Return the map over participants as the stages use it."""
    tasks = {str(number): number for number in range(participants)}

    def work() -> int:
        records, _ = map_participants("nothing", nothing, tasks, _cluster())
        return len(records)

    return work


def prepare_futures(participants: int) -> Callable[[], int]:
    """Return the plainest way: a future for each participant."""

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


class Finished:
    """A cohort of finished participants on disk, as a stage finds it when it is run again."""

    def __init__(self, folder: Path):
        self.folder = folder

    def inputs(self, number: int) -> list[Path]:
        """Return the participant's input files."""
        return [self.folder / f"{number}.{contrast}" for contrast in range(4)]

    def record(self, number: int) -> Path:
        """Return the file of the participant's record."""
        return self.folder / "records" / f"{number}.json"

    def make(self, participants: int) -> None:
        """Write everybody's files. Records go without a sync, which would take minutes."""
        (self.folder / "records").mkdir()
        for number in range(participants):
            for file in self.inputs(number):
                file.touch()
            seen = record_key(stamps(self.inputs(number)))
            stored = {"key": "", "seen": seen, "record": nothing(number)}
            self.record(number).write_text(json.dumps(stored))

    def __call__(self, number: int) -> dict | None:
        """Return the record of a participant who needs no work."""
        return recall(self.record(number), record_key(stamps(self.inputs(number))))


def prepare_scan(participants: int) -> Callable[[], int]:
    """Return the map over a cohort that is finished."""
    folder = tempfile.TemporaryDirectory()
    finished = Finished(Path(folder.name))
    finished.make(participants)
    tasks = {str(number): number for number in range(participants)}

    def work() -> int:
        records, _ = map_participants("nothing", nothing, tasks, _cluster(), finished=finished)
        folder.cleanup()
        return len(records)

    return work


def compare(_run: str, participants: int = PARTICIPANTS) -> list[Table]:
    """Measure the map, its baseline, and the map with nothing left to do."""
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
    write_table(table, SCHEDULER)  # the report counts with it
    bars = [
        Bar("ours: milliseconds a participant", ours["ms"], most=MOST_MS),
        Bar("ours: GB with the scheduler", ours["peak_gb"], most=MOST_GB),
        Bar("nothing to do: seconds", scan["seconds"], most=MOST_SCAN_SECONDS),
    ]
    return [comparison_table("cluster", table, HEADS, CAPTION), bars_table("cluster", bars)]

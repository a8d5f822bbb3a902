"""What the map over participants costs by itself: the paper's number of them, and no work."""

import resource
import time

import pandas as pd

from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.cluster import map_participants
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.files import write_table
from muscle_study.paths import SCHEDULER
from muscle_study.statistics.table import Table

PARTICIPANTS = 27_805
WORKERS = 2

HEADS = ("Participants", "Workers", "Seconds", "ms a participant", "of a core, ms", "Memory, GB")
CAPTION = (
    "The map over participants with work that does nothing, on local processes. Milliseconds by "
    "the clock, and of a core in the process that holds scheduler and client, which other programs on "
    "the machine do not change; peak memory is that process's."
)


def nothing(_task: None) -> dict:
    """Do no work."""
    return {}


def measure_map(participants: int, workers: int) -> pd.DataFrame:
    """Return one row: what a map over so many participants without work costs."""
    cluster = ClusterParameters(kind="local", workers=workers, threads=1)
    tasks = {str(100_000 + number): None for number in range(participants)}
    begun, busy = time.perf_counter(), time.process_time()
    records, _ = map_participants("no work", nothing, tasks, cluster)
    seconds, core = time.perf_counter() - begun, time.process_time() - busy
    if len(records) != participants:
        raise RuntimeError(f"{len(records)} of {participants} came back")
    return pd.DataFrame(
        {
            "participants": [participants],
            "workers": [workers],
            "seconds": [round(seconds, 2)],
            "ms_a_participant": [round(1000 * seconds / participants, 3)],
            "core_ms_a_participant": [round(1000 * core / participants, 3)],
            "peak_gb": [round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2, 3)],
        }
    )


def compare(_run: str) -> list[Table]:
    """Measure the map; keep the result where the statistics find it."""
    rows = measure_map(PARTICIPANTS, WORKERS)
    write_table(rows, SCHEDULER)
    found = rows.iloc[0]
    bars = [
        Bar("Milliseconds a participant in the map", found["ms_a_participant"], most=2),
        Bar("Memory of the scheduler, GB", found["peak_gb"], most=1),
    ]
    return [comparison_table("scheduler", rows, HEADS, CAPTION), bars_table("scheduler", bars)]

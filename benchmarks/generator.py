"""Time and memory of making a synthetic participant."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from benchmarks.measured import measure
from benchmarks.participant import NAKO_MM, cohort_parameters, draw_task
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.cohort.participant import make_participant, spacing_name
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load as load_parameters

THREADS, RUNS = 1, 3
#: Greatest seconds per participant, on the demo's grid and on the NAKO's.
MOST_SECONDS = (3.0, 25.0)
MOST_GB = 2.0
CAPTION = (
    "A synthetic participant, from drawn sizes to written images: median of "
    f"{RUNS} runs on one thread, and peak memory of the process."
)


def prepare(spacing_mm: tuple[float, ...]) -> Callable[[], None]:
    """Return a function that makes one participant."""
    parameters = cohort_parameters(spacing_mm)
    task = draw_task(parameters)

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            raw = Path(folder)
            make_participant(task, raw, parameters)

    return work


def compare(_run: str) -> list[Result]:
    """Measure a participant on the demo's grid and on the NAKO's."""
    demo_mm = tuple(load_parameters("demo").cohort.imaging.spacing_mm)
    rows, bars = [], []
    for spacing_mm, most in zip((demo_mm, NAKO_MM), MOST_SECONDS, strict=True):
        name = spacing_name(list(spacing_mm))
        made = measure(prepare, spacing_mm, threads=THREADS, runs=RUNS)
        rows.append({"spacing_mm": name, "seconds": made.seconds, "peak_gb": made.peak_gb})
        bars += [
            Bar(f"seconds a participant at {name} mm", made.seconds, most=most),
            Bar(f"GB at {name} mm", made.peak_gb, most=MOST_GB),
        ]
    heads = ("Voxel edges, mm", "Seconds", "Peak memory, GB")
    return [
        comparison_table("generator", pd.DataFrame(rows), heads, CAPTION),
        bars_table("generator", bars),
    ]

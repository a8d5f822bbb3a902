"""Speed-up of inference by a second worker, and growth of memory with participants.

Participants are copies of a run's: links to curated images under new identifiers.
"""

import os
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import psutil

from benchmarks.measured import peak_gb
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.inference.stage import segment_cohort
from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load

FEW, MANY = 20, 200
LEAST_SPEEDUP, MOST_GROWTH = 1.8, 1.1
SECONDS_BETWEEN_LOOKS = 0.5

HEADS = ("Workers", "Participants", "Seconds", "Peak memory of a worker, GB")
CAPTION = (
    "Inference for copies of a run's participants with the run's network, one thread per worker, "
    "from the call of the stage to its tables. Memory: peak of the processes that work on "
    "participants, recorded by the operating system."
)


@dataclass(frozen=True)
class Measured:
    """Duration of the stage and peak memory of a worker."""

    seconds: float
    peak_gb: float


def copy_run(run: str, output: Path, participants: int) -> RunPaths:
    """Create a run with this number of participants under `output`; return its paths."""
    of, output = RunPaths(run), output.resolve()
    source, curated = of.curated, output / "data" / "copied" / "curated"
    table = read_table(source / "participants.csv")
    rows = []
    for number in range(participants):
        row = table.iloc[number % len(table)]
        copied = f"{900_000 + number}"
        shutil.copytree(
            source / "images" / row["participant_id"], curated / "images" / copied,
            copy_function=os.symlink,
        )  # fmt: skip
        rows.append(row.to_dict() | {"participant_id": copied})
    write_table(pd.DataFrame(rows), curated / "participants.csv")
    shutil.copy(source / "source.json", curated)
    (output / "data" / "copied" / "model").symlink_to(of.model)
    os.environ["MUSCLE_STUDY_OUTPUT"] = str(output)
    return RunPaths("copied")


class PeakOfWorkers(threading.Thread):
    """Thread that records the peak memory of processes that work on participants."""

    def __init__(self):
        super().__init__(daemon=True)
        self.peak_gb, self.ended = 0.0, threading.Event()

    def run(self) -> None:
        """Poll until the event ``ended`` is set."""
        while not self.ended.wait(SECONDS_BETWEEN_LOOKS):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                    if "muscle_study.mapping.worker_process" in process.cmdline():
                        self.peak_gb = max(self.peak_gb, peak_gb(process.pid))


def infer(run: str, workers: int, participants: int) -> Measured:
    """Run inference on copies of a run's participants."""
    parameters = load(run)
    cluster = parameters.cluster.model_copy(update={"workers": workers, "threads": 1})
    before = os.environ.get("MUSCLE_STUDY_OUTPUT", "")
    with TemporaryDirectory() as folder:
        paths = copy_run(run, Path(folder), participants)
        watch = PeakOfWorkers()
        watch.start()
        started = time.perf_counter()
        records, _ = segment_cohort(paths, parameters.inference, cluster)
        seconds = time.perf_counter() - started
        watch.ended.set()
        watch.join()
    os.environ["MUSCLE_STUDY_OUTPUT"] = before
    if len(records) != participants:
        raise RuntimeError(f"{len(records)} of {participants} participants were segmented")
    return Measured(seconds, watch.peak_gb)


def compare(run: str, few: int = FEW, many: int = MANY) -> list[Result]:
    """Measure one and two workers on many participants, and two on few."""
    asked = ((1, many), (2, many), (2, few))
    done = [infer(run, *of) for of in asked]
    one, two, short = done
    table = pd.DataFrame(
        [{"workers": workers, "participants": participants, "seconds": measured.seconds,
          "peak_gb": measured.peak_gb}
         for (workers, participants), measured in zip(asked, done, strict=True)]
    )  # fmt: skip
    bars = [
        Bar("two workers: times as fast as one", one.seconds / two.seconds, least=LEAST_SPEEDUP),
        Bar(
            f"peak memory of a worker, {many} participants against {few}",
            two.peak_gb / short.peak_gb,
            most=MOST_GROWTH,
        ),
    ]
    return [comparison_table("workers", table, HEADS, CAPTION), bars_table("workers", bars)]

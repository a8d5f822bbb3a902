"""`make all` without work in a cohort of finished participants."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest.mock import patch

import pandas as pd

from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.protocol.files import read_json, write_json
from muscle_study.protocol.paths import REFERENCE, ROOT, RunPaths
from muscle_study.protocol.provenance import manifest_of
from muscle_study.protocol.stages import NOTEBOOK_STAGES, STAGES
from muscle_study.publishing.result import Result

#: Participants of the paper.
PARTICIPANTS = 27_805

#: Run with the parameters: raw data from elsewhere, whose files make has to inspect.
RUN = "nako"
SERIES = ("W", "F", "in", "opp")
REPEATS = 3

HEADS = ("Participants", "Files", "Seconds", "Seconds of processors")
CAPTION = (
    "`make all` without work: empty files and records of a finished run on real data, one zip per "
    f"series in the export. Median of {REPEATS} repetitions, wall-clock and processor time, of "
    "which the latter does not depend on other programs."
)


def fabricate(output: Path, participants: int) -> tuple[Path, int]:
    """Write nearly empty files of a finished run to an empty folder, `OUT` of make.

    Returns
    -------
    source : Path
        Folder of the raw data.
    files : int
        Number of files.
    """
    source, data, reports = output / "export", output / "data" / RUN, output / "reports" / RUN
    folders = {
        name: data / name for name in ("curated/images", "curated/records", "segmentations/records")
    }
    for folder in (source / "images", *folders.values(), reports / "notebooks"):
        folder.mkdir(parents=True)
    for number in range(participants):
        one = str(100_000 + number)
        for series in SERIES:
            (source / "images" / f"{one}_30_3D_GRE_TRA_{series}_COMPOSED.zip").touch()
        images = folders["curated/images"] / one
        images.mkdir()
        for contrast in ("water", "fat", "in_phase", "opposed_phase"):
            (images / f"{contrast}.nii").touch()
        (data / "segmentations" / f"{one}.nii.gz").touch()
        for name in ("curated/records", "segmentations/records"):
            (folders[name] / f"{one}.json").write_text('{"key": "", "record": {}}\n')
    names = ["study.kind", *read_json(REFERENCE / "demo.json")["values"]]  # for the summary
    numbers = {name: {"text": "1", "value": 1.0, "cell": ""} for name in names}
    write_json(numbers, reports / "numbers" / "statistics.json")
    for stage in list(NOTEBOOK_STAGES)[1:]:
        write_json({"seconds": 1.0, "peak_mb": 1.0}, manifest_of(stage, RunPaths(RUN)))
    return source, participants * (2 * len(SERIES) + 3)


def make_all(output: Path, source: Path, *arguments: str) -> tuple[float, float, str]:
    """Return wall-clock and processor seconds of `make all`, and its output.

    Raises
    ------
    RuntimeError
        If make fails, with its output.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    begun, busy = time.perf_counter(), _seconds_of_children()
    done = subprocess.run(
        ["make", *arguments, "all", f"RUN={RUN}", f"OUT={output}", f"PYTHON={sys.executable}",
         f"SET=curation.source={source}"],
        cwd=ROOT, env=own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds, worked = time.perf_counter() - begun, _seconds_of_children() - busy
    if done.returncode:
        raise RuntimeError(f"make all failed:\n{done.stderr}")
    return seconds, worked, done.stdout


def _seconds_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def finish(output: Path, source: Path) -> None:
    """Bring the run up to date: slices of the parameters, then results."""
    make_all(output, source, "-n")  # writes the slices
    for stage in list(STAGES)[1:]:
        RunPaths(RUN).target(stage).touch()


def measure_idle(participants: int) -> pd.DataFrame:
    """Return one row per repetition of `make all`.

    Raises
    ------
    RuntimeError
        If make had work to do.
    """
    with (
        tempfile.TemporaryDirectory(prefix="idle-") as folder,
        patch.dict(os.environ, MUSCLE_STUDY_OUTPUT=folder),
    ):
        output = Path(folder)
        source, files = fabricate(output, participants)
        finish(output, source)
        rows = []
        for _ in range(REPEATS):
            seconds, worked, said = make_all(output, source)
            if "started" in said or not said.startswith(f"Run {RUN}"):
                raise RuntimeError(f"make all had something to do:\n{said}")
            rows.append((participants, files, seconds, worked))
    return pd.DataFrame(rows, columns=["participants", "files", "seconds", "processor_seconds"])


def compare(_run: str) -> list[Result]:
    """Measure `make all` without work for the paper's number of participants."""
    found = measure_idle(PARTICIPANTS)
    rows = found.median().to_frame().T.astype({"participants": int, "files": int})
    bar = Bar("Seconds of `make all` without work", float(rows["seconds"].iloc[0]), most=10)
    return [comparison_table("idle", rows, HEADS, CAPTION), bars_table("idle", [bar])]

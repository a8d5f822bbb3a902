"""Recompute the tables of a finished run from its segmentations, in a separate folder."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.checks.chain import Checked
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import NOTEBOOKS, RunPaths
from muscle_study.protocol.provenance import MANIFEST
from muscle_study.protocol.stages import STAGES
from muscle_study.running.runner import execute

#: Stages run again.
AGAIN = ("measurement", "statistics", "extensions")

#: Largest relative difference explained by another machine's floating point: sums in another order
#: differ by about 1e-12, and tables hold nine digits.
TOLERANCE = 1e-6

#: Durations, which differ between runs.
TIMED = {"model.minutes"}


@contextmanager
def elsewhere(paths: RunPaths, folder: Path) -> Iterator[RunPaths]:
    """Yield a run of the same name in `folder`, with links to the run's inputs.

    Parameters
    ----------
    paths
        The run, which is only read.
    folder
        An empty folder.
    """
    data = folder / "data" / paths.run
    data.mkdir(parents=True)
    rewritten = (paths.measurements, paths.analysis, paths.parameters, folder)
    for own in paths.data.iterdir():
        if own.is_dir() and own not in rewritten:
            (data / own.name).symlink_to(own, target_is_directory=True)
    before = os.environ.get("MUSCLE_STUDY_OUTPUT")
    os.environ["MUSCLE_STUDY_OUTPUT"] = str(folder)
    try:
        yield RunPaths(paths.run)
    finally:
        if before is None:
            del os.environ["MUSCLE_STUDY_OUTPUT"]
        else:
            os.environ["MUSCLE_STUDY_OUTPUT"] = before


def derive_again(
    paths: RunPaths, manifests: dict[str, dict], cluster: ClusterParameters, folder: Path
) -> list[tuple[Path, Path]]:
    """Run measurement and statistics again, with the run's parameters.

    Parameters
    ----------
    paths
        The run, with its segmentations.
    manifests
        From `read_manifests`.
    cluster
        Workers for the participants.
    folder
        An empty folder for the derived files.

    Returns
    -------
    list of tuple
        Each table and file of numbers of the run, with its derived counterpart.

    Raises
    ------
    StageError, NotebookError
        If the present notebooks do not run with the run's parameters.
    """
    finished = [(paths.measurements, "*.csv"), (paths.tables, "*.csv"), (paths.numbers, "*.json")]
    wanted = {name for stage in AGAIN for name in _outputs(paths, manifests[stage])}
    own = [path for place, kind in finished for path in sorted(place.glob(kind)) if path in wanted]
    # now, since `elsewhere` moves the root of all paths
    output, measured = paths.output, paths.measurements
    with elsewhere(paths, folder) as again:
        for stage in AGAIN:
            source = NOTEBOOKS / f"{STAGES[stage].notebook}.ipynb"
            changes = {
                STAGES[stage].section: manifests[stage]["parameters"],
                "cluster": cluster.model_dump(mode="json"),
            }
            values = {"run": paths.run, "changes": changes}
            execute(stage, source, values, again.notebooks, {}, lambda: None)
            if stage == "measurement":  # the statistics say with what, and how long it took
                shutil.copy(measured / MANIFEST, again.measurements)
                shutil.rmtree(again.measurements / "records")
                (again.measurements / "records").symlink_to(measured / "records")
    return [(path, folder / path.relative_to(output)) for path in own]


def _outputs(paths: RunPaths, manifest: dict) -> Iterator[Path]:
    for folder, files in manifest["outputs"].items():
        yield from (paths.output / folder / name for name in files)


def compare(pairs: list[tuple[Path, Path]], output: Path) -> Checked:
    """Compare tables and numbers with the recomputed ones.

    Files are compared by bytes; if these differ, by cells within `TOLERANCE`, with a note.
    """
    checked = Checked(files=len(pairs))
    for own, again in pairs:
        name = own.relative_to(output).as_posix()
        if not again.exists():
            checked.problems.append(f"{name}: not derived again")
        elif own.read_bytes() != again.read_bytes():
            off = list((_numbers_off if own.suffix == ".json" else _table_off)(own, again))
            checked.problems += [f"{name}: {what}" for what in off]
            if not off:
                checked.notes.append(
                    f"{name}: not the same bytes, each value within {TOLERANCE:g} of its own size"
                )
    return checked


def is_close(value: float | None, other: float | None, tolerance: float = TOLERANCE) -> bool:
    """Return whether two values agree within a relative tolerance; both may be missing."""
    if value is None or other is None:
        return value is other
    return bool(np.isclose(value, other, rtol=tolerance, atol=1e-12, equal_nan=True))


def _table_off(own: Path, again: Path) -> Iterator[str]:
    was, now = (pd.read_csv(path, dtype={"participant_id": str}) for path in (own, again))
    if list(was.columns) != list(now.columns) or len(was) != len(now):
        yield (
            f"{len(was)} rows and {len(was.columns)} columns; derived again, "
            f"{len(now)} and {len(now.columns)}, or other columns"
        )
        return
    for column in was.columns:
        values, others = was[column], now[column]
        if all(pd.api.types.is_numeric_dtype(one) for one in (values, others)):
            same = np.isclose(
                values.astype(float), others.astype(float), rtol=TOLERANCE, atol=1e-12,
                equal_nan=True,
            )  # fmt: skip
        else:
            same = (values.fillna("") == others.fillna("")).to_numpy()
        if not same.all():
            row = int(np.argmin(same))
            yield (
                f"{column}, {(~same).sum()} values off; row {row + 2}: {values[row]}, derived "
                f"again {others[row]}"
            )


def _numbers_off(own: Path, again: Path) -> Iterator[str]:
    was, now = read_json(own), read_json(again)
    for name in sorted(was.keys() | now.keys()):
        if name in TIMED:
            continue
        one, other = was.get(name), now.get(name)
        if one is None or other is None:
            yield f"{name}: only {'derived again' if one is None else 'in the run'}"
        elif one["text"] != other["text"] and one["value"] is None:
            yield f"{name}: {one['text']}, derived again {other['text']}"
        elif not is_close(one["value"], other["value"]):
            yield f"{name}: {one['value']}, derived again {other['value']}"

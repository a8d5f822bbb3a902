"""All checks of a finished run."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from muscle_study.checks.chain import Checked, check_chain, check_volumes, read_manifests
from muscle_study.checks.rederive import compare, derive_again
from muscle_study.checks.reference import check_reference
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.protocol.paths import RunPaths
from muscle_study.running.kernel import OwnKernel
from muscle_study.running.lock import run_lock


def verify(run: str, cluster: ClusterParameters) -> tuple[list[str], int]:
    """Check a finished run: hashes, recomputed tables, reference values.

    Parameters
    ----------
    run
        Its name.
    cluster
        Workers for the measurement.

    Returns
    -------
    lines : list of str
        Lines to print.
    problems : int
        Number of problems.

    Raises
    ------
    VerificationError
        If the run has not finished.
    RunLockedError
        If it is being worked on.
    """
    paths = RunPaths(run)
    with run_lock(paths.data, "verification") as lock:
        OwnKernel.inherited = [lock]
        found = _check(paths, cluster)
    lines = [line for what, checked in found.items() for line in _lines(what, checked)]
    return lines, sum(len(checked.problems) for checked in found.values())


def _check(paths: RunPaths, cluster: ClusterParameters) -> dict[str, Checked]:
    manifests = read_manifests(paths)
    found = {
        "files that manifests name": check_chain(paths, manifests),
        "raw files, curated volumes and label maps": check_volumes(paths, manifests),
    }
    with _empty(paths.verification) as folder:
        pairs = derive_again(paths, manifests, cluster, folder)
        found["tables derived again from the label maps"] = compare(pairs, paths.output)
    found["values beside the reference"] = check_reference(paths)
    return found


@contextmanager
def _empty(folder: Path) -> Iterator[Path]:
    """Yield an empty folder, and remove it afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _lines(what: str, checked: Checked) -> Iterator[str]:
    off = len(checked.problems)
    yield f"{'as they should be' if not off else f'{off} off':<18} {checked.files:>6} {what}"
    yield from (f"    OFF: {problem}" for problem in checked.problems)
    yield from (f"    {note}" for note in checked.notes)

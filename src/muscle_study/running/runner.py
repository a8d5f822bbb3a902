"""Execute a stage's notebook for a run, completely or without effect."""

import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
from nbclient.exceptions import CellExecutionError, DeadKernelError
from papermill.exceptions import PapermillExecutionError

from muscle_study.mapping import progress
from muscle_study.mapping.parent_watch import exit_with_parent
from muscle_study.mapping.worker_process import HUGE_PAGES
from muscle_study.protocol.files import whole_file
from muscle_study.protocol.paths import NOTEBOOKS, PUBLISHED, ROOT, RunPaths
from muscle_study.protocol.provenance import (
    SOURCE,
    SOURCE_TABLES,
    Hashes,
    folder_hashes,
    hashes,
    hashes_of_results,
    manifest_of,
    write_manifest,
)
from muscle_study.protocol.stages import STAGES
from muscle_study.running import retry
from muscle_study.running.documents import read_changes
from muscle_study.running.kernel import OwnKernel, kill_kernels
from muscle_study.running.lock import run_lock
from muscle_study.running.notebooks import check_notebook, describe_failure, without_machine
from muscle_study.running.parameters import StudyParameters, load
from muscle_study.running.slices import keep_used, write_slices
from muscle_study.running.terminal import StageLine


class StageError(Exception):
    """A stage that cannot start or has failed. The message names the remedy."""


def run_stage(stage: str, run: str, overrides: list[str], only_again: bool = False) -> Path:
    """Run a stage: write its results, its manifest and its executed notebook.

    Parameters
    ----------
    stage
        Name of a stage that has a notebook.
    run
        Name of the parameter file.
    overrides
        Such as ``"training.max_epochs=3"``.
    only_again
        Whether only transient failures of participants are the cause.

    Returns
    -------
    Path
        The executed notebook.

    Raises
    ------
    ParameterError, NotebookError, RunLockedError, StageError
        With a message for the person who started the run.
    """
    paths, changes = RunPaths(run), read_changes(overrides)
    parameters = load(run, changes)
    if getattr(parameters, STAGES[stage].section) is None:
        raise StageError(f"params/{run}.yaml has no section {stage}: this run has no such stage")
    with run_lock(paths.data, stage) as lock:
        OwnKernel.inherited = [lock]
        before = retry.Finished.read(stage, paths) if only_again else None
        copy = _run_locked(stage, parameters, changes, paths)
        if before is not None:
            before.restore_if_same(stage, paths)
        return copy


def _run_locked(
    stage: str, parameters: StudyParameters, changes: dict[str, Any], paths: RunPaths
) -> Path:
    write_slices(paths.run, parameters)
    reads = [read for read in STAGES[stage].reads if getattr(parameters, read) is not None]
    check_inputs(stage, reads, paths)
    section = STAGES[stage].section
    manifest = manifest_of(stage, paths)
    manifest.unlink(missing_ok=True)  # from here on it would describe files that are being replaced
    inputs = hashes_of_inputs(stage, reads, parameters, paths)
    begun = time.monotonic()
    folders = {ROOT: "<repository>", paths.output: "<output>"}
    if parameters.curation.source is not None:
        folders[ROOT / Path(parameters.curation.source).expanduser()] = "<source>"
    if parameters.inference.masks is not None:
        folders[ROOT / Path(parameters.inference.masks.folder).expanduser()] = "<masks>"

    def finish() -> None:
        keep_used(paths.run, section)
        write_manifest(
            manifest,
            stage,
            getattr(parameters, section).model_dump(mode="json"),
            inputs,
            outputs=hashes_of_results(stage, paths),
            seconds=time.monotonic() - begun,
            peak_mb=resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        )
        paths.progress.unlink(missing_ok=True)
        retry.mark(stage, paths)

    os.environ[progress.KEPT_IN] = str(paths.progress)
    source = NOTEBOOKS / f"{STAGES[stage].notebook}.ipynb"
    values = {"run": paths.run, "changes": changes}
    return execute(stage, source, values, paths.notebooks, folders, finish)


def check_inputs(stage: str, reads: list[str], paths: RunPaths) -> None:
    """Refuse to start before the earlier stages have ended.

    Raises
    ------
    StageError
        Naming the stage to run first.
    """
    for read in reads:
        if not manifest_of(read, paths).exists():
            raise StageError(
                f"{stage} reads what {read} writes, and {read} has not finished for this run: "
                f"run make all RUN={paths.run}"
            )


def hashes_of_inputs(
    stage: str, reads: list[str], parameters: StudyParameters, paths: RunPaths
) -> Hashes:
    """Return the hashes of the files that a stage is about to read."""
    found: Hashes = {}
    for read in reads:
        found |= hashes_of_results(read, paths)
    if not STAGES[stage].writes:
        found |= folder_hashes([PUBLISHED, paths.learning_curve], paths)
    if stage == "curation" and parameters.curation.source is not None:
        source = ROOT / Path(parameters.curation.source).expanduser()
        found[SOURCE] = hashes(source, SOURCE_TABLES)
    return found


def execute(
    stage: str,
    source: Path,
    values: dict[str, Any],
    folder: Path,
    folders: dict[Path, str],
    finish: Callable[[], None],
) -> Path:
    """Execute a notebook into `folder`, under its own name only if it succeeds.

    Parameters
    ----------
    stage
        Name shown with its progress.
    source
        The notebook.
    values
        Values for its parameters cell.
    folder
        Folder of the copy.
    folders
        Replacements of paths that the copy must not show.
    finish
        Called after success, before the copy appears: the copy marks a complete stage.

    Raises
    ------
    NotebookError
        If papermill would run the notebook, but not with these values.
    StageError
        With the failing cell and the error's last lines; the copy is ``*.failed.ipynb`` then.
    """
    notebook = nbformat.read(source, as_version=4)
    check_notebook(notebook, values, f"notebooks/{source.name}")
    folder.mkdir(parents=True, exist_ok=True)
    copy, failed = folder / source.name, folder / f"{source.stem}.failed.ipynb"
    partial = folder / f".{source.name}"
    # they describe results that are about to be replaced
    copy.unlink(missing_ok=True)
    failed.unlink(missing_ok=True)
    begun = time.time()
    # for the kernel, which inherits it
    os.environ[progress.PLAIN] = progress.LIVE if sys.stdout.isatty() else "lines"
    # Threads that wait by spinning slow a shared machine: a training beside another process took
    # three times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # a training step takes a seventh less processor time
    os.environ.setdefault("GLIBC_TUNABLES", HUGE_PAGES)
    if "MAKELEVEL" in os.environ:
        # SIGKILL reaches Make only; the stage would continue beside the next
        exit_with_parent(before=kill_kernels)
    cells = len(notebook.cells) + 1  # papermill injects one
    try:
        with StageLine(stage, cells, sys.stdout) as line:
            papermill.execute_notebook(
                source,
                partial,
                parameters=values,
                kernel_name="python3",
                cwd=source.parent,
                progress_bar=False,
                execution_timeout=None,  # training on a cohort takes days
                stdout_file=line,
                on_cell_start=line.start_cell,
                kernel_manager_class=OwnKernel,
            )
    except (PapermillExecutionError, CellExecutionError, DeadKernelError):
        _keep(partial, failed, folders)
        what = describe_failure(nbformat.read(failed, as_version=4))
        raise StageError(
            f"{stage} failed in notebooks/{source.name}, {what}\n"
            f"The notebook as far as it came: {failed}"
        ) from None
    finally:
        kill_kernels()
    finish()
    # dated at the start of the run, so that Make detects later edits
    _keep(partial, copy, folders, begun)
    return copy


def _keep(
    partial: Path, final: Path, folders: dict[Path, str], modified: float | None = None
) -> None:
    """Move an executed notebook into place, without paths of the machine."""
    notebook = without_machine(nbformat.read(partial, as_version=4), folders)
    with whole_file(final) as beside:
        nbformat.write(notebook, beside)
        if modified is not None:
            os.utime(beside, (modified, modified))
    partial.unlink()

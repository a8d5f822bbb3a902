"""Files that a transfer or an archive has damaged."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from muscle_study.cohort.faults.kinds import Fault, Problem


def break_files(files: Mapping[str, Path], problem: Problem) -> None:
    """Damage a participant's files as the fault demands; most faults are none of files.

    Parameters
    ----------
    files
        What was written, by contrast: NIfTI files or zipped series.
    problem
        As assigned; the detail names the contrast.
    """
    if problem.fault is Fault.EMPTY_FILE:
        files[problem.detail].write_bytes(b"")
    elif problem.fault is Fault.TRUNCATED_FILE:
        content = files[problem.detail].read_bytes()
        files[problem.detail].write_bytes(content[: len(content) // 2])


def duplicate_scans(images: Path, faults: pd.DataFrame) -> None:
    """Put other participants' images in the place of those whose fault is a duplicate scan.

    Call it when all participants are written.

    Parameters
    ----------
    images
        Folder with files or folders ``<id>`` and ``<id>_…``.
    faults
        As from `assign.assign_faults`; the detail names the donor.
    """
    duplicates = faults[faults["fault"] == Fault.DUPLICATE_SCAN]
    for participant_id, donor in zip(
        duplicates["participant_id"], duplicates["detail"], strict=True
    ):
        for own in _of(images, participant_id):
            shutil.rmtree(own) if own.is_dir() else own.unlink()
        for file in [file for entry in _of(images, donor) for file in _files(entry)]:
            copy = images / str(file.relative_to(images)).replace(donor, participant_id)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _of(images: Path, participant_id: str) -> list[Path]:
    """Return a participant's files and folders."""
    return [*images.glob(participant_id), *images.glob(f"{participant_id}_*")]


def _files(entry: Path) -> list[Path]:
    """Return a file itself, or the files in a folder and below."""
    return [path for path in (entry, *entry.rglob("*")) if path.is_file()]

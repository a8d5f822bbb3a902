"""Damaged and exchanged files."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from muscle_study.protocol.faults import Fault, Problem


def break_files(files: Mapping[str, Path], problem: Problem) -> None:
    """Damage a participant's files (NIfTI or zipped series, by contrast) if that is the fault."""
    if problem.fault is Fault.EMPTY_FILE:
        files[problem.detail].write_bytes(b"")
    elif problem.fault is Fault.TRUNCATED_FILE:
        content = files[problem.detail].read_bytes()
        files[problem.detail].write_bytes(content[: len(content) // 2])


def duplicate_scans(images: Path, faults: pd.DataFrame) -> None:
    """Replace images of participants with a duplicate scan by those of the donor in ``detail``.

    The folder `images` must be complete; it has files or folders ``<id>`` and ``<id>_…``.
    """
    duplicates = faults[faults["fault"] == Fault.DUPLICATE_SCAN]
    for participant_id, donor in zip(
        duplicates["participant_id"], duplicates["detail"], strict=True
    ):
        for own in entries_of(images, participant_id):
            remove(own)
        copied = [
            path
            for entry in entries_of(images, donor)
            for path in (entry, *entry.rglob("*"))
            if path.is_file()
        ]
        for file in copied:
            copy = images / str(file.relative_to(images)).replace(donor, participant_id)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def entries_of(images: Path, participant_id: str) -> list[Path]:
    """Return a participant's files and folders."""
    return [*images.glob(participant_id), *images.glob(f"{participant_id}_*")]


def remove(entry: Path) -> None:
    """Remove a file or folder."""
    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

"""Curate one participant: from files of the export to checked volumes on one grid."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from muscle_study.curation import images
from muscle_study.curation.checks import dixon
from muscle_study.curation.checks.orientation import check_orientation
from muscle_study.curation.checks.quality import scores
from muscle_study.curation.corrections import correct_slabs, repeats_left
from muscle_study.curation.inventory import inventory_rows
from muscle_study.curation.review import mosaic
from muscle_study.curation.sources import source
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import Series, choose_scan, unreadable
from muscle_study.curation.stations import compose
from muscle_study.curation.task import Task, outputs
from muscle_study.imaging import volumes
from muscle_study.imaging.labels import merge_labels
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import sha256
from muscle_study.protocol.findings import Correction
from muscle_study.protocol.paths import image_file


def curate_participant(task: Task) -> dict:
    """Check a participant's files and write curated volumes.

    Returns
    -------
    dict
        ``annotated``; ``inventory``: rows of the inventory, without the participant; ``voxels``:
        hashes by contrast; ``corrections``: corrections and their evidence; ``quality``: scores;
        ``files``: curated files and their hashes.

    Raises
    ------
    Excluded
        If a check fails. Then no curated file is left but a picture of the images that could be
        read.
    """
    remove(task)
    series: list[Series] = []
    source.required_folder(task.source.folder)  # an unmounted export seems to have no labels
    try:
        if not task.image_files:
            raise Excluded(Reason.NO_IMAGES, f"none of {', '.join(task.source.contrasts)}")
        files, refused = read_files(task)
        meanings = task.label_files
        label_files = [SourceFile.read(path, task.source.folder) for path in meanings]
        series = refused + task.source.read_series(files)
        record = curate(task, series, label_files, meanings)
    except Excluded as problem:
        remove(task)
        if readable := readable_images(series, task.source.contrasts):
            mosaic.draw(readable, task.picture)
        raise Excluded(problem.reason, task.hide(problem.detail)) from problem
    hashes = {
        path.relative_to(task.folder).as_posix(): sha256(path) for path in outputs(task, record)
    }
    return record | {"files": hashes}


def read_files(task: Task) -> tuple[list[SourceFile], list[Series]]:
    """Read the participant's image files; return those that are refused as unreadable series."""
    files, refused = [], []
    for path in task.image_files:
        try:
            files.append(SourceFile.read(path, task.source.folder))
        except Excluded as problem:
            refused.append(unreadable(SourceFile(path, b"", ""), problem))
    return files, refused


def curate(
    task: Task,
    series: Sequence[Series],
    label_files: list[SourceFile],
    meanings: Mapping[Path, source.Meanings],
) -> dict:
    """Check and write one participant's volumes.

    A participant counts as annotated if the reference labels hold a voxel of the study's muscles;
    those of a scan of the head do not.
    """
    scan = choose_scan(series, task.source.contrasts)
    slabs, corrections = correct_slabs(
        {name: [one.volume for one in of_contrast] for name, of_contrast in scan.items()}
    )
    corrections += repeats_left(series, scan)
    loaded = compose(slabs)
    images.check_images(loaded)
    labels = [(file, volumes.decode(file.content, file.path.name)) for file in label_files]
    merged = merge_labels(
        [(file.path.name, volumes.to_ras(volume), meanings[file.path]) for file, volume in labels],
        volumes.to_ras(next(iter(loaded.values()))),
    )
    annotated = bool(merged.data.any())
    curated = {
        name: images.image_on_grid(volume, task.spacing_mm) for name, volume in loaded.items()
    }
    images.check_extent(next(iter(curated.values())), task.min_extent_mm)
    if {"water", "fat"} <= curated.keys():
        curated, evidence = dixon.correct_swap(curated, "whole")
        corrections += [(Correction.WATER_FAT_SWAP, evidence)] if evidence else []
        check_orientation(curated)
    for name, volume in curated.items():
        volumes.save(volume, image_file(task.images, name))
    mosaic.draw(curated, task.picture)
    if annotated:
        volumes.save(images.labels_on_grid(merged, task.spacing_mm), task.label)
    voxels = {name: digest_of(volume) for name, volume in loaded.items()}
    return {
        "annotated": annotated,
        "inventory": inventory_rows(task, series, scan, labels),
        "voxels": voxels,
        "corrections": corrections,
        "quality": scores(curated),
    }


def readable_images(
    series: Sequence[Series], contrasts: Sequence[str]
) -> dict[str, volumes.Volume]:
    """Return the largest readable volume of each contrast, for the picture of an exclusion."""
    found: dict[str, volumes.Volume] = {}
    for one in series:
        if one.contrast in contrasts and isinstance(one.outcome, volumes.Volume):
            known = found.get(one.contrast, one.outcome)
            found[one.contrast] = max(known, one.outcome, key=lambda volume: volume.data.size)
    return {name: found[name] for name in contrasts if name in found}


def digest_of(volume: volumes.Volume) -> str:
    """Return a hash of the voxels alone, which identifies a scan under any header."""
    return hashlib.sha256(np.ascontiguousarray(volume.data)).hexdigest()


def remove(task: Task) -> None:
    """Remove this participant's files of an earlier run."""
    task.label.unlink(missing_ok=True)
    task.picture.unlink(missing_ok=True)
    if task.images.exists():
        shutil.rmtree(task.images)

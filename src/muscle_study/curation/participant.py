"""One participant, from files of the export to curated volumes; the work that is mapped."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from muscle_study.curation import images
from muscle_study.curation.checks import dixon
from muscle_study.curation.checks.orientation import check_orientation
from muscle_study.curation.checks.quality import scores
from muscle_study.curation.corrections import correct_slabs, repeats_left
from muscle_study.curation.review import mosaic
from muscle_study.curation.review.gallery import PICTURES
from muscle_study.curation.sources import source
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import OTHER, UNTOLD, Series, choose_scan, unreadable
from muscle_study.curation.stations import compose
from muscle_study.imaging import volumes
from muscle_study.imaging.labels import merge_labels, spacing_text
from muscle_study.mapping.records import Records
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import sha256
from muscle_study.protocol.findings import Correction
from muscle_study.protocol.paths import image_file


@dataclass(frozen=True)
class Task:
    """What a worker needs to curate one participant.

    Parameters
    ----------
    participant_id
        The study's name of the participant.
    source_id
        The export's; another one where participants got pseudonyms.
    source
        The export.
    image_files
        Of the participant, from `source`.
    spacing_mm, min_extent_mm
        Curated voxel edges; the smallest field of view that is kept.
    folder
        Where curated volumes go.
    """

    participant_id: str
    source_id: str
    source: source.Source
    image_files: tuple[Path, ...]
    spacing_mm: tuple[float, ...]
    min_extent_mm: tuple[float, ...]
    folder: Path

    @property
    def images(self) -> Path:
        """Folder of the curated images."""
        return self.folder / "images" / self.participant_id

    @property
    def label(self) -> Path:
        """File of the curated label map."""
        return self.folder / "labels" / f"{self.participant_id}.nii.gz"

    @property
    def picture(self) -> Path:
        """File of the picture for review."""
        return self.folder / "qc" / PICTURES / f"{self.participant_id}{mosaic.ENDING}"

    @property
    def label_files(self) -> dict[Path, source.Meanings]:
        """Files of reference labels that are there now, and what their values mean."""
        return self.source.label_files(self.source_id)

    def shown(self, path: Path) -> str:
        """Return how tables name a file or folder of the export.

        Names of files may hold names of people: where participants got pseudonyms, a file is called
        by its place among the participant's.
        """
        if self.source_id == self.participant_id:
            return str(path.relative_to(self.source.folder))
        return self._aliases.get(path.name, f"folder of {self.participant_id}")

    def hide(self, text: str) -> str:
        """Return a message without the names that `shown` hides."""
        if self.source_id == self.participant_id:
            return text
        for name in sorted(self._aliases, key=len, reverse=True):
            text = text.replace(name, self._aliases[name])
        return text.replace(self.source_id, self.participant_id)

    @cached_property
    def _aliases(self) -> dict[str, str]:
        labels = self.label_files if self.image_files else {}
        paths = [*self.image_files, *labels]
        return {path.name: f"file {number}" for number, path in enumerate(paths, start=1)}


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
        When the participant cannot go on; then nothing curated of the participant is left but a
        picture, where images could be read.
    """
    remove(task)
    series: list[Series] = []
    source.required_folder(task.source.folder)  # while it is gone, nobody seems to have labels
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


def records_of(export: source.Source, folder: Path) -> Records:
    """Return the records of an export's participants; `folder` is ``data/<run>/curated``."""
    return Records(
        folder / "records",
        inputs=lambda task: [*task.image_files, *task.label_files],
        values=values,
        outputs=outputs,
        fingerprint=lambda path: fingerprint(path, export.folder),
    )


def values(task: Task) -> tuple:
    """Return what the curated volumes depend on beside the content of files."""
    return (
        task.source_id,
        task.spacing_mm,
        task.min_extent_mm,
        task.source.contrasts,
        task.source.acquisition,
        [path.relative_to(task.source.folder).as_posix() for path in task.image_files],
        [(path.name, sorted(meaning.items())) for path, meaning in task.label_files.items()],
    )


def outputs(task: Task, record: dict) -> list[Path]:
    """Return the curated volumes and the picture that belong to a record."""
    paths = [image_file(task.images, name) for name in task.source.contrasts]
    return [*paths, task.picture, *([task.label] if record["annotated"] else [])]


def fingerprint(path: Path, export: Path) -> str:
    """Return the hash of a file of the export, or why it is refused."""
    try:
        return SourceFile.read(path, export).sha256
    except Excluded as problem:
        return str(problem)


def read_files(task: Task) -> tuple[list[SourceFile], list[Series]]:
    """Read the participant's image files; those that are refused come back as unreadable series."""
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

    Someone counts as annotated whose reference labels hold at least one voxel of the study's
    muscles: a scan of the head has none to learn from.
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
    used = [one for slabs in scan.values() for one in slabs]
    order = {contrast: place for place, contrast in enumerate((*scan, OTHER, UNTOLD))}
    rows = [
        series_row(task, one, is_used=any(one is other for other in used))
        for one in sorted(series, key=lambda one: (order[one.contrast], one.repeat, one.number))
    ]
    rows += [label_row(task, file, volume) for file, volume in labels]
    voxels = {name: digest_of(volume) for name, volume in loaded.items()}
    return {
        "annotated": annotated,
        "inventory": rows,
        "voxels": voxels,
        "corrections": corrections,
        "quality": scores(curated),
    }


def readable_images(
    series: Sequence[Series], contrasts: Sequence[str]
) -> dict[str, volumes.Volume]:
    """Return the largest volume of each contrast that could be read, whatever else is wrong."""
    found: dict[str, volumes.Volume] = {}
    for one in series:
        if one.contrast in contrasts and isinstance(one.outcome, volumes.Volume):
            known = found.get(one.contrast, one.outcome)
            found[one.contrast] = max(known, one.outcome, key=lambda volume: volume.data.size)
    return {name: found[name] for name in contrasts if name in found}


def digest_of(volume: volumes.Volume) -> str:
    """Return a hash of the voxels alone, by which a scan is known under any header."""
    return hashlib.sha256(np.ascontiguousarray(volume.data)).hexdigest()


def series_row(task: Task, series: Series, is_used: bool) -> dict:
    """Describe a series of the export."""
    return {
        "kind": "image",
        "contrast": series.contrast,
        "series": series.number,
        "repeat": series.repeat,
        "extent": "whole" if series.composed else "station",
        "used": is_used,
        "file": task.shown(series.path),
        "bytes": sum(len(file.content) for file in series.files),
        "sha256": series.sha256,
        **geometry(series.outcome),
        "problem": task.hide(str(series.problem)) if series.problem else None,
    }


def label_row(task: Task, file: SourceFile, volume: volumes.Volume) -> dict:
    """Describe a file of reference labels."""
    return {
        "kind": "label",
        "contrast": "label",
        "used": True,
        "file": task.shown(file.path),
        "bytes": len(file.content),
        "sha256": file.sha256,
        **geometry(volume),
    }


def geometry(outcome: volumes.Volume | Excluded) -> dict:
    """Describe a grid; nothing where there is no volume."""
    if isinstance(outcome, Excluded):
        return {}
    return {
        "shape": "x".join(map(str, outcome.data.shape)),
        "spacing_mm": spacing_text(outcome),
        "orientation": outcome.orientation,
        "z_mm": round(float(outcome.affine[2, 3]), 3),
    }


def remove(task: Task) -> None:
    """Remove what an earlier run wrote of this participant."""
    task.label.unlink(missing_ok=True)
    task.picture.unlink(missing_ok=True)
    if task.images.exists():
        shutil.rmtree(task.images)

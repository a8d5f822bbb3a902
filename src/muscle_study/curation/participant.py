"""One participant, from files of the export to curated volumes; the work that is mapped."""

import hashlib
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from muscle_study import volumes
from muscle_study.curation import dixon, images, source
from muscle_study.exclusions import Excluded, Reason
from muscle_study.records import read_record, record_key, write_record


@dataclass(frozen=True)
class Task:
    """What a worker needs to curate one participant.

    Parameters
    ----------
    participant_id
        Whom.
    source
        The export.
    spacing_mm, min_extent_mm
        Curated voxel edges; the smallest field of view that is kept.
    folder
        Where curated volumes go.
    code
        From `records.code_digest`, taken once for all.
    """

    participant_id: str
    source: source.Source
    spacing_mm: tuple[float, ...]
    min_extent_mm: tuple[float, ...]
    folder: Path
    code: str

    @property
    def images(self) -> Path:
        """Folder of the curated images."""
        return self.folder / "images" / self.participant_id

    @property
    def label(self) -> Path:
        """File of the curated label map."""
        return self.folder / "labels" / f"{self.participant_id}.nii.gz"

    @property
    def record(self) -> Path:
        """Written last: where it is, the volumes are whole."""
        return self.folder / "records" / f"{self.participant_id}.json"


@dataclass(frozen=True)
class SourceFile:
    """The bytes of a file of the export, read once, and their hash."""

    path: Path
    content: bytes
    sha256: str

    @classmethod
    def read(cls, path: Path) -> "SourceFile":
        """Read a file; one that cannot be read excludes the participant."""
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Excluded(Reason.UNREADABLE_IMAGE, f"{path.name}: {error}") from error
        return cls(path, content, hashlib.sha256(content).hexdigest())

    @cached_property
    def volume(self) -> volumes.Volume:
        """The content, decoded and checked by itself."""
        return volumes.decode(self.content, self.path.name)


def curate_participant(task: Task) -> dict:
    """Check a participant's files and write curated volumes, unless that is done already.

    Returns
    -------
    dict
        ``annotated``, and ``inventory``: rows of the inventory, without the participant.

    Raises
    ------
    Excluded
        When the participant cannot go on; then nothing curated of the participant is left.
    """
    try:
        image_files = {name: SourceFile.read(path) for name, path in find_images(task).items()}
        meanings = task.source.label_files(task.participant_id)
        label_files = [SourceFile.read(path) for path in meanings]
        key = key_of(task, [*image_files.values(), *label_files], meanings)
        record = read_record(task.record, key)
        if record is None or not all(path.exists() for path in written(task, record)):
            remove(task)
            record = curate(task, image_files, label_files, meanings)
            write_record(task.record, key, record)
    except Excluded:
        remove(task)
        raise
    return record


def find_images(task: Task) -> dict[str, Path]:
    """Return the participant's image files by contrast.

    Raises
    ------
    Excluded
        ``no_images`` or ``missing_contrast``.
    """
    found = task.source.image_files(task.participant_id)
    missing = [name for name in task.source.contrasts if name not in found]
    if not found:
        raise Excluded(Reason.NO_IMAGES, f"none of {', '.join(missing)}")
    if missing:
        raise Excluded(Reason.MISSING_CONTRAST, ", ".join(missing))
    return found


def key_of(task: Task, files: list[SourceFile], meanings: Mapping[Path, source.Meanings]) -> str:
    """Return a hash of all that the participant's curated volumes follow from."""
    hashes = [(file.path.name, file.sha256) for file in files]
    values = [(path.name, sorted(meaning.items())) for path, meaning in meanings.items()]
    asked = (task.spacing_mm, task.min_extent_mm, task.source.contrasts)
    return record_key(task.code, asked, hashes, values)


def written(task: Task, record: dict) -> list[Path]:
    """Return the curated volumes that belong to a record."""
    paths = [task.images / f"{name}.nii.gz" for name in task.source.contrasts]
    return [*paths, task.label] if record["annotated"] else paths


def curate(
    task: Task,
    image_files: Mapping[str, SourceFile],
    label_files: list[SourceFile],
    meanings: Mapping[Path, source.Meanings],
) -> dict:
    """Check and write one participant's volumes.

    Someone counts as annotated whose reference labels hold at least one voxel of the study's
    muscles: a scan of the head has none to learn from.
    """
    loaded = {name: file.volume for name, file in image_files.items()}
    images.check_images(loaded)
    merged = images.merge_labels(
        [(file.path.name, file.volume, meanings[file.path]) for file in label_files],
        next(iter(loaded.values())),
    )
    annotated = bool(merged.data.any())
    curated = {
        name: images.image_on_grid(volume, task.spacing_mm) for name, volume in loaded.items()
    }
    images.check_extent(next(iter(curated.values())), task.min_extent_mm)
    if {"water", "fat"} <= curated.keys():
        dixon.check_swap(curated["water"], curated["fat"])
    for name, volume in curated.items():
        volumes.save(volume, task.images / f"{name}.nii.gz")
    if annotated:
        volumes.save(images.labels_on_grid(merged, task.spacing_mm), task.label)
    rows = [inventory_row(task, "image", name, file) for name, file in image_files.items()]
    rows += [inventory_row(task, "label", "label", file) for file in label_files]
    return {"annotated": annotated, "inventory": rows}


def inventory_row(task: Task, kind: str, contrast: str, file: SourceFile) -> dict:
    """Describe a file of the export."""
    return {
        "kind": kind,
        "contrast": contrast,
        "file": str(file.path.relative_to(task.source.folder)),
        "bytes": len(file.content),
        "sha256": file.sha256,
        "shape": "x".join(map(str, file.volume.data.shape)),
        "spacing_mm": images.spacing_text(file.volume),
        "orientation": file.volume.orientation,
    }


def remove(task: Task) -> None:
    """Remove what an earlier run wrote of this participant, the record first."""
    task.record.unlink(missing_ok=True)
    task.label.unlink(missing_ok=True)
    if task.images.exists():
        shutil.rmtree(task.images)

"""Input of a worker for one participant, and dependencies of its result."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from muscle_study.curation.review import mosaic
from muscle_study.curation.review.gallery import PICTURES
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.source import Meanings, Source
from muscle_study.mapping.records import Records
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.paths import image_file


@dataclass(frozen=True)
class Task:
    """Input of a worker for one participant.

    Parameters
    ----------
    participant_id
        The study's name of the participant.
    source_id
        The export's name of the participant; differs under pseudonyms.
    source
        The export.
    image_files
        The participant's files in the export.
    spacing_mm, min_extent_mm
        Curated voxel edges; smallest field of view that is kept.
    folder
        ``data/<run>/curated``.
    """

    participant_id: str
    source_id: str
    source: Source
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
    def label_files(self) -> dict[Path, Meanings]:
        """Existing files of reference labels, and the meaning of their values."""
        return self.source.label_files(self.source_id)

    def shown(self, path: Path) -> str:
        """Return how tables name a file or folder of the export.

        File names may hold names of people: under pseudonyms, a file is named by its number.
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


def records_of(export: Source, folder: Path) -> Records:
    """Return the records of an export's participants; `folder` is ``data/<run>/curated``."""
    return Records(
        folder / "records",
        inputs=lambda task: [*task.image_files, *task.label_files],
        values=values,
        outputs=outputs,
        fingerprint=lambda path: fingerprint(path, export.folder),
    )


def values(task: Task) -> tuple:
    """Return the settings that the curated volumes depend on."""
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
    """Return the hash of a file of the export, or the reason of its refusal."""
    try:
        return SourceFile.read(path, export).sha256
    except Excluded as problem:
        return str(problem)

"""What every form of export tells curation: who is in it, and which file is what."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import Series
from muscle_study.protocol.muscles import Label, Psoas

#: For each value of a label file, what it means to the study; other values are unknown.
Meanings = dict[int, Label]

#: In place of an identifier: files of which nobody can say whose they are.
NOBODY = ""


@dataclass(frozen=True)
class Source(ABC):
    """An export on disk. It pickles: workers ask it what a participant's files hold.

    Parameters
    ----------
    folder
        Of the export.
    contrasts
        Images that a participant must have.
    acquisition
        How the study's scan was encoded, for exports whose series are told apart by content.
    columns
        Names of the participant table's columns that differ from the layout's own, by the study's
        name of the covariate.
    """

    folder: Path
    contrasts: tuple[str, ...]
    acquisition: Literal["2D", "3D"] = "3D"
    columns: tuple[tuple[str, str], ...] = ()

    #: What the label called psoas covers in this export.
    psoas_label: ClassVar[Psoas] = "psoas major"
    #: File name of the participant table, for messages.
    table_name: ClassVar[str] = "participants.csv"

    @property
    @abstractmethod
    def demographics(self) -> bool:
        """Whether every participant must come with sex, age, height and weight."""

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """Return whom the export's table lists, one row a mention.

        Returns
        -------
        pandas.DataFrame
            ``participant_id``, the covariates and ``given_split``, all as text, missing where the
            export does not say.
        """

    @abstractmethod
    def image_files(self) -> dict[str, list[Path]]:
        """Return the files that may hold images, by participant or `NOBODY`.

        Everyone of whom the export has a place for images is there, be it empty. It is looked up
        once for all participants.
        """

    @abstractmethod
    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return the volumes that a participant's image files hold, repeats numbered."""

    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the reference label files that are there, and what their values mean.

        By default that is ``labels/<id>.nii.gz`` with the study's own values.
        """
        path = self.folder / "labels" / f"{participant_id}.nii.gz"
        return {path: {int(label): label for label in Label}} if path.is_file() else {}


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, without hidden ones."""
    return sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())


def required_folder(folder: Path) -> Path:
    """Return a folder of the export, which must be there.

    Raises
    ------
    FileNotFoundError
        Naming it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing: the export needs this folder; check curation.source"
        )
    return folder

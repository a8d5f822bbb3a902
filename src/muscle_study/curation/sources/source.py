"""Interface of an export: its participants, and the content of its files."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import Series
from muscle_study.curation.sources.tables import TableForm, no_participants, read_participants
from muscle_study.protocol.covariates import Covariate
from muscle_study.protocol.muscles import Label, Psoas

#: Study label of each value in a label file; other values are unknown.
Meanings = dict[int, Label]

#: Stands for the identifier of files that belong to no known participant.
NOBODY = ""


@dataclass(frozen=True)
class Source(ABC):
    """An export on disk. Workers receive it by pickling.

    Parameters
    ----------
    folder
        Folder of the export.
    contrasts
        Contrasts that every participant needs.
    acquisition
        Encoding of the study's scan, for exports whose series are identified by their headers.
    columns
        Pairs of covariate and column name, where the table differs from the layout.
    covariates
        Declared covariates, beside the built-in ones.
    """

    folder: Path
    contrasts: tuple[str, ...]
    acquisition: Literal["2D", "3D"] = "3D"
    columns: tuple[tuple[str, str], ...] = ()
    covariates: tuple[Covariate, ...] = ()

    #: Muscle that the psoas label covers.
    psoas_label: ClassVar[Psoas] = "psoas major"
    #: File name of the participant table, for messages.
    table_name: ClassVar[str] = "participants.csv"

    @property
    @abstractmethod
    def demographics(self) -> bool:
        """Whether every participant must come with sex, age, height and weight."""

    @abstractmethod
    def table(self) -> pd.DataFrame:
        """Return the rows of the export's table.

        Returns
        -------
        pandas.DataFrame
            ``participant_id``, the covariates and ``given_split``, all as text.
        """

    def participants(self, form: TableForm, optional: Sequence[str] = ()) -> pd.DataFrame:
        """Return the participant table of this form; no rows where the layout may lack it."""
        if not self.demographics:
            return no_participants(self.covariates)
        path = self.folder / self.table_name
        return read_participants(path, form, self.columns, self.covariates, optional)

    @abstractmethod
    def image_files(self) -> dict[str, list[Path]]:
        """Return the possible image files by participant or `NOBODY`.

        A participant with an empty image folder is included. Called once per run.
        """

    @abstractmethod
    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return the volumes in a participant's image files, repeats numbered."""

    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the existing reference label files with the meanings of their values.

        The default is ``labels/<id>.nii.gz`` with the study's own values.
        """
        path = self.folder / "labels" / f"{participant_id}.nii.gz"
        return {path: {int(label): label for label in Label}} if path.is_file() else {}


def subfolders(folder: Path) -> list[str]:
    """Return the names of the visible folders in `folder`."""
    return sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())


def required_folder(folder: Path) -> Path:
    """Return a folder of the export; raise FileNotFoundError if it is missing."""
    if not folder.is_dir():
        raise FileNotFoundError(
            f"{folder} is missing: the export needs this folder; check curation.source"
        )
    return folder

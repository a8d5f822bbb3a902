"""What every form of export tells curation: who is in it, and which file is what."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pandas as pd

from muscle_study.labels import Label

#: The covariates of a participant, as the study names them.
COVARIATES = ["sex", "age_years", "height_cm", "weight_kg", "bmi_kg_m2"]

#: For each value of a label file, what it means to the study; other values are unknown.
Meanings = dict[int, Label]


@dataclass(frozen=True)
class Source(ABC):
    """An export on disk. It pickles: workers ask it for a participant's files.

    Parameters
    ----------
    folder
        Of the export.
    contrasts
        Images that a participant must have.
    """

    folder: Path
    contrasts: tuple[str, ...]

    #: What the label called psoas covers in this export.
    psoas_label: ClassVar[str]
    #: Whether every participant must come with sex, age, height and weight.
    demographics: ClassVar[bool]
    #: File name of the participant table, for messages.
    table_name: ClassVar[str]

    @abstractmethod
    def participants(self) -> pd.DataFrame:
        """Return everyone the export mentions, in its table or by files, one row a mention.

        Returns
        -------
        pandas.DataFrame
            ``participant_id``, `COVARIATES` and ``given_split``, all as text, missing where the
            export does not say.
        """

    @abstractmethod
    def image_files(self, participant_id: str) -> dict[str, Path]:
        """Return the images that are there, by contrast."""

    @abstractmethod
    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the reference label files that are there, and what their values mean."""


def read_export_table(path: Path, separator: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of an export as text.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file, the column and the remedy: a broken table stops the run.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the export needs this table; check curation.source"
        )
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        table = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not a CSV table separated by '{separator}': {error}") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(missing)} is missing (found: {', '.join(table.columns)}); "
            f"name the columns so and separate them by '{separator}'"
        )
    return table.apply(lambda column: column.str.strip())


def add_unlisted(table: pd.DataFrame, found: Sequence[str]) -> pd.DataFrame:
    """Append a row for each participant in `found` whom the table does not list."""
    unlisted = sorted(set(found) - set(table["participant_id"]))
    return pd.concat([table, pd.DataFrame({"participant_id": unlisted})], ignore_index=True)


def subfolders(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, without hidden ones."""
    return sorted(path.name for path in folder.glob("[!.]*") if path.is_dir())

"""The layout of a cohort's export: a participant table, Dixon contrasts, reference labels.

A scan that was repeated lies in a folder of its own, ``<id>_2`` or higher, as NAKO numbers them.
"""

from pathlib import Path

import pandas as pd

from muscle_study.curation.source import (
    COVARIATES,
    Meanings,
    Source,
    add_unlisted,
    read_export_table,
    subfolders,
)
from muscle_study.labels import Label


class CohortSource(Source):
    """``participants.csv``, ``images/<id>[_<n>]/<contrast>.nii.gz``, ``labels/<id>.nii.gz``."""

    psoas_label = "psoas major"
    demographics = True
    table_name = "participants.csv"

    def participants(self) -> pd.DataFrame:
        """Return the table's rows, and a row for each image folder that it does not list."""
        columns = ["participant_id", *COVARIATES]
        table = read_export_table(self.folder / self.table_name, ",", columns)[columns]
        images = self.folder / "images"
        if not images.is_dir():
            raise FileNotFoundError(f"{images} is missing: the export needs this folder of images")
        scanned = [name.partition("_")[0] for name in subfolders(images)]
        return add_unlisted(table, scanned).assign(given_split=None)

    def image_files(self, participant_id: str) -> dict[str, Path]:
        """Return the images of the last scan that is complete, or of the first if none is."""
        first = self.folder / "images" / participant_id
        repeats = sorted(first.parent.glob(f"{participant_id}_*"), key=_repeat, reverse=True)
        scans = [self._contrasts_in(folder) for folder in [*repeats, first]]
        return next((scan for scan in scans if len(scan) == len(self.contrasts)), scans[-1])

    def _contrasts_in(self, folder: Path) -> dict[str, Path]:
        files = {contrast: folder / f"{contrast}.nii.gz" for contrast in self.contrasts}
        return {contrast: path for contrast, path in files.items() if path.is_file()}

    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the label file, whose values are the study's, if there is one."""
        path = self.folder / "labels" / f"{participant_id}.nii.gz"
        return {path: {int(label): label for label in Label}} if path.is_file() else {}


def _repeat(folder: Path) -> int:
    number = folder.name.partition("_")[2]
    return int(number) if number.isdecimal() else 0

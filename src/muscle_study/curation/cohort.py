"""The layout of a cohort's export: a participant table, Dixon contrasts, reference labels."""

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
    """``participants.csv``, ``images/<id>/<contrast>.nii.gz`` and ``labels/<id>.nii.gz``."""

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
        return add_unlisted(table, subfolders(images)).assign(given_split=None)

    def image_files(self, participant_id: str) -> dict[str, Path]:
        """Return the images that are there, by contrast."""
        folder = self.folder / "images" / participant_id
        files = {contrast: folder / f"{contrast}.nii.gz" for contrast in self.contrasts}
        return {contrast: path for contrast, path in files.items() if path.is_file()}

    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the label file, whose values are the study's, if there is one."""
        path = self.folder / "labels" / f"{participant_id}.nii.gz"
        return {path: {int(label): label for label in Label}} if path.is_file() else {}

"""Layout ``totalsegmentator``: the public TotalSegmentator data sets (MR and CT).

Their *iliopsoas* (psoas major and iliacus together) stands in for the psoas, as ``source.json``
states. Their three gluteus parts are joined, as in the paper.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import Series
from muscle_study.curation.sources.source import Meanings, Source, required_folder, subfolders
from muscle_study.curation.sources.tables import (
    TableForm,
    no_participants,
    read_export_table,
    read_participants,
)
from muscle_study.curation.sources.traits import SINGLE
from muscle_study.imaging import volumes
from muscle_study.protocol.files import read_json
from muscle_study.protocol.muscles import SIDES, Label, label_of

#: Study label of each structure; all other structures are background.
STRUCTURES = {
    f"{structure}_{side}": label_of(muscle, side)
    for structure, muscle in (
        ("iliopsoas", "psoas"),
        ("gluteus_maximus", "gluteus"),
        ("gluteus_medius", "gluteus"),
        ("gluteus_minimus", "gluteus"),
    )
    for side in SIDES
}

#: Image file, in order of preference, to the number of classes of its TotalSegmentator task
#: (total_mr, total) and the class numbers of the eight structures in the tool's class map since
#: version 2. Used for a multi-label file without a table of names.
CLASSES = {
    "mri.nii.gz": (50, {"gluteus_maximus_left": 40, "gluteus_maximus_right": 41,
                        "gluteus_medius_left": 42, "gluteus_medius_right": 43,
                        "gluteus_minimus_left": 44, "gluteus_minimus_right": 45,
                        "iliopsoas_left": 48, "iliopsoas_right": 49}),
    "ct.nii.gz": (117, {"gluteus_maximus_left": 80, "gluteus_maximus_right": 81,
                        "gluteus_medius_left": 82, "gluteus_medius_right": 83,
                        "gluteus_minimus_left": 84, "gluteus_minimus_right": 85,
                        "iliopsoas_left": 88, "iliopsoas_right": 89}),
}  # fmt: skip

#: Multi-label files, and tables that name their values.
MULTI_LABEL = ("segmentations.nii.gz", "labels.nii.gz")
NAME_TABLES = ("labels.json", "dataset.json")

#: The table of the data set; it has neither height nor weight.
TABLE = TableForm(
    separator=";", columns={"participant_id": "image_id", "sex": "gender", "age_years": "age"}
)
NOT_IN_TABLE = ("height_cm", "weight_kg", "bmi_kg_m2")
SEX = {"m": "male", "f": "female"}
SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


class TotalSegmentatorSource(Source):
    """One folder per subject with an image and masks or a multi-label file, and ``meta.csv``.

    A structure without a mask lies outside the subject's field of view.
    """

    psoas_label = "iliopsoas"
    demographics = False
    table_name = "meta.csv"

    def table(self) -> pd.DataFrame:
        """Return the rows of ``meta.csv``, if it is there."""
        path = self.folder / self.table_name
        if not path.is_file():
            return no_participants(self.covariates)
        table = read_participants(path, TABLE, (), self.covariates, optional=NOT_IN_TABLE)
        meta = read_export_table(path, TABLE.separator, [])
        given = meta.get("split", pd.Series(None, index=meta.index, dtype=str)).str.lower()
        unknown = sorted(set(given.dropna()) - set(SPLITS))
        if unknown:
            raise ValueError(
                f"{path}: column split holds {', '.join(unknown)}; use {', '.join(SPLITS)} or empty"
            )
        sex = table["sex"].str.lower().replace(SEX)
        return table.assign(sex=sex, given_split=given.map(SPLITS))

    def image_files(self) -> dict[str, list[Path]]:
        """Return one image per folder; MR is preferred to CT."""
        folders = subfolders(required_folder(self.folder))
        return {name: self._images(name)[:1] for name in folders}

    def _images(self, participant_id: str) -> list[Path]:
        images = [self.folder / participant_id / name for name in CLASSES]
        return [path for path in images if path.is_file()]

    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return one series per file."""
        return [
            Series((file,), file.path.name, SINGLE,
                   partial(volumes.decode, file.content, file.path.name))
            for file in files
        ]  # fmt: skip

    def label_files(self, participant_id: str) -> dict[Path, Meanings]:
        """Return the masks of the study's muscles or, without any, the multi-label file."""
        folder = self.folder / participant_id
        masks = {
            folder / "segmentations" / f"{structure}.nii.gz": {0: Label.BACKGROUND, 1: label}
            for structure, label in STRUCTURES.items()
        }
        there = {path: meanings for path, meanings in masks.items() if path.is_file()}
        if there:
            return there
        multi = [folder / name for name in MULTI_LABEL if (folder / name).is_file()]
        return {path: self._meanings(participant_id) for path in multi[:1]}

    def _meanings(self, participant_id: str) -> Meanings:
        places = (self.folder / participant_id, self.folder)
        for path in (place / name for place in places for name in NAME_TABLES):
            if path.is_file():
                names = read_names(path)
                break
        else:
            image, *_ = self._images(participant_id)
            count, numbers = CLASSES[image.name]
            names = dict.fromkeys(range(1, count + 1), "other")
            names |= {number: name for name, number in numbers.items()}
        known = {value: STRUCTURES.get(name, Label.BACKGROUND) for value, name in names.items()}
        return {0: Label.BACKGROUND, **known}


def read_names(path: Path) -> dict[int, str]:
    """Read the names of the values of a multi-label file.

    Parameters
    ----------
    path
        JSON, ``{"48": "iliopsoas_left", …}`` or ``{"iliopsoas_left": 48, …}``, at the top or under
        ``labels`` as in nnU-Net's ``dataset.json``.
    """
    table = read_json(path)
    table = table.get("labels", table)
    return {
        int(key if key.isdigit() else value): str(value if key.isdigit() else key)
        for key, value in table.items()
    }

"""DICOM exports: one zip per series as NAKO delivers them, or a heap of files.

Headers decide which contrast a series shows. File names give a zip's participant and repeat.
"""

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from muscle_study.curation.sources.dicom import Slice, patient_id, read_slices, stack_volume, stacks
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import OTHER, Series, number_repeats, unreadable
from muscle_study.curation.sources.source import NOBODY, Source, required_folder
from muscle_study.curation.sources.tables import TableForm
from muscle_study.curation.sources.traits import contrast_of
from muscle_study.protocol.exclusions import Excluded

#: ``100129_30_3D_GRE_TRA_opp_2.zip``: participant, examination, series, repeat.
ZIP_NAME = re.compile(
    r"(?P<participant>[A-Za-z0-9-]+)_(?P<examination>\d+)_.+?(?:_(?P<repeat>[2-9]))?\.zip"
)

#: The baseline examination; the follow-up, 60, shows the same people again.
BASELINE = "30"

#: NAKO's participant table. The names of the weight and BMI columns are assumed.
NAKO_TABLE = TableForm(
    separator=";",
    columns={
        "participant_id": "ID",
        "age_years": "basis_age",
        "sex": "basis_sex",
        "height_cm": "a_anthro_groe_q",
        "weight_kg": "a_anthro_gew_q",
        "bmi_kg_m2": "a_anthro_bmi_q",
    },
    sexes={"1": "male", "2": "female"},
    missing=r"([7-9])\1{2,}([.,]0*)?",
    decimal_comma=True,
)

#: Endings of files other than DICOM.
NO_DICOM = {".csv", ".tsv", ".json", ".txt", ".md", ".pdf", ".gz", ".nii"}

SEXES = {"M": "male", "F": "female", "m": "male", "f": "female"}


class DicomSource(Source):
    """Series identified by their headers, in zips or plain files."""

    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return one series per stack of slices and per unreadable file."""
        broken, slices = [], []
        for file in files:
            try:
                slices += read_slices(file)
            except Excluded as problem:
                broken.append(unreadable(file, problem))
        found = [self._series(stack) for stack in stacks(slices)]
        number_repeats(found)
        return broken + found

    def _series(self, stack: list[Slice]) -> Series:
        first = stack[0]
        files = list({plane.file.path: plane.file for plane in stack}.values())
        name = files[0].path.name if len(files) == 1 else files[0].path.parent.name
        named = ZIP_NAME.fullmatch(files[0].path.name)
        name = f"{name}, series {first.number}"
        return Series(
            files=tuple(files),
            name=name,
            contrast=contrast_of(first.traits, self.contrasts, self.acquisition) or OTHER,
            decode=partial(stack_volume, stack, name),
            number=first.number,
            repeat=int(named["repeat"] or 1) if named else 1,
            composed=first.traits.composed,
        )


class NakoSource(DicomSource):
    """``participants.csv`` and ``images/**/<id>_<examination>_<series>[_<n>].zip``."""

    demographics = True

    def table(self) -> pd.DataFrame:
        """Return the rows of NAKO's table."""
        return self.participants(NAKO_TABLE)

    def image_files(self) -> dict[str, list[Path]]:
        """Return each participant's baseline zips."""
        found: dict[str, list[Path]] = {}
        for path in sorted(required_folder(self.folder / "images").rglob("*.zip")):
            named = ZIP_NAME.fullmatch(path.name)
            if named is None:
                found.setdefault(NOBODY, []).append(path)
            elif named["examination"] == BASELINE:
                found.setdefault(named["participant"], []).append(path)
        return found


class HeapSource(DicomSource):
    """Any folder of DICOM files and zips; headers name the participant."""

    @property
    def demographics(self) -> bool:
        """Whether there is a participant table."""
        return (self.folder / self.table_name).is_file()

    def table(self) -> pd.DataFrame:
        """Return the rows of ``participants.csv``, if any."""
        return self.participants(TableForm(sexes=SEXES))

    def image_files(self) -> dict[str, list[Path]]:
        """Return the files by the Patient ID in their first header."""
        found: dict[str, list[Path]] = {}
        for path in sorted(required_folder(self.folder).rglob("*")):
            if not path.is_dir() and path.suffix.lower() not in NO_DICOM:
                found.setdefault(self._owner(path), []).append(path)
        return found

    def _owner(self, path: Path) -> str:
        try:
            return patient_id(SourceFile.read(path, self.folder)) or NOBODY
        except Excluded:
            return NOBODY

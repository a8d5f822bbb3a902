"""Layout ``cohort``: participant table, Dixon contrasts and reference labels as NIfTI.

A repeated scan lies in a folder of its own, ``<id>_2`` or higher, numbered as in NAKO.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.series import Series
from muscle_study.curation.sources.source import Source, required_folder, subfolders
from muscle_study.curation.sources.tables import TableForm
from muscle_study.imaging import volumes

#: Prefix of folders of single stations within a scan's folder.
STATION = "station_"
ENDING = ".nii.gz"


class CohortSource(Source):
    """``images/<id>[_<n>]/[station_<n>/]<contrast>.nii.gz``, ``labels/<id>.nii.gz``."""

    demographics = True

    def table(self) -> pd.DataFrame:
        """Return the rows of ``participants.csv``."""
        return self.participants(TableForm())

    def image_files(self) -> dict[str, list[Path]]:
        """Return the files of the contrasts in every scan's folder."""
        images = required_folder(self.folder / "images")
        found: dict[str, list[Path]] = {}
        for name in subfolders(images):
            files = found.setdefault(name.partition("_")[0], [])
            for folder in (images / name, *sorted((images / name).glob(f"{STATION}*"))):
                files += [path for contrast in self.contrasts
                          if (path := folder / f"{contrast}{ENDING}").is_file()]  # fmt: skip
        return found

    def read_series(self, files: Sequence[SourceFile]) -> list[Series]:
        """Return one series per file, identified by its name."""
        return [self._series(file) for file in files]

    def _series(self, file: SourceFile) -> Series:
        scan, *inner, name = file.path.relative_to(self.folder / "images").parts
        return Series(
            files=(file,),
            name=name,
            contrast=name.removesuffix(ENDING),
            decode=partial(volumes.decode, file.content, name),
            repeat=_repeat(scan),
            composed=not inner,
        )


def _repeat(scan: str) -> int:
    number = scan.partition("_")[2]
    return int(number) if number.isdecimal() else 1

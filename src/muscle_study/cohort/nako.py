"""Export in the form of the NAKO: zipped DICOM series and the participant table."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np
import pandas as pd
from pydicom import dcmread

from muscle_study.cohort.dicom import Series, write_series
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.cohort.scanner.signal import TE_IN_MS, TE_OPPOSED_MS
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.files import write_text

#: Number of the baseline examination in file names; 60 is the follow-up.
BASELINE = "30"
SEQUENCE = "3D_GRE_TRA"

#: Code of a missing value in the table.
MISSING = 7777


class NakoContrast(NamedTuple):
    """Suffix of a contrast's series name, echo time, image type and private tag."""

    name: str
    echo_time_ms: float
    image_type: tuple[str, ...]
    dixon: str | None


#: Water and fat, computed from both echoes, have the first echo's time; the private tag differs.
CONTRASTS = {
    "water": NakoContrast("W", TE_OPPOSED_MS, ("DERIVED", "PRIMARY", "M", "DIXON"), "DIXW"),
    "fat": NakoContrast("F", TE_OPPOSED_MS, ("DERIVED", "PRIMARY", "M", "DIXON"), "DIXF"),
    "in_phase": NakoContrast("in", TE_IN_MS, ("ORIGINAL", "PRIMARY", "M", "ND"), None),
    "opposed_phase": NakoContrast("opp", TE_OPPOSED_MS, ("ORIGINAL", "PRIMARY", "M", "ND"), None),
}

#: The table's columns; those of weight and BMI are named in the style of the others (assumption).
COLUMNS = {
    "participant_id": "ID",
    "age_years": "basis_age",
    "sex": "basis_sex",
    "height_cm": "a_anthro_groe_q",
    "weight_kg": "a_anthro_gew_q",
    "bmi_kg_m2": "a_anthro_bmi_q",
}
SEX_CODES = {"male": 1, "female": 2}


def export_scan(
    images: Scan,
    participant: Mapping[str, str | float],
    repeat: str,
    folder: Path,
    with_stations: bool,
) -> dict[str, Path]:
    """Write a scan as zipped series; return the composed contrasts' files.

    Parameters
    ----------
    images
        The scan.
    participant
        ``participant_id``, ``sex``, ``age_years``, ``height_cm``, ``weight_kg``.
    repeat
        Suffix of the files' names: empty for a first scan, ``_2`` for its repeat.
    folder
        Folder of the zips.
    with_stations
        Whether to write stations too, one zip per contrast.
    """
    participant_id = str(participant["participant_id"])

    def described(number: int, description: str, tags: NakoContrast) -> Series:
        return Series(participant_id, participant, description, number, *tags[1:])

    written = {}
    for order, (contrast, tags) in enumerate(CONTRASTS.items()):
        series = f"{SEQUENCE}_{tags.name}"
        stem = f"{participant_id}_{BASELINE}_{series}"
        slabs = [
            (station[contrast], described(10 * order + number, series, tags))
            for number, station in enumerate(images.stations, start=1)
            if contrast in station
        ]
        if with_stations and slabs:
            write_series(slabs, folder / f"{stem}{repeat}.zip")
        if contrast in images.contrasts:
            path = folder / f"{stem}_COMPOSED{repeat}.zip"
            about = described(101 + order, f"{series}_COMPOSED", tags)
            write_series([(images.contrasts[contrast], about)], path)
            written[contrast] = path
    return written


def read_composed(folder: Path, participant_id: str, contrast: str) -> Volume:
    """Read a composed contrast of a first scan."""
    name = f"{participant_id}_{BASELINE}_{SEQUENCE}_{CONTRASTS[contrast].name}_COMPOSED.zip"
    with ZipFile(folder / name) as archive:
        slices = [dcmread(BytesIO(archive.read(member))) for member in archive.namelist()]
    slices.sort(key=lambda one: one.ImagePositionPatient[2])
    first, last = slices[0], slices[-1]
    down, across = map(float, first.PixelSpacing)
    start, end = (np.array(one.ImagePositionPatient, float) for one in (first, last))
    along_row, along_column = np.array(first.ImageOrientationPatient, float).reshape(2, 3)
    affine = np.eye(4)
    affine[:3] = np.column_stack(
        [along_row * across, along_column * down, (end - start) / max(len(slices) - 1, 1), start]
    )
    affine[:2] *= -1  # from LPS to RAS
    return Volume(np.stack([one.pixel_array.T for one in slices], axis=-1), affine)


def write_participants(participants: pd.DataFrame, path: Path, declared: Sequence[str]) -> None:
    """Write the participant table with semicolons, decimal commas and coded missing values.

    The columns `declared` follow the built-in ones, under the names that they have.
    """
    table = participants[[*COLUMNS, *declared]].rename(columns=COLUMNS)
    table["basis_sex"] = table["basis_sex"].map(SEX_CODES)
    write_text(table.to_csv(index=False, sep=";", decimal=",", na_rep=str(MISSING)), path)

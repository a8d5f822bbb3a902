"""Participants who leave the study: a reason code each, and nobody lost."""

from collections.abc import Iterable
from enum import StrEnum

import pandas as pd


class Reason(StrEnum):
    """Why a participant, or one image, is set aside. The value is what tables hold."""

    CONSENT_WITHDRAWN = "consent_withdrawn"
    DUPLICATE_ID = "duplicate_id"
    MISSING_COVARIATE = "missing_covariate"
    IMPLAUSIBLE_VALUE = "implausible_value"
    BMI_CONTRADICTION = "bmi_contradiction"
    NO_IMAGES = "no_images"
    DUPLICATE_SCAN = "duplicate_scan"
    MISSING_CONTRAST = "missing_contrast"
    UNSAFE_FILE = "unsafe_file"
    UNREADABLE_IMAGE = "unreadable_image"
    NON_FINITE_VOXELS = "non_finite_voxels"
    EMPTY_IMAGE = "empty_image"
    GRID_MISMATCH = "grid_mismatch"
    BAD_GEOMETRY = "bad_geometry"
    WRONG_ORIENTATION = "wrong_orientation"
    STATION_GAP = "station_gap"
    FIELD_OF_VIEW = "field_of_view"
    WATER_FAT_SWAP = "water_fat_swap"
    REVIEWER = "reviewer"
    UNKNOWN_LABEL = "unknown_label"
    MISSING_MASK = "missing_mask"
    NO_MUSCLE_FOUND = "no_muscle_found"
    SIDES_SWAPPED = "sides_swapped"
    UNEXPECTED_ERROR = "unexpected_error"
    IO_ERROR = "io_error"
    TIME_LIMIT = "time_limit"
    MEMORY_LIMIT = "memory_limit"
    WORKER_LOST = "worker_lost"


REASON_TEXT = {
    Reason.CONSENT_WITHDRAWN: "consent withdrawn",
    Reason.DUPLICATE_ID: "identifier occurs more than once",
    Reason.MISSING_COVARIATE: "sex, age, height or weight missing",
    Reason.IMPLAUSIBLE_VALUE: "value outside its plausible range",
    Reason.BMI_CONTRADICTION: "BMI contradicts height and weight",
    Reason.NO_IMAGES: "no images",
    Reason.DUPLICATE_SCAN: "images are another participant's too",
    Reason.MISSING_CONTRAST: "a contrast is missing",
    Reason.UNSAFE_FILE: "file refused: link, size or archive is unsafe",
    Reason.UNREADABLE_IMAGE: "image cannot be read",
    Reason.NON_FINITE_VOXELS: "image holds NaN or infinite voxels",
    Reason.EMPTY_IMAGE: "image is empty",
    Reason.GRID_MISMATCH: "contrasts lie on different grids",
    Reason.BAD_GEOMETRY: "image geometry is impossible",
    Reason.WRONG_ORIENTATION: "anatomy contradicts the image's directions",
    Reason.STATION_GAP: "stations leave a gap between them",
    Reason.FIELD_OF_VIEW: "field of view too small",
    Reason.WATER_FAT_SWAP: "water and fat swapped",
    Reason.REVIEWER: "excluded by a reviewer",
    Reason.UNKNOWN_LABEL: "labels hold unknown values",
    Reason.MISSING_MASK: "another segmenter's mask is missing",
    Reason.NO_MUSCLE_FOUND: "a muscle was not found",
    Reason.SIDES_SWAPPED: "left muscle lies to the right of the right one",
    Reason.UNEXPECTED_ERROR: "unexpected error (see detail)",
    Reason.IO_ERROR: "files could not be read or written",
    Reason.TIME_LIMIT: "work took longer than its limit",
    Reason.MEMORY_LIMIT: "work took more memory than its limit",
    Reason.WORKER_LOST: "the worker ended during the work",
}

#: Of the machine rather than of the participant: tried again, in the same run and by the next.
#: An unexpected error is tried once more in the same run, and not by the next.
MAY_PASS = frozenset({Reason.IO_ERROR, Reason.TIME_LIMIT, Reason.MEMORY_LIMIT, Reason.WORKER_LOST})

COLUMNS = ["participant_id", "stage", "reason", "detail"]


class Excluded(Exception):  # noqa: N818 - it is an outcome of a participant, not an error of the run
    """Raised where a participant cannot go on.

    Parameters
    ----------
    reason
        The code that tables and the flow chart count.
    detail
        What a data manager needs to look it up: file, column, values.
    """

    def __init__(self, reason: Reason, detail: str):
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self):
        return f"{self.reason}: {self.detail}"


def exclusion_table(rows: Iterable[dict]) -> pd.DataFrame:
    """Return exclusions as a table with `COLUMNS`, sorted by participant."""
    table = pd.DataFrame(list(rows), columns=COLUMNS).astype(str)
    return table.sort_values("participant_id", kind="stable", ignore_index=True)


def check_conserved(stage: str, came_in: int, kept: int, excluded: int) -> None:
    """Fail the run when participants do not add up.

    Raises
    ------
    RuntimeError
        If ``came_in != kept + excluded``.
    """
    if came_in != kept + excluded:
        raise RuntimeError(
            f"{stage}: {came_in} participants came in, but {kept} kept + {excluded} excluded "
            f"= {kept + excluded}"
        )

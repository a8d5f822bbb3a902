"""Exclusions with reason codes, and the check that no participant is lost."""

from collections.abc import Iterable

import pandas as pd

from muscle_study.protocol.findings import Coded


class Reason(Coded):
    """Reason of an exclusion; the value is the code in tables.

    Each has its text for readers, and whether another attempt may succeed: the cause is the
    machine, not the participant. Reasons of a participant's record stand in order of precedence: a
    record with several faults counts under the first.
    """

    retryable: bool

    def __init__(self, code: str, text: str, retryable: bool = False):
        self.retryable = retryable

    CONSENT_WITHDRAWN = "consent_withdrawn", "consent withdrawn"
    DUPLICATE_ID = "duplicate_id", "identifier occurs more than once"
    MISSING_COVARIATE = "missing_covariate", "sex, age, height or weight missing"
    IMPLAUSIBLE_VALUE = "implausible_value", "value outside its plausible range"
    BMI_CONTRADICTION = "bmi_contradiction", "BMI contradicts height and weight"
    NO_IMAGES = "no_images", "no images"
    DUPLICATE_SCAN = "duplicate_scan", "images are another participant's too"
    MISSING_CONTRAST = "missing_contrast", "a contrast is missing"
    UNSAFE_FILE = "unsafe_file", "file refused: link, size or archive is unsafe"
    UNREADABLE_IMAGE = "unreadable_image", "image cannot be read"
    NON_FINITE_VOXELS = "non_finite_voxels", "image holds NaN or infinite voxels"
    EMPTY_IMAGE = "empty_image", "image is empty"
    GRID_MISMATCH = "grid_mismatch", "contrasts lie on different grids"
    BAD_GEOMETRY = "bad_geometry", "image geometry is impossible"
    WRONG_ORIENTATION = "wrong_orientation", "anatomy contradicts the image's directions"
    STATION_GAP = "station_gap", "stations leave a gap between them"
    FIELD_OF_VIEW = "field_of_view", "field of view too small"
    WATER_FAT_SWAP = "water_fat_swap", "water and fat swapped"
    REVIEWER = "reviewer", "excluded by a reviewer"
    UNKNOWN_LABEL = "unknown_label", "labels hold unknown values"
    MISSING_MASK = "missing_mask", "another segmenter's mask is missing"
    NO_MUSCLE_FOUND = "no_muscle_found", "a muscle was not found"
    SIDES_SWAPPED = "sides_swapped", "left muscle lies to the right of the right one"
    UNEXPECTED_ERROR = "unexpected_error", "unexpected error (see detail)"
    IO_ERROR = "io_error", "files could not be read or written", True
    TIME_LIMIT = "time_limit", "work took longer than its limit", True
    MEMORY_LIMIT = "memory_limit", "work took more memory than its limit", True
    WORKER_LOST = "worker_lost", "the worker ended during the work", True


#: Retried in the same run and by the next. An unexpected error is retried once in the same run.
MAY_PASS = frozenset(reason for reason in Reason if reason.retryable)

COLUMNS = ["participant_id", "stage", "reason", "detail"]


class Excluded(Exception):  # noqa: N818 - it is an outcome of a participant, not an error of the run
    """Exclusion of the current participant.

    Parameters
    ----------
    reason
        Code that tables and the flow chart count.
    detail
        File, column and values, for the data manager.
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
    """Fail the run if participants do not add up.

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

"""The deliberate faults of synthetic exports."""

from dataclasses import dataclass

from muscle_study.protocol.findings import Coded


class Fault(Coded):
    """Fault of a participant's record; the value is the code in tables.

    Each has its text for readers, and the meaning of the column ``detail`` of the fault table where
    it is used.
    """

    detail: str

    def __init__(self, code: str, text: str, detail: str = ""):
        self.detail = detail

    SWAP_WHOLE = "swap_whole", "water and fat exchanged in the whole volume"
    SWAP_STATION = (
        "swap_station",
        "water and fat exchanged in one station",
        "number of the station, 1 next to the head",
    )
    SWAP_SIDE = "swap_side", "water and fat exchanged on one side of the body", "side of the body"
    CUT_TOP = "cut_top", "field of view ends too low", "mm cut off"
    CUT_BOTTOM = "cut_bottom", "field of view ends too high", "mm cut off"
    CUT_SIDES = (
        "cut_sides",
        "field of view too narrow: arms and lateral fat are missing",
        "mm of the body cut off on each side",
    )
    IMPLANT_HIP = (
        "implant_hip",
        "hip prosthesis: signal void with water and fat exchanged around it",
        "side of the body",
    )
    IMPLANT_SPINE = (
        "implant_spine",
        "screws and rods in the lumbar spine: signal void, as at the hip",
    )
    SEVERE_MOTION = (
        "severe_motion",
        "participant moved a lot in every station",
        "typical movement during a station, mm",
    )
    IDENTITY_AFFINE = "identity_affine", "affine lost: voxels of 1 mm at the origin"
    FLIPPED_AFFINE = "flipped_affine", "affine with one direction turned round", "the direction"
    DUPLICATE_SCAN = (
        "duplicate_scan",
        "another participant's images under this identifier",
        "the participant with these images",
    )
    REPEAT_SCAN = (
        "repeat_scan",
        "scanned twice, as the first scan was bad; the second, in <id>_2, is good",
        "the fault of the first scan",
    )
    MISSING_CONTRAST = "missing_contrast", "one contrast is missing", "the contrast"
    NO_IMAGES = "no_images", "no images"
    EMPTY_FILE = "empty_file", "one image file has no content", "the contrast"
    TRUNCATED_FILE = (
        "truncated_file",
        "one image file ends half-way, as after a broken transfer",
        "the contrast",
    )
    NAN_VOXELS = "nan_voxels", "one contrast holds voxels that are not a number", "the contrast"
    WRONG_SHAPE = "wrong_shape", "one contrast lacks its last slices", "the contrast"
    UNKNOWN_LABEL = "unknown_label", "reference labels hold a value that stands for nothing"
    BMI_CONTRADICTION = "bmi_contradiction", "BMI contradicts height and weight"
    DUPLICATE_ID = "duplicate_id", "identifier occurs twice in the table"
    MISSING_AGE = "missing_age", "age is missing"
    MISLABELLED_CONTRAST = (
        "mislabelled_contrast",
        "two contrasts under each other's names",
        "the two contrasts, joined by +",
    )


@dataclass(frozen=True)
class Problem:
    """Fault of one participant.

    Parameters
    ----------
    fault
        Kind of the fault.
    detail
        Detail, as `Fault.detail` describes it; empty for other kinds.
    """

    fault: Fault
    detail: str = ""

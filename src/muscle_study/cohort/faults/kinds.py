"""The deliberate faults: their names, what each is in words, and what its detail says."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """What is wrong with a participant's record. The value is what tables hold."""

    SWAP_WHOLE = "swap_whole"
    SWAP_STATION = "swap_station"
    SWAP_SIDE = "swap_side"
    CUT_TOP = "cut_top"
    CUT_BOTTOM = "cut_bottom"
    CUT_SIDES = "cut_sides"
    IMPLANT_HIP = "implant_hip"
    IMPLANT_SPINE = "implant_spine"
    SEVERE_MOTION = "severe_motion"
    IDENTITY_AFFINE = "identity_affine"
    FLIPPED_AFFINE = "flipped_affine"
    DUPLICATE_SCAN = "duplicate_scan"
    REPEAT_SCAN = "repeat_scan"
    MISSING_CONTRAST = "missing_contrast"
    NO_IMAGES = "no_images"
    EMPTY_FILE = "empty_file"
    TRUNCATED_FILE = "truncated_file"
    NAN_VOXELS = "nan_voxels"
    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_LABEL = "unknown_label"
    BMI_CONTRADICTION = "bmi_contradiction"
    DUPLICATE_ID = "duplicate_id"
    MISSING_AGE = "missing_age"
    MISLABELLED_CONTRAST = "mislabelled_contrast"


#: In words, for tables and captions.
DESCRIPTIONS: dict[Fault, str] = {
    Fault.SWAP_WHOLE: "water and fat exchanged in the whole volume",
    Fault.SWAP_STATION: "water and fat exchanged in one station",
    Fault.SWAP_SIDE: "water and fat exchanged on one side of the body",
    Fault.CUT_TOP: "field of view ends too low",
    Fault.CUT_BOTTOM: "field of view ends too high",
    Fault.CUT_SIDES: "field of view too narrow: arms and lateral fat are missing",
    Fault.IMPLANT_HIP: "hip prosthesis: signal void with water and fat exchanged around it",
    Fault.IMPLANT_SPINE: "screws and rods in the lumbar spine: signal void, as at the hip",
    Fault.SEVERE_MOTION: "participant moved a lot in every station",
    Fault.IDENTITY_AFFINE: "affine lost: voxels of 1 mm at the origin",
    Fault.FLIPPED_AFFINE: "affine with one direction turned round",
    Fault.DUPLICATE_SCAN: "another participant's images under this identifier",
    Fault.REPEAT_SCAN: "scanned twice, as the first scan was bad; the second, in <id>_2, is good",
    Fault.MISSING_CONTRAST: "one contrast is missing",
    Fault.NO_IMAGES: "no images",
    Fault.EMPTY_FILE: "one image file has no content",
    Fault.TRUNCATED_FILE: "one image file ends half-way, as after a broken transfer",
    Fault.NAN_VOXELS: "one contrast holds voxels that are not a number",
    Fault.WRONG_SHAPE: "one contrast lacks its last slices",
    Fault.UNKNOWN_LABEL: "reference labels hold a value that stands for nothing",
    Fault.BMI_CONTRADICTION: "BMI contradicts height and weight",
    Fault.DUPLICATE_ID: "identifier occurs twice in the table",
    Fault.MISSING_AGE: "age is missing",
    Fault.MISLABELLED_CONTRAST: "two contrasts under each other's names",
}

#: What the column ``detail`` of the fault table holds; empty for the other kinds.
DETAILS: dict[Fault, str] = {
    Fault.SWAP_STATION: "number of the station, 1 next to the head",
    Fault.SWAP_SIDE: "side of the body",
    Fault.CUT_TOP: "mm cut off",
    Fault.CUT_BOTTOM: "mm cut off",
    Fault.CUT_SIDES: "mm of the body cut off on each side",
    Fault.IMPLANT_HIP: "side of the body",
    Fault.SEVERE_MOTION: "typical movement during a station, mm",
    Fault.FLIPPED_AFFINE: "the direction",
    Fault.DUPLICATE_SCAN: "whose images they are",
    Fault.REPEAT_SCAN: "what was wrong with the first scan",
    Fault.MISSING_CONTRAST: "the contrast",
    Fault.EMPTY_FILE: "the contrast",
    Fault.TRUNCATED_FILE: "the contrast",
    Fault.NAN_VOXELS: "the contrast",
    Fault.WRONG_SHAPE: "the contrast",
    Fault.MISLABELLED_CONTRAST: "the two contrasts, joined by +",
}


@dataclass(frozen=True)
class Problem:
    """What is wrong with one participant.

    Parameters
    ----------
    fault
        Its kind.
    detail
        As `DETAILS` says; empty for other kinds.
    """

    fault: Fault
    detail: str = ""

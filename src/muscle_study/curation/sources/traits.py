"""Which contrast a series shows, by what its headers say of how it was made.

DICOM headers and the sidecars of converted NIfTI files hold the same facts under the same names.
"""

from dataclasses import dataclass
from typing import Literal

#: Fat precesses slower than water by this share of the frequency (Dixon, Radiology 1984;153:189;
#: 3.4 ppm between water and the methylene peak), and protons so fast (MHz per tesla).
CHEMICAL_SHIFT = 3.4e-6
PROTON_MHZ_PER_T = 42.577

#: How far an echo may be from exactly in, or opposed, phase (turns).
PHASE_TOLERANCE = 0.15

#: The NAKO's scanner says in a private element which of the computed images it is.
PRIVATE_DIXON = {"DIXW": "water", "DIXF": "fat"}

#: What vendors write in Image Type.
IMAGE_TYPES = {
    "water": {"W", "WATER", "DIXON_WATER"},
    "fat": {"F", "FAT", "DIXON_FAT"},
    "in_phase": {"IP", "IN_PHASE", "INPHASE"},
    "opposed_phase": {"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED_PHASE", "OUTPHASE"},
}

#: Image types of what is no magnitude image of a slab: phases, projections, reformats, scouts.
OTHER_IMAGES = {
    "P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "PROJECTION IMAGE", "MIP", "MPR",
    "LOCALIZER", "FAT_FRACTION", "WATER_FRACTION", "FF", "R2_STAR", "T2_STAR", "SUBTRACTION",
}  # fmt: skip

#: A single image of whatever weighting, in a study without Dixon.
SINGLE = "image"


@dataclass(frozen=True)
class Traits:
    """How a series was made.

    Parameters
    ----------
    modality
        ``MR``, ``CT``, ….
    sequence
        Values of Scanning Sequence, e.g. ``("GR",)``.
    acquisition
        ``2D`` or ``3D``.
    image_type
        Values of Image Type.
    echo_time_ms, field_t
        None where the header does not say.
    fat_suppressed
        Whether fat was saturated before the excitation.
    dixon
        The private element that `PRIVATE_DIXON` is looked for in, or empty.
    composed
        Whether the scanner joined stations to this series.
    """

    modality: str
    sequence: tuple[str, ...]
    acquisition: str
    image_type: tuple[str, ...]
    echo_time_ms: float | None
    field_t: float | None
    fat_suppressed: bool
    dixon: str
    composed: bool


def contrast_of(
    traits: Traits, wanted: tuple[str, ...], acquisition: Literal["2D", "3D"]
) -> str | None:
    """Return which of the wanted contrasts a series shows; None: no such.

    Parameters
    ----------
    traits
        Of the series.
    wanted
        Names of contrasts. `SINGLE` alone takes any gradient echo of the right acquisition that
        is no computed Dixon image.
    acquisition
        Of the scan that is looked for; scouts are 2D.
    """
    types = {value.upper() for value in traits.image_type}
    is_gradient_echo = "GR" in traits.sequence and "IR" not in traits.sequence
    if (
        traits.modality != "MR"
        or not is_gradient_echo
        or traits.acquisition != acquisition
        or types & OTHER_IMAGES
    ):
        return None
    told = [contrast for mark, contrast in PRIVATE_DIXON.items() if mark in traits.dixon]
    told += [contrast for contrast, words in IMAGE_TYPES.items() if types & words]
    named = told[0] if told else None
    if wanted == (SINGLE,):
        return None if named in ("water", "fat") else SINGLE
    contrast = named or _by_echo(traits)
    return contrast if contrast in wanted else None


def _by_echo(traits: Traits) -> str | None:
    """Return whether water and fat are in or opposed phase at the echo."""
    if traits.echo_time_ms is None or traits.field_t is None or traits.fat_suppressed:
        return None
    turns = traits.echo_time_ms * CHEMICAL_SHIFT * PROTON_MHZ_PER_T * traits.field_t * 1e3
    off_phase = abs(turns - round(turns))
    if off_phase <= PHASE_TOLERANCE:
        return "in_phase"
    return "opposed_phase" if off_phase >= 0.5 - PHASE_TOLERANCE else None

"""Contrast of a series, from the acquisition traits in its headers.

DICOM headers and the sidecars of converted NIfTI files state the same traits.
"""

from dataclasses import dataclass
from typing import Literal

#: Chemical shift between water and the methylene peak of fat (Dixon, Radiology 1984;153:189), and
#: the protons' Larmor frequency.
CHEMICAL_SHIFT = 3.4e-6
PROTON_MHZ_PER_T = 42.577

#: Largest deviation of an echo from exactly in or opposed phase (turns).
PHASE_TOLERANCE = 0.15

#: Marks of computed images in a private element of NAKO's scanner.
PRIVATE_DIXON = {"DIXW": "water", "DIXF": "fat"}

#: Vendors' values of Image Type.
IMAGE_TYPES = {
    "water": {"W", "WATER", "DIXON_WATER"},
    "fat": {"F", "FAT", "DIXON_FAT"},
    "in_phase": {"IP", "IN_PHASE", "INPHASE"},
    "opposed_phase": {"OP", "OPP_PHASE", "OUT_PHASE", "OPPOSED_PHASE", "OUTPHASE"},
}

#: Image types other than magnitude images of a slab: phases, projections, reformats, scouts.
OTHER_IMAGES = {
    "P", "PHASE", "PHASE MAP", "R", "REAL", "I", "IMAGINARY", "PROJECTION IMAGE", "MIP", "MPR",
    "LOCALIZER", "FAT_FRACTION", "WATER_FRACTION", "FF", "R2_STAR", "T2_STAR", "SUBTRACTION",
}  # fmt: skip

#: A single image of any weighting, in a study without Dixon.
SINGLE = "image"


@dataclass(frozen=True)
class Traits:
    """Acquisition of a series.

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
        Echo time and field strength (T), if stated.
    fat_suppressed
        Whether fat was saturated before the excitation.
    dixon
        Value of the private element with the marks of `PRIVATE_DIXON`, or empty.
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
    """Return the wanted contrast that a series shows, if any.

    Parameters
    ----------
    traits
        Acquisition of the series.
    wanted
        Names of contrasts. `SINGLE` alone accepts any gradient echo of the given acquisition,
        except computed Dixon images.
    acquisition
        Encoding of the study's scan; scouts are 2D.
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
    """Return the contrast by the phase between water and fat at the echo."""
    if traits.echo_time_ms is None or traits.field_t is None or traits.fat_suppressed:
        return None
    turns = traits.echo_time_ms * CHEMICAL_SHIFT * PROTON_MHZ_PER_T * traits.field_t * 1e3
    off_phase = abs(turns - round(turns))
    if off_phase <= PHASE_TOLERANCE:
        return "in_phase"
    return "opposed_phase" if off_phase >= 0.5 - PHASE_TOLERANCE else None

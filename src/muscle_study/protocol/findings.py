"""Findings of curation in scans that stay in the study: corrections and flags."""

from enum import StrEnum
from typing import Self


class Coded(StrEnum):
    """A code of a table's column, with its text for readers."""

    text: str

    def __new__(cls, code: str, text: str, *_further) -> Self:
        """Return a member with its code as value and its text."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.text = text
        return member

    @classmethod
    def texts(cls) -> dict[str, str]:
        """Return the text of every code."""
        return {member.value: member.text for member in cls}


class Correction(Coded):
    """A correction of a scan."""

    WATER_FAT_SWAP = "water_fat_swap", "water and fat exchanged back"
    MISLABELLED_CONTRAST = "mislabelled_contrast", "mislabelled contrasts renamed"
    REPEATED_SCAN = "repeated_scan", "one of several scans used"


class Flag(Coded):
    """A conspicuous property of a scan."""

    NOISE = "noise", "much noise"
    GHOSTING = "ghosting", "ghosts of breathing"
    MOTION = "motion", "movement during the scan"
    SIGNAL_VOID = "signal_void", "signal void as from metal"
    INTENSITY = "intensity", "outlying intensities"
    CONTRASTS_DISAGREE = "contrasts_disagree", "inconsistent contrasts"
    SMALL_FIELD_OF_VIEW = "small_field_of_view", "field of view smaller than the others'"


#: Curation's actions on a participant, in order of severity: columns of ``confusion.csv``.
ACTIONS = ("excluded", "corrected", "flagged")

#: Row of ``confusion.csv`` for participants without a fault: every finding is false.
SOUND = "none"

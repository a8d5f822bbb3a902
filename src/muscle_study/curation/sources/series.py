"""The volumes that a participant's files hold, and which of them are the scan to use."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from muscle_study.curation.sources.intake import SourceFile
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason

#: In place of a contrast: an image that the study does not use, and a file that tells nothing.
OTHER, UNTOLD = "other", "unreadable"

#: Two slabs that share more than this of the shorter one's height show the same place: one of them
#: is a repeat. Stations share 10 to 20 %.
SAME_PLACE = 0.5


@dataclass
class Series:
    """A volume of an export, or what could not be read as one.

    Parameters
    ----------
    files
        That hold it.
    name
        For messages.
    contrast
        Of the study's, `OTHER` or `UNTOLD`.
    decode
        Returns the volume, or raises `Excluded`.
    number
        The scanner's, rising with time.
    repeat
        1 for a first scan, more for its repeats.
    composed
        Whether it shows the stations joined, where an export has both.
    """

    files: tuple[SourceFile, ...]
    name: str
    contrast: str
    decode: Callable[[], Volume]
    number: int = 0
    repeat: int = 1
    composed: bool = False

    @cached_property
    def outcome(self) -> Volume | Excluded:
        """The volume, or why there is none."""
        try:
            return self.decode()
        except Excluded as problem:
            return problem

    @property
    def volume(self) -> Volume:
        """The volume.

        Raises
        ------
        Excluded
            When it cannot be had.
        """
        if isinstance(self.outcome, Excluded):
            raise self.outcome
        return self.outcome

    @property
    def problem(self) -> Excluded | None:
        """Why there is no volume, if there is none."""
        return self.outcome if isinstance(self.outcome, Excluded) else None

    @property
    def path(self) -> Path:
        """The one file, or the folder that all files lie in."""
        if len(self.files) == 1:
            return self.files[0].path
        return Path(os.path.commonpath([file.path.parent for file in self.files]))

    @property
    def sha256(self) -> str:
        """Of the one file; of many, of their hashes in order."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(sorted(f.sha256 for f in self.files)).encode()).hexdigest()

    @cached_property
    def heights_mm(self) -> tuple[float, float]:
        """From where to where it reaches along the body."""
        affine, shape = self.volume.affine, np.array(self.volume.data.shape)
        along = abs(affine[2, :3]).argmax()
        middle = affine[2, :3] @ ((shape - 1) / 2) + affine[2, 3]
        half = abs(affine[2, along]) * shape[along] / 2
        return float(middle - half), float(middle + half)


def unreadable(file: SourceFile, problem: Excluded) -> Series:
    """Return what stands for a file that holds no volume, for a reason."""

    def refuse() -> Volume:
        raise problem

    return Series((file,), file.path.name, UNTOLD, refuse)


def number_repeats(series: Sequence[Series]) -> None:
    """Set each series' repeat: a scan begins where a contrast shows the same place once more.

    Parameters
    ----------
    series
        Of one participant. What a file's name said of repeats is in `Series.repeat`; it comes
        first in the order, then the scanner's number.
    """
    usable = [one for one in series if one.contrast not in (OTHER, UNTOLD) and not one.problem]
    ordered = sorted(usable, key=lambda one: (one.repeat, one.number, one.name))
    scan, named = 0, None
    places: dict[tuple, list[tuple[float, float]]] = {}
    for one in ordered:
        own = places.get((one.contrast, one.composed), [])
        if one.repeat != named or _covers(own, one.heights_mm):
            scan, named, places = scan + 1, one.repeat, {}
        places.setdefault((one.contrast, one.composed), []).append(one.heights_mm)
        one.repeat = scan


def _covers(scan: list[tuple[float, float]], own: tuple[float, float]) -> bool:
    for other in scan:
        shared = min(own[1], other[1]) - max(own[0], other[0])
        if shared > SAME_PLACE * min(own[1] - own[0], other[1] - other[0]):
            return True
    return False


def choose_scan(series: Sequence[Series], contrasts: Sequence[str]) -> dict[str, list[Series]]:
    """Return, by contrast, the series of the last scan that is complete.

    Complete is what has every contrast, as many stations of each, and no fewer than another such
    scan: one that was broken off, or of one station alone, is not. Of one repeat, the composed
    volumes are preferred to its stations.

    Raises
    ------
    Excluded
        If no scan is complete: the first problem of a series, else ``no_images`` or
        ``missing_contrast``.
    """
    readable = [one for one in series if one.contrast in contrasts and not one.problem]
    complete: dict[tuple[int, bool], dict[str, list[Series]]] = {}
    for repeat in sorted({one.repeat for one in readable}, reverse=True):
        for composed in (True, False):
            scan: dict[str, list[Series]] = {contrast: [] for contrast in contrasts}
            for one in readable:
                if (one.repeat, one.composed) == (repeat, composed):
                    scan[one.contrast].append(one)
            counts = {len(of_contrast) for of_contrast in scan.values()}
            if len(counts) == 1 and counts != {0}:
                complete[repeat, composed] = scan
    stations = {key: len(scan[contrasts[0]]) for key, scan in complete.items()}
    for key, scan in complete.items():
        if stations[key] == max(n for other, n in stations.items() if other[1] == key[1]):
            return scan
    problems = [one.problem for one in series if one.contrast != OTHER and one.problem]
    if problems:
        raise problems[0]
    found = {one.contrast for one in readable}
    missing = [contrast for contrast in contrasts if contrast not in found]
    if not found:
        raise Excluded(Reason.NO_IMAGES, f"none of {', '.join(missing)}")
    raise Excluded(
        Reason.MISSING_CONTRAST, ", ".join(missing) or "no scan has all contrasts together"
    )

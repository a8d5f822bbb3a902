"""Series of a participant, their repeats, and the choice of the scan to use."""

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

#: Stand for a contrast: an image that the study does not use; an unreadable file.
OTHER, UNTOLD = "other", "unreadable"

#: Overlap, as a share of the shorter slab's height, above which one of two slabs is a repeat.
#: Stations overlap by 10 to 20 %.
SAME_PLACE = 0.5


@dataclass
class Series:
    """A volume of an export, or files that could not be read as one.

    Parameters
    ----------
    files
        Files of the series.
    name
        Name for messages.
    contrast
        One of the study's contrasts, `OTHER` or `UNTOLD`.
    decode
        Returns the volume, or raises `Excluded`.
    number
        Series number of the scanner, rising with time.
    repeat
        1 for a first scan, more for its repeats.
    composed
        Whether it shows the joined stations.
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
        """The volume, or the exclusion that decoding raised."""
        try:
            return self.decode()
        except Excluded as problem:
            return problem

    @property
    def volume(self) -> Volume:
        """The volume; raises `Excluded` if it cannot be decoded."""
        if isinstance(self.outcome, Excluded):
            raise self.outcome
        return self.outcome

    @property
    def problem(self) -> Excluded | None:
        """The exclusion, if the volume cannot be decoded."""
        return self.outcome if isinstance(self.outcome, Excluded) else None

    @property
    def path(self) -> Path:
        """The only file, or the common folder of all files."""
        if len(self.files) == 1:
            return self.files[0].path
        return Path(os.path.commonpath([file.path.parent for file in self.files]))

    @property
    def sha256(self) -> str:
        """Hash of the only file, or of the sorted hashes of all files."""
        if len(self.files) == 1:
            return self.files[0].sha256
        return hashlib.sha256("".join(sorted(f.sha256 for f in self.files)).encode()).hexdigest()

    @cached_property
    def heights_mm(self) -> tuple[float, float]:
        """Lower and upper end along the body."""
        affine, shape = self.volume.affine, np.array(self.volume.data.shape)
        along = abs(affine[2, :3]).argmax()
        middle = affine[2, :3] @ ((shape - 1) / 2) + affine[2, 3]
        half = abs(affine[2, along]) * shape[along] / 2
        return float(middle - half), float(middle + half)


def unreadable(file: SourceFile, problem: Excluded) -> Series:
    """Return the series that stands for an unreadable file."""

    def refuse() -> Volume:
        raise problem

    return Series((file,), file.path.name, UNTOLD, refuse)


def number_repeats(series: Sequence[Series]) -> None:
    """Set each series' repeat: a new scan begins where a contrast shows a place again.

    Parameters
    ----------
    series
        Series of one participant, ordered here by `Series.repeat` (from the file name), then by
        the scanner's number.
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
    """Return the series of the last complete scan, by contrast.

    A complete scan has every contrast with the same number of stations, and no fewer stations than
    another such scan. Composed volumes are preferred to the stations of the same repeat.

    Raises
    ------
    Excluded
        No scan is complete: the first problem of a series, else ``no_images`` or
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

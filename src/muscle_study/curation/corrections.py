"""Corrections of a scan before its stations are joined, each with its evidence."""

from collections.abc import Mapping, Sequence

from muscle_study.curation.checks import dixon
from muscle_study.curation.checks.contrasts import tell_contrasts
from muscle_study.curation.sources.series import OTHER, UNTOLD, Series
from muscle_study.imaging.volumes import Volume, to_ras
from muscle_study.protocol.findings import Correction

#: A correction and its evidence.
Corrected = tuple[Correction, str]

Slabs = Mapping[str, Sequence[Volume]]


def correct_slabs(slabs: Slabs) -> tuple[dict[str, list[Volume]], list[Corrected]]:
    """Correct mislabelled contrasts, and stations with swapped water and fat.

    The water and fat of a single slab are judged later, with the whole.

    Returns
    -------
    slabs : dict
        Slabs by contrast, in RAS order from the feet up.
    corrections : list
        Corrections with their evidence.
    """
    ordered = {
        name: sorted(map(to_ras, of_contrast), key=lambda slab: slab.affine[2, 3])
        for name, of_contrast in slabs.items()
    }
    corrections: list[Corrected] = []
    stations = len(next(iter(ordered.values())))
    for number in range(stations):
        images = {name: of_contrast[number] for name, of_contrast in ordered.items()}
        first = next(iter(images.values()))
        if not all(image.same_grid(first) for image in images.values()):
            continue  # refused later, in composing or checking the images
        what = "whole" if stations == 1 else f"station {number + 1} from the feet"
        images, renamed = tell_contrasts(images)
        if renamed:
            corrections.append((Correction.MISLABELLED_CONTRAST, f"{what}: {renamed}"))
        if stations > 1 and {"water", "fat"} <= images.keys():
            images, swapped = dixon.correct_swap(images, what)
            if swapped:
                corrections.append((Correction.WATER_FAT_SWAP, swapped))
        for name, image in images.items():
            ordered[name][number] = image
    return ordered, corrections


def repeats_left(series: Sequence[Series], scan: Mapping[str, Sequence[Series]]) -> list[Corrected]:
    """Return the correction that one of several scans is used, if there are several."""
    repeats = sorted({one.repeat for one in series if one.contrast not in (OTHER, UNTOLD)})
    if len(repeats) < 2:
        return []
    (used,) = {one.repeat for of_contrast in scan.values() for one in of_contrast}
    return [(Correction.REPEATED_SCAN, f"scan {used} of {len(repeats)} is the last complete one")]

"""The study's measures of one participant."""

import numpy as np

from muscle_study.imaging.volumes import Volume
from muscle_study.measurement.voxels import AxialProfile, LabelledVoxels, axial_profile
from muscle_study.protocol.muscles import MUSCLES, SIDES, Label, label_of
from muscle_study.protocol.outcomes import CSA, FAT_FRACTION, LEVELS, VOLUME, derived

NAN = float("nan")


def measure(
    voxels: LabelledVoxels,
    water: Volume | None = None,
    fat: Volume | None = None,
    height_cm: float = NAN,
) -> tuple[dict[str, float | bool], AxialProfile]:
    """Measure both muscles on both sides.

    Parameters
    ----------
    voxels
        Labelled voxels of the participant.
    water, fat
        Dixon images on the label map's grid. Without both, fat fractions are NaN.
    height_cm
        Standing height. If NaN, so are the indices.

    Returns
    -------
    measures : dict
        Values of `COLUMNS`.
    profile : AxialProfile
        Cross-sectional areas of each structure along z.

    Notes
    -----
    The total cross-sectional area of the psoas adds the maxima of both sides, each in its own
    slice, since the two sides need not be thickest at the same level.

    A muscle's fat fraction is the ratio of sums, ``ΣF / Σ(W + F)``. A mean of the voxels' ratios
    would be pulled towards one half by voxels with little signal, where they are mostly noise. The
    sums are over the interior, voxels whose eight neighbours in the slice have the same label: the
    outermost voxels share their volume with surrounding fat, which can double the fraction of a
    lean muscle. A muscle without interior has no fat fraction (NaN).
    """
    profile = axial_profile(voxels)
    measures: dict[str, float | bool] = {}
    levels = {}
    for muscle, name in CSA.items():
        maxima = {side: profile.maximum(label_of(muscle, side)) for side in SIDES}
        measures |= _sides_and_total(name, *(maxima[side][0] for side in SIDES))
        levels |= {LEVELS[muscle].format(side): maxima[side][1] for side in SIDES}
    for muscle, name in VOLUME.items():
        volumes_ml = (float(voxels.volume_ml[label_of(muscle, side)]) for side in SIDES)
        measures |= _sides_and_total(name, *volumes_ml)
    measures |= _fat_fractions(voxels, water, fat) | levels
    measures |= derived(measures, height_cm)
    for muscle in MUSCLES:
        both = [label_of(muscle, side) for side in SIDES]
        measures[f"{muscle}_at_border"] = voxels.at_border(*both)
    return measures, profile


def _sides_and_total(name: str, left: float, right: float) -> dict[str, float]:
    values = {"left": left, "right": right, "total": left + right}
    return {name.format(side): value for side, value in values.items()}


def _fat_fractions(
    voxels: LabelledVoxels, water: Volume | None, fat: Volume | None
) -> dict[str, float]:
    known = water is not None and fat is not None
    water_sums = voxels.interior_sums(water) if known else np.full(len(Label), NAN)
    fat_sums = voxels.interior_sums(fat) if known else np.full(len(Label), NAN)
    fractions = {}
    for muscle in MUSCLES:
        sides = {side: [label_of(muscle, side)] for side in SIDES}
        sides["total"] = [label for side in SIDES for label in sides[side]]
        for side, labels in sides.items():
            fractions[FAT_FRACTION[muscle].format(side)] = _fraction(
                water_sums[labels].sum(), fat_sums[labels].sum()
            )
    return fractions


def _fraction(water: float, fat: float) -> float:
    return float(fat / (water + fat)) if water + fat > 0 else NAN


def swapped(voxels: LabelledVoxels) -> list[str]:
    """Return muscles whose left side lies to the right of the right side.

    Centroids in RAS coordinates, where +x is the participant's right, check the labels' sides.
    """
    x_mm = voxels.centroid_x_mm
    return [
        muscle
        for muscle in MUSCLES
        if x_mm[label_of(muscle, "left")] > x_mm[label_of(muscle, "right")]
    ]

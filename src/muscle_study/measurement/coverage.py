"""Withhold measures of muscles that the field of view cuts."""

from collections.abc import Mapping

import numpy as np

from muscle_study.measurement.voxels import AxialProfile, LabelledVoxels
from muscle_study.protocol.muscles import MUSCLES, SIDES, label_of
from muscle_study.protocol.outcomes import CSA, LEVELS, VOLUME, derived

CUT = "the muscle reaches the end of the field of view"
WIDEST_AT_END = "the muscle is widest where the field of view ends"
CUT_AT_SIDE = "the muscle reaches a side of the field of view"


def withheld(
    measures: Mapping[str, float | bool], voxels: LabelledVoxels, profile: AxialProfile
) -> dict[str, str]:
    """Return the one-sided measures to withhold, with reasons.

    A volume needs the whole muscle in view. A largest section needs the widest part only: it may be
    out of view if the section is largest at a cut end, or if a narrow field of view cuts sections.
    A fat fraction is a share, which a part of a muscle has too.

    Parameters
    ----------
    measures, profile
        Results of `measures.measure`.
    voxels
        Labelled voxels of the participant.
    """
    found = {}
    for side in SIDES:
        for muscle in sorted(MUSCLES):
            label = label_of(muscle, side)
            if not voxels.at_border(label):
                continue
            found[VOLUME[muscle].format(side)] = CUT
            if muscle not in CSA:
                continue
            ends = profile.z_mm[profile.extent(label)][[0, -1]]
            if voxels.at_side(label):
                found[CSA[muscle].format(side)] = CUT_AT_SIDE
            elif measures[LEVELS[muscle].format(side)] in ends:
                found[CSA[muscle].format(side)] = WIDEST_AT_END
    return found


def without(
    measures: Mapping[str, float | bool], names: Mapping[str, str], height_cm: float
) -> dict[str, float | bool]:
    """Return the measures with the named ones, and all derived from them, missing (NaN)."""
    kept = {**measures, **dict.fromkeys(names, np.nan)}
    for name in (*CSA.values(), *VOLUME.values()):
        kept[name.format("total")] = sum(kept[name.format(side)] for side in SIDES)
    return {**kept, **derived(kept, height_cm)}

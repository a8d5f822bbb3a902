"""Which measures the field of view holds: those of a muscle that it cuts are withheld."""

from collections.abc import Mapping

import numpy as np

from muscle_study.measurement.measures import GLUTEUS_VOLUME, PSOAS_CSA, PSOAS_VOLUME, derived
from muscle_study.measurement.voxels import AxialProfile, LabelledVoxels
from muscle_study.protocol.muscles import SIDES, label_of

CUT = "the muscle reaches the end of the field of view"
WIDEST_AT_END = "the muscle is widest where the field of view ends"
CUT_AT_SIDE = "the muscle reaches a side of the field of view"


def withheld(
    measures: Mapping[str, float | bool], voxels: LabelledVoxels, profile: AxialProfile
) -> dict[str, str]:
    """Return the measures of a side that the field of view does not hold, and why.

    A volume needs the whole muscle. The psoas' largest section needs its widest part alone: that is
    not in view where the section is largest at an end that the field of view cuts, nor certainly
    where a field of view too narrow cuts sections. Fat fractions are shares, which a part of a
    muscle has too.

    Parameters
    ----------
    measures, profile
        As `measures.measure` returns them.
    voxels
        Of the label map.
    """
    found = {}
    for side in SIDES:
        psoas, gluteus = (label_of(muscle, side) for muscle in ("psoas", "gluteus"))
        if voxels.at_border(gluteus):
            found[GLUTEUS_VOLUME.format(side)] = CUT
        if voxels.at_border(psoas):
            found[PSOAS_VOLUME.format(side)] = CUT
            ends = profile.z_mm[profile.extent(psoas)][[0, -1]]
            if voxels.at_side(psoas):
                found[PSOAS_CSA.format(side)] = CUT_AT_SIDE
            elif measures[f"psoas_csa_{side}_z_mm"] in ends:
                found[PSOAS_CSA.format(side)] = WIDEST_AT_END
    return found


def without(
    measures: Mapping[str, float | bool], names: Mapping[str, str], height_cm: float
) -> dict[str, float | bool]:
    """Return the measures with the named ones, and all that rests on them, missing (NaN)."""
    kept = {**measures, **dict.fromkeys(names, np.nan)}
    for name in (PSOAS_CSA, PSOAS_VOLUME, GLUTEUS_VOLUME):
        kept[name.format("total")] = sum(kept[name.format(side)] for side in SIDES)
    return {**kept, **derived(kept, height_cm)}

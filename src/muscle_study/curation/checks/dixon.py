"""Whether water is water and fat is fat: swaps of the two, whole, in a part or on a side."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from muscle_study.curation.checks.body import body_mask
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason

#: Depth under the skin in which fat outweighs water in everyone (mm).
RIM_MM = 10.0

#: The rim is judged in blocks of this height, each side apart (mm): a station is longer.
BLOCK_MM = 60.0

#: Fat's share of the rim's signal below which water and fat have changed places. In the synthetic
#: cohort the share is above 0.7 even in the leanest; swapped, it is one minus that.
LEAST_FAT_SHARE = 0.5


def right_swap(images: Mapping[str, Volume], what: str) -> tuple[dict[str, Volume], str | None]:
    """Exchange water and fat where the whole of them is swapped; refuse them where a part is.

    Where fat under the skin shows in the water image on both sides and at every height, the two
    were exchanged as wholes, and exchanging them again gives back every voxel. Where a part is
    swapped, its border is not known to a voxel.

    Parameters
    ----------
    images
        On one upright RAS grid.
    what
        What they show, for the evidence, e.g. ``station 2``.

    Returns
    -------
    images : dict
        With water and fat right.
    evidence : str or None
        Why they were exchanged, if they were.

    Raises
    ------
    Excluded
        ``water_fat_swap``, saying on which side and at which heights.
    """
    water, fat = images["water"], images["fat"]
    shares = fat_shares(water, fat)
    swapped = [name for name, share in shares.items() if share < LEAST_FAT_SHARE]
    if not swapped:
        return dict(images), None
    if len(swapped) < len(shares):
        raise Excluded(
            Reason.WATER_FAT_SWAP, f"fat under the skin looks like water: {'; '.join(swapped)}"
        )
    low, high = min(shares.values()), max(shares.values())
    evidence = (
        f"{what}: fat's share of the signal under the skin was {low:.2f} to {high:.2f} in all "
        f"{len(shares)} parts"
    )
    return {**images, "water": fat, "fat": water}, evidence


def fat_shares(water: Volume, fat: Volume) -> dict[str, float]:
    """Return fat's share of the signal under the skin, by side and block of heights.

    Blocks without a body are left out.
    """
    total = water.data.astype(np.float32) + fat.data
    rim = body_rim(body_mask(total), water.spacing_mm)
    middle = total.shape[0] // 2
    height = max(int(BLOCK_MM / water.spacing_mm[2]), 1)
    shares = {}
    for low in range(0, total.shape[2], height):
        for side, half in (("left", slice(None, middle)), ("right", slice(middle, None))):
            block = (half, slice(None), slice(low, low + height))
            signal = total[block][rim[block]].sum()
            if signal > 0:
                feet = water.affine[2, 3] + low * water.spacing_mm[2]
                name = f"{side}, z {feet:.0f} to {feet + height * water.spacing_mm[2]:.0f} mm"
                shares[name] = float(fat.data[block][rim[block]].sum() / signal)
    return shares


def body_rim(body: np.ndarray, spacing_mm: np.ndarray) -> np.ndarray:
    """Return the outermost `RIM_MM` of the body in each axial slice; arrays are (x, y, z)."""
    rim = np.zeros_like(body)
    for index in range(body.shape[2]):
        filled = ndimage.binary_fill_holes(body[:, :, index])
        # a border of air, so that a body cut off by the field of view has a rim there too
        depth = ndimage.distance_transform_edt(np.pad(filled, 1), sampling=spacing_mm[:2])
        rim[:, :, index] = filled & (depth[1:-1, 1:-1] <= RIM_MM)
    return rim

"""Water–fat swaps: of the whole, of a part, or on one side."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from muscle_study.curation.checks.body import body_mask
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason

#: Depth under the skin where fat outweighs water in everyone.
RIM_MM = 10.0

#: Height of the blocks in which each side of the rim is judged; stations are higher.
BLOCK_MM = 60.0

#: Fat's share of the rim's signal below which water and fat are swapped. In the synthetic cohort
#: the share exceeds 0.7 in the leanest; swapped, it is the complement.
LEAST_FAT_SHARE = 0.5


def correct_swap(images: Mapping[str, Volume], what: str) -> tuple[dict[str, Volume], str | None]:
    """Exchange completely swapped water and fat; refuse partial swaps.

    If subcutaneous fat shows in the water image on both sides and at every height, exchanging the
    images restores every voxel. The border of a partial swap is unknown.

    Parameters
    ----------
    images
        Contrasts on one upright RAS grid.
    what
        Name for the evidence, e.g. ``station 2``.

    Returns
    -------
    images : dict
        Contrasts with water and fat corrected.
    evidence : str or None
        Reason for an exchange.

    Raises
    ------
    Excluded
        ``water_fat_swap``, naming sides and heights.
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
    """Return fat's share of the subcutaneous signal by side and block of heights with a body."""
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
        # a border of air gives a body cut off by the field of view a rim there too
        depth = ndimage.distance_transform_edt(np.pad(filled, 1), sampling=spacing_mm[:2])
        rim[:, :, index] = filled & (depth[1:-1, 1:-1] <= RIM_MM)
    return rim

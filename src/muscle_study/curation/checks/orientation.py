"""Agreement of the anatomy with the affine: head up, liver on the right."""

from collections.abc import Mapping

import numpy as np

from muscle_study.curation.checks.body import Body, thinned
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason

#: Least height of a field of view that is judged: a lower one may show legs or liver in part.
LEAST_HEIGHT_MM = 400.0

#: Height of the ends of the field of view whose midline depths are compared; the depth between
#: legs is small.
END_MM = 30.0
#: Ratio of lower to upper midline depth above which the body is upside down.
UPSIDE_DOWN = 1.3

#: Height and depth of the region that holds the liver: upper field of view, deeper than ribs and
#: abdominal wall.
LIVER_MM, LIVER_DEPTH_MM = 100.0, 25.0
#: Water balance, (right − left) / (right + left), below which the liver lies on the left.
LIVER_LEFT = -0.07


def check_orientation(images: Mapping[str, Volume]) -> None:
    """Refuse images in which the anatomy contradicts the affine.

    They are not corrected: an affine that is wrong in one direction cannot be trusted in the
    others. Images that show neither gap between the legs nor liver, or that are lower than
    `LEAST_HEIGHT_MM`, pass.

    Parameters
    ----------
    images
        Water and fat on one upright RAS grid.

    Raises
    ------
    Excluded
        ``wrong_orientation``.
    """
    whole = images["water"]
    if whole.spacing_mm[2] * whole.data.shape[2] < LEAST_HEIGHT_MM:
        return
    body = Body.of(images)
    water, fat = (thinned(images[name]).data for name in ("water", "fat"))
    low, high = midline_depths_mm(body)
    if low > UPSIDE_DOWN * high:
        raise Excluded(
            Reason.WRONG_ORIENTATION,
            f"head and feet: the body is {low:.0f} mm deep at its midline at the lower end and "
            f"{high:.0f} mm at the upper one, as between the legs",
        )
    balance = liver_balance(body, water, fat)
    if balance < LIVER_LEFT:
        raise Excluded(
            Reason.WRONG_ORIENTATION,
            f"left and right: {-balance:.0%} more water on the left of the upper abdomen, where "
            "the liver is not",
        )


def midline_depths_mm(body: Body) -> tuple[float, float]:
    """Return the body's mean front-to-back depth at its midline, at the lower and upper end."""
    right, _ = body.from_middle_mm()
    midline = abs(right[:, 0, 0]) <= max(10.0, body.spacing_mm[0])
    depth = body.inside[midline].sum(axis=1).mean(axis=0) * body.spacing_mm[1]
    ends = max(int(END_MM / body.spacing_mm[2]), 1)
    return float(depth[:ends].mean()), float(depth[-ends:].mean())


def liver_balance(body: Body, water: np.ndarray, fat: np.ndarray) -> float:
    """Return (right − left) / (right + left) of water deep in the upper abdomen."""
    upper = max(int(LIVER_MM / body.spacing_mm[2]), 1)
    organ = (body.depth_mm > LIVER_DEPTH_MM) & (water > fat)
    signal = (water * organ)[:, :, -upper:].sum(axis=(1, 2), dtype=np.float64)
    right = body.from_middle_mm()[0][:, 0, 0]
    sides = signal[right > 0].sum(), signal[right < 0].sum()
    return float((sides[0] - sides[1]) / max(sum(sides), 1e-9))

"""How good a scan is: a score for each of what commonly spoils one, and flags above thresholds.

A flagged participant stays. What a score says of an image is not what it does to a measure, and to
exclude by image quality would exclude by BMI, with which movement, noise and swaps go. So flags are
counted, and the analyses are done again without the flagged.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import ndimage

from muscle_study.curation.checks.body import Body
from muscle_study.curation.checks.contrasts import disagreement
from muscle_study.curation.checks.quality_parameters import QualityParameters
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.findings import Flag

#: Score, and threshold in the parameters, that each flag is about.
SCORES = {
    Flag.NOISE: "noise",
    Flag.GHOSTING: "ghosting",
    Flag.MOTION: "motion",
    Flag.SIGNAL_VOID: "void_ml",
    Flag.INTENSITY: "intensity",
    Flag.CONTRASTS_DISAGREE: "disagreement",
}
EXTENTS = ["extent_x_mm", "extent_y_mm", "extent_z_mm"]
COLUMNS = ["participant_id", *SCORES.values(), *EXTENTS, "flagged", "flags"]

#: Air nearer to the body holds its blurred edge (mm).
AIR_MM = 10.0
#: The lower quartile, and the mean, of the magnitude of noise alone, in its standard deviations:
#: the Rayleigh distribution's (Henkelman, Med Phys 1985;12:232-233). The quartile is used since
#: ghosts lift the mean.
QUARTILE, MEAN = np.sqrt(2 * np.log(4 / 3)), np.sqrt(np.pi / 2)

#: A slice with fewer voxels of air before and behind the body tells nothing of ghosts.
LEAST_AIR = 50
#: Ghosts are judged where they are strong (centile of the slices).
WORST = 95

#: How deep under the skin its edge is looked for (mm).
EDGE_MM = 20.0

#: No signal: under this share of the body's median, deeper than this under the skin (mm).
VOID_SHARE, VOID_DEPTH_MM = 0.15, 15.0
#: Voids are looked for where no bowel lies and no lung: behind the middle at the spine, and in the
#: lower part of the field of view at the hips (mm from the middle; share of the height).
SPINE_MM, BEHIND_MM, HIP_MM, HIP_HEIGHT = 50.0, 15.0, 60.0, 0.4

#: The brightest signal that is not an outlier by itself (centile).
BRIGHTEST = 99.9


def scores(images: Mapping[str, Volume]) -> dict[str, float | None]:
    """Return the scores of a participant's curated images; None where one cannot be had.

    - ``noise``: standard deviation in air over the body's median signal.
    - ``ghosting``: signal in the air before and behind the body, where phase encoding puts ghosts,
      beyond noise, over the body's median; in the worst slices. The ghost-to-signal ratio
      (Giannelli et al., J Appl Clin Med Phys 2010;11(4):3237) without its other half: beside
      the arms there is no air.
    - ``motion``: how blurred the skin is from front to back, see `edge_blur`.
    - ``void_ml``: void at the spine or at a hip, see `void_ml`.
    - ``intensity``: brightest signal over the body's median.
    - ``disagreement``: how far in phase is from W + F and opposed phase from abs(W − F).
    """
    body = Body.of(images)
    extent = next(iter(images.values()))
    values = {
        **_air(body),
        "motion": edge_blur(body),
        "void_ml": void_ml(body),
        "intensity": _over(np.percentile(body.image, BRIGHTEST), body.brightness),
        "disagreement": disagreement(images),
    }
    values |= zip(EXTENTS, extent.spacing_mm * extent.data.shape, strict=True)
    # records are JSON, which has no NaN
    return {
        name: round(float(value), 4) if np.isfinite(value) else None
        for name, value in values.items()
    }


def _over(value: float, brightness: float) -> float:
    return value / brightness if brightness > 0 else np.nan


def _air(body: Body) -> dict[str, float]:
    """Return noise and ghosting."""
    air = body.away_mm > AIR_MM
    if not air.any():
        return {"noise": np.nan, "ghosting": np.nan}
    noise = np.percentile(body.image[air], 25) / QUARTILE
    # phase is encoded from front to back in axial scans of the trunk, the shorter way
    ghosted = air & body.inside.any(axis=1, keepdims=True)
    counts = ghosted.sum(axis=(0, 1))
    enough = counts >= LEAST_AIR
    means = (body.image * ghosted).sum(axis=(0, 1))[enough] / counts[enough]
    ghosts = np.percentile(means, WORST) - MEAN * noise if enough.any() else np.nan
    found = {"noise": noise or np.nan, "ghosting": ghosts}
    return {name: _over(value, body.brightness) for name, value in found.items()}


def edge_blur(body: Body) -> float:
    """Return the share of the skin's edge that lies outside its steepest step; 0 is sharp.

    Along each line from front to back, at both of the body's ends: the largest rise from one voxel
    to the next, over the brightest voxel so near the skin; one minus the median. A body that moves
    along the phase encoding leaves its edge at several places. Edge strength tells movement without
    a reference image (Aksoy et al., Magn Reson Med 2012;67:1237-1251).
    """
    depth = max(int(EDGE_MM / body.spacing_mm[1]), 2)
    image = np.pad(body.image, ((0, 0), (depth, depth), (0, 0)))
    length = body.inside.shape[1]
    across = body.inside.any(axis=1)
    ends = (
        (body.inside.argmax(axis=1), 1),
        (length - 1 - body.inside[:, ::-1].argmax(axis=1), -1),
    )
    rises = []
    for first, inwards in ends:
        # a body that the field of view cuts has no edge there
        x, z = np.nonzero(across & (first > 1) & (first < length - 2))
        steps = inwards * np.arange(-2, depth)[:, None]
        line = image[x, first[x, z] + depth + steps, z]
        rises.append(np.diff(line, axis=0).max(axis=0) / line.max(axis=0))
    rises = np.concatenate(rises)
    return float(1 - np.median(rises)) if rises.size else np.nan


def void_ml(body: Body) -> float:
    """Return the volume of the void where metal would make it: of the spine's rods, or of a hip.

    The rods of a spine lie left and right of it, and so may their voids, apart: its two largest
    parts are added.
    """
    dark = (body.image < VOID_SHARE * body.brightness) & (body.depth_mm > VOID_DEPTH_MM)
    right, front = body.from_middle_mm()
    low = np.arange(dark.shape[2]) < HIP_HEIGHT * dark.shape[2]
    at_spine = (abs(right) < SPINE_MM) & (front < -BEHIND_MM)
    at_hips = (abs(right) > HIP_MM) & low
    voxels = max(_largest(dark & at_spine, 2), _largest(dark & at_hips, 1))
    return voxels * np.prod(body.spacing_mm) / 1000


def _largest(mask: np.ndarray, count: int) -> int:
    """Return how many voxels the largest connected parts of a mask have together."""
    parts, _ = ndimage.label(mask)
    return int(np.sort(np.bincount(parts.ravel())[1:])[-count:].sum())


def quality_table(
    scored: Mapping[str, Mapping[str, float | None]], parameters: QualityParameters
) -> pd.DataFrame:
    """Return the scores of those who stay, with the flags that the thresholds give.

    Parameters
    ----------
    scored
        By participant, as `scores` gives them.
    parameters
        Thresholds; None flags nobody.
    """
    rows = [{"participant_id": name, **values} for name, values in scored.items()]
    numbers = dict.fromkeys(COLUMNS[1:-2], float)
    table = pd.DataFrame(rows, columns=COLUMNS[:-2]).astype(numbers)
    found = {
        flag: table[score] > limit
        for flag, score in SCORES.items()
        if (limit := getattr(parameters, f"most_{score}")) is not None
    }
    if (share := parameters.least_extent_share) is not None:
        usual = table[EXTENTS].median()
        found[Flag.SMALL_FIELD_OF_VIEW] = (table[EXTENTS] < share * usual).any(axis=1)
    marks = pd.DataFrame(found, index=table.index)
    flags = [
        "; ".join(flag for flag, is_set in row.items() if is_set)
        for row in marks.to_dict("records")
    ]
    return table.assign(flagged=[bool(text) for text in flags], flags=flags)

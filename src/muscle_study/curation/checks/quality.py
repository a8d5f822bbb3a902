"""Image quality: a score for each common artefact, and flags above thresholds.

Flagged participants stay. Scores describe the image, not the error of a measure, and excluding by
image quality would exclude by BMI, which movement, noise and swaps depend on. Flags are counted,
and a sensitivity analysis leaves flagged participants out.
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

#: Score behind each flag; its threshold is the parameter ``most_<score>``.
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

#: Distance from the body within which air holds its blurred edge.
AIR_MM = 10.0
#: Lower quartile and mean of the magnitude of pure noise, in standard deviations (Rayleigh
#: distribution; Henkelman, Med Phys 1985;12:232-233). Ghosts raise the mean, hence the quartile.
QUARTILE, MEAN = np.sqrt(2 * np.log(4 / 3)), np.sqrt(np.pi / 2)

#: Least number of air voxels before and behind the body in a slice that is judged for ghosts.
LEAST_AIR = 50
#: Centile of the slices at which ghosts are judged.
WORST = 95

#: Depth under the skin that is searched for its edge.
EDGE_MM = 20.0

#: Signal of a void, as a share of the body's median, and its least depth under the skin.
VOID_SHARE, VOID_DEPTH_MM = 0.15, 15.0
#: Regions without bowel and lung that are searched for voids: behind the middle at the spine, and
#: at the hips in the lower part of the field of view (mm from the middle; share of the height).
SPINE_MM, BEHIND_MM, HIP_MM, HIP_HEIGHT = 50.0, 15.0, 60.0, 0.4

#: Centile that stands for the brightest signal.
BRIGHTEST = 99.9


def scores(images: Mapping[str, Volume]) -> dict[str, float | None]:
    """Return the scores of a participant's curated images; None for one that is undefined.

    - ``noise``: standard deviation in air over the body's median signal.
    - ``ghosting``: signal beyond noise in the air before and behind the body, in the direction of
      phase encoding, over the body's median, in the worst slices. This is the ghost-to-signal
      ratio (Giannelli et al., J Appl Clin Med Phys 2010;11(4):3237) without its lateral half:
      beside the arms there is no air.
    - ``motion``: front-to-back blur of the skin, see `edge_blur`.
    - ``void_ml``: void at the spine or a hip, see `void_ml`.
    - ``intensity``: brightest signal over the body's median.
    - ``disagreement``: residual of in phase = W + F and opposed phase = abs(W − F).
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
    # axial scans of the trunk encode phase from front to back, the shorter way
    ghosted = air & body.inside.any(axis=1, keepdims=True)
    counts = ghosted.sum(axis=(0, 1))
    enough = counts >= LEAST_AIR
    means = (body.image * ghosted).sum(axis=(0, 1))[enough] / counts[enough]
    ghosts = np.percentile(means, WORST) - MEAN * noise if enough.any() else np.nan
    found = {"noise": noise or np.nan, "ghosting": ghosts}
    return {name: _over(value, body.brightness) for name, value in found.items()}


def edge_blur(body: Body) -> float:
    """Return the share of the skin's edge outside its steepest step; 0 is sharp.

    It is one minus the median, over both ends of each front-to-back line, of the largest rise
    between neighbouring voxels over the brightest voxel near the skin. A body that moves along the
    phase encoding shows its edge at several places. Edge strength measures movement without a
    reference image (Aksoy et al., Magn Reson Med 2012;67:1237-1251).
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
        # a body cut by the field of view has no edge there
        x, z = np.nonzero(across & (first > 1) & (first < length - 2))
        steps = inwards * np.arange(-2, depth)[:, None]
        line = image[x, first[x, z] + depth + steps, z]
        rises.append(np.diff(line, axis=0).max(axis=0) / line.max(axis=0))
    rises = np.concatenate(rises)
    return float(1 - np.median(rises)) if rises.size else np.nan


def void_ml(body: Body) -> float:
    """Return the volume of the larger void of spine and hips, where implants lie.

    Rods lie on both sides of the spine and may leave separate voids: its two largest are added.
    """
    dark = (body.image < VOID_SHARE * body.brightness) & (body.depth_mm > VOID_DEPTH_MM)
    right, front = body.from_middle_mm()
    low = np.arange(dark.shape[2]) < HIP_HEIGHT * dark.shape[2]
    at_spine = (abs(right) < SPINE_MM) & (front < -BEHIND_MM)
    at_hips = (abs(right) > HIP_MM) & low
    voxels = max(_largest(dark & at_spine, 2), _largest(dark & at_hips, 1))
    return voxels * np.prod(body.spacing_mm) / 1000


def _largest(mask: np.ndarray, count: int) -> int:
    """Return the number of voxels in the `count` largest connected parts of a mask."""
    parts, _ = ndimage.label(mask)
    return int(np.sort(np.bincount(parts.ravel())[1:])[-count:].sum())


def quality_table(
    scored: Mapping[str, Mapping[str, float | None]], parameters: QualityParameters
) -> pd.DataFrame:
    """Return the scores and flags of the kept participants.

    Parameters
    ----------
    scored
        Result of `scores` by participant.
    parameters
        Thresholds; None disables a flag.
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

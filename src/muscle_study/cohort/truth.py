"""True measures of the participants, and the error of counting voxels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from muscle_study.cohort.anatomy.muscles import union_volume_mm3
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.scan import Voxels
from muscle_study.cohort.scanner.signal import echo_signals
from muscle_study.imaging.volumes import MM2_PER_CM2, MM3_PER_ML
from muscle_study.protocol.muscles import SIDES, Label, label_of

MUSCLES = ("psoas", "gluteus")

#: Columns of sizes by side; totals are sums.
SIZES = ("psoas_csa_{}_cm2", "psoas_volume_{}_ml", "gluteus_volume_{}_ml")


def true_measures(body: Body, fat_fraction: Mapping[Label, float]) -> dict[str, float]:
    """Return a body's true measures, with the noise-free signal `fat_fraction` of its scan.

    Sizes of the psoas have a closed form; the gluteus is summed finely by `union_volume_mm3`.
    """
    measures = {}
    for side in SIDES:
        (psoas,) = (part.stack for part in body.muscles[label_of("psoas", side)])
        parts = [part.stack for part in body.muscles[label_of("gluteus", side)]]
        right = parts if side == "right" else [part.mirrored() for part in parts]
        measures[f"psoas_csa_{side}_cm2"] = psoas.max_area_mm2() / MM2_PER_CM2
        measures[f"psoas_volume_{side}_ml"] = psoas.volume_mm3() / MM3_PER_ML
        measures[f"gluteus_volume_{side}_ml"] = union_volume_mm3(right) / MM3_PER_ML
        for muscle in MUSCLES:
            measures[f"{muscle}_fat_fraction_{side}"] = fat_fraction[label_of(muscle, side)]
    return {name: float(value) for name, value in with_totals(measures).items()}


def with_totals(measures: Mapping[str, float | pd.Series]) -> dict[str, float | pd.Series]:
    """Return measures with totals: sums of sizes and volume-weighted fat fractions."""
    complete = dict(measures)
    for size in SIZES:
        complete[size.format("total")] = sum(measures[size.format(side)] for side in SIDES)
    for muscle in MUSCLES:
        fat = sum(
            measures[f"{muscle}_fat_fraction_{side}"] * measures[f"{muscle}_volume_{side}_ml"]
            for side in SIDES
        )
        complete[f"{muscle}_fat_fraction_total"] = fat / complete[f"{muscle}_volume_total_ml"]
    return complete


def population_measures(muscles: pd.DataFrame) -> pd.DataFrame:
    """Return the true measures of a population from `draw_muscles`.

    Fat fractions are converted from protons to signal.
    """
    signals = echo_signals({})
    measures = {size.format(side): muscles[size.format(side)] for size in SIZES for side in SIDES}
    for muscle in MUSCLES:
        shown = muscles[f"{muscle}_fat_fraction"].map(signals.fat_fraction)
        measures |= {f"{muscle}_fat_fraction_{side}": shown for side in SIDES}
    return pd.DataFrame(with_totals(measures))


def counted_measures(body: Body, grid: Grid, supersampling: list[int]) -> dict[str, float]:
    """Return `SIZES` of both sides by counting voxels of reference labels on a grid."""
    muscles_alone = Body([], body.muscles, body.deformation)
    axes = grid.axes_mm(tuple(supersampling))
    labels = Voxels(sample(muscles_alone, axes), supersampling).majority()
    dx, dy, dz = grid.spacing_mm
    counted = {}
    for side in SIDES:
        by_slice = {
            muscle: np.count_nonzero(labels == label_of(muscle, side), axis=(1, 2))
            for muscle in MUSCLES
        }
        counted[f"psoas_csa_{side}_cm2"] = by_slice["psoas"].max() * dx * dy / MM2_PER_CM2
        for muscle in MUSCLES:
            counted[f"{muscle}_volume_{side}_ml"] = (
                by_slice[muscle].sum() * dx * dy * dz / MM3_PER_ML
            )
    return {name: float(value) for name, value in counted.items()}


def voxelisation_table(counted: Mapping[str, pd.DataFrame], truth: pd.DataFrame) -> pd.DataFrame:
    """Return the relative error of counting voxels by grid and measure.

    Parameters
    ----------
    counted
        Counted `SIZES` by grid (``3.5x3.5x5``), one row per participant.
    truth
        True measures in the same order.

    Returns
    -------
    pandas.DataFrame
        ``n`` counts sides; ``low_percent`` and ``high_percent`` are a 95 % confidence interval.
    """
    rows = []
    for spacing, table in counted.items():
        for size in SIZES:
            names = [size.format(side) for side in SIDES]
            error = 100 * (table[names].to_numpy() / truth[names].to_numpy() - 1)
            # participants are independent, the sides of a participant are not
            margin = 1.96 * error.mean(axis=1).std(ddof=1) / np.sqrt(len(error))
            rows.append(
                {
                    "spacing_mm": spacing,
                    "measure": size.replace("_{}", ""),
                    "n": error.size,
                    "mean_percent": error.mean(),
                    "low_percent": error.mean() - margin,
                    "high_percent": error.mean() + margin,
                    "sd_percent": error.std(ddof=1),
                }
            )
    return pd.DataFrame(rows)

"""What is true of the participants, and how far counted voxels are off."""

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

#: Sizes by side; totals are sums.
SIZES = ("psoas_csa_{}_cm2", "psoas_volume_{}_ml", "gluteus_volume_{}_ml")


def true_measures(body: Body, fat_fraction: Mapping[Label, float]) -> dict[str, float]:
    """Return a body's true measures from its continuous shapes.

    Psoas: closed form. Gluteus: its parts' union, summed finely (see `union_volume_mm3`). The fat
    fraction is that of the signal, without noise.

    Parameters
    ----------
    body
        The body.
    fat_fraction
        By muscle, from its scan.
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
    """Add the totals: sums of sizes, and fat fractions weighted by volume."""
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
    """Return the true measures of everyone who was drawn, imaged or not.

    Parameters
    ----------
    muscles
        As from `population.draw_muscles`: its fat fractions are of protons, the measures' of the
        signal.
    """
    signals = echo_signals({})
    measures = {size.format(side): muscles[size.format(side)] for size in SIZES for side in SIDES}
    for muscle in MUSCLES:
        shown = muscles[f"{muscle}_fat_fraction"].map(signals.fat_fraction)
        measures |= {f"{muscle}_fat_fraction_{side}": shown for side in SIDES}
    return pd.DataFrame(with_totals(measures))


def counted_measures(body: Body, grid: Grid, supersampling: list[int]) -> dict[str, float]:
    """Measure a body as its reference labels on a grid do: by counting voxels.

    Returns
    -------
    dict
        `SIZES` of both sides.
    """
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
    """Return how far counted voxels are off the true sizes, relative, by grid and measure.

    Parameters
    ----------
    counted
        Grid (``3.5x3.5x5``) to a table of `SIZES`, a row a participant.
    truth
        The true measures, in the same order.

    Returns
    -------
    pandas.DataFrame
        ``spacing_mm``, ``measure``, ``n`` (both sides of each participant count), ``mean_percent``,
        its 95 % interval ``low_percent``, ``high_percent``, and ``sd_percent``.
    """
    rows = []
    for spacing, table in counted.items():
        for size in SIZES:
            names = [size.format(side) for side in SIDES]
            error = 100 * (table[names].to_numpy() / truth[names].to_numpy() - 1)
            # a participant's two sides share a body: the participants are what is independent
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

"""Tables and figures of the notebook, aggregated over participants."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from pandas.io.formats.style import Styler

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.protocol.outcomes import COLUMNS


def distribution(measures: pd.DataFrame) -> pd.DataFrame:
    """Return mean, SD and quartiles of every measure; extremes would be individual values."""
    numeric = measures[[name for name in COLUMNS if not name.endswith(("_at_border", "_z_mm"))]]
    return pd.DataFrame(
        {
            "mean": numeric.mean(),
            "SD": numeric.std(),
            "25 %": numeric.quantile(0.25),
            "median": numeric.median(),
            "75 %": numeric.quantile(0.75),
        }
    ).rename_axis("measure")


def captioned(table: pd.DataFrame, caption: str, synthetic: bool) -> Styler:
    """Return a styled table, marked if the data are synthetic."""
    return table.style.format(precision=3, na_rep="–").set_caption(
        f"{caption} (synthetic data)" if synthetic else caption
    )


def quality_summary(quality: pd.DataFrame) -> pd.DataFrame:
    """Return mean and SD of each score by muscle, over participants and sides."""
    muscle = quality["structure"].str.split("_").str[0].rename("muscle")
    scores = quality.drop(columns=["participant_id", "structure"])
    return scores.groupby(muscle).agg(["mean", "std"]).reindex(MUSCLES)


def mean_profile(profiles: pd.DataFrame) -> pd.DataFrame:
    """Average the psoas profiles of ``csa_profiles.csv``, aligned at the level of their maxima.

    Returns
    -------
    pandas.DataFrame
        ``offset_mm`` above the maximum, ``mean`` and ``sd`` of the area (cm²) over participants
        and sides, at levels that at least half of the profiles reach: beyond, the mean would
        describe the longest muscles only.
    """
    keys = ["participant_id", "side"]
    top = profiles.loc[profiles.groupby(keys)["csa_cm2"].idxmax(), [*keys, "z_mm"]]
    aligned = profiles.merge(top, on=keys, suffixes=("", "_top"))
    step_mm = profiles.groupby(keys)["z_mm"].diff().median()
    slab = np.rint((aligned["z_mm"] - aligned["z_mm_top"]) / step_mm)
    levels = aligned.groupby(slab * step_mm)["csa_cm2"].agg(["mean", "std", "size"])
    reached = levels[levels["size"] >= len(top) / 2]
    return (
        reached.rename_axis("offset_mm")
        .reset_index()[["offset_mm", "mean", "std"]]
        .rename(columns={"std": "sd"})
    )


def draw_mean_profile(profile: pd.DataFrame, synthetic: bool) -> Figure:
    """Draw the mean profile of the psoas, feet to head, with one SD to both sides."""
    figure, axes = plt.subplots(figsize=(4, 4.5), layout="constrained")
    low, high = profile["mean"] - profile["sd"], profile["mean"] + profile["sd"]
    axes.fill_betweenx(profile["offset_mm"], low, high, alpha=0.25, linewidth=0)
    axes.plot(profile["mean"], profile["offset_mm"])
    axes.axhline(0, color="0.6", linewidth=0.8, linestyle=":")
    axes.set(
        xlabel="Axial cross-section of one psoas (cm²), mean ± SD",
        ylabel="Height above the level of the maximum (mm)",
    )
    axes.set_xlim(left=0)
    axes.spines[["top", "right"]].set_visible(False)
    if synthetic:
        axes.text(
            0.98, 0.98, "synthetic", transform=axes.transAxes, ha="right", va="top", color="0.4"
        )
    plt.close(figure)  # the cell's value shows it
    return figure

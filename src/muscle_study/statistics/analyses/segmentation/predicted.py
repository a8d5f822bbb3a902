"""Predicted Dice as a sign of failed segmentations, in the test participants."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from scipy.stats import rankdata, spearmanr

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.disclosure import SUPPRESSED
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    GREY,
    MUSCLE_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.segmentation.quality import read_quality
from muscle_study.statistics.analyses.segmentation.strata import RESAMPLES, SEED
from muscle_study.statistics.study.study import Study

#: A structure with a lower Dice coefficient counts as failed.
FAILURE = 0.85


class Ranking(NamedTuple):
    """Ranking of failures by the prediction; NaN for suppressed or undefined values.

    Parameters
    ----------
    structures
        Number of muscles' sides with a Dice coefficient.
    failures
        Number of these that failed.
    auc, low, high
        Area under the ROC curve with its bootstrap interval; undefined without failures.
    """

    structures: float
    failures: float
    auc: float
    low: float
    high: float


class WithinMuscle(NamedTuple):
    """Agreement of predicted and true Dice of one muscle's sides; NaN for too few.

    Parameters
    ----------
    correlation
        Spearman's rank correlation.
    bias
        Mean of predicted minus true Dice.
    """

    correlation: float
    bias: float


def predictions(study: Study) -> pd.DataFrame:
    """Return ``participant_id``, ``structure``, ``dice`` and ``predicted_dice``.

    A structure not found in any pass of the network counts as predicted 0.
    """
    quality = read_quality(study).dropna(subset="dice")
    columns = ["participant_id", "structure", "dice", "predicted_dice"]
    return quality[columns].fillna({"predicted_dice": 0.0})


def ranking(study: Study) -> Ranking:
    """Return the ranking of the test split's failures by the predictions.

    The bootstrap resamples participants, whose four structures are alike; samples in which
    nothing or everything failed have no area and are left out. In a run on real people, failures
    of a few participants are suppressed.
    """
    table = predictions(study)
    found = dict.fromkeys(Ranking._fields, np.nan)
    if table["participant_id"].nunique() < study.min_count:
        return Ranking(**found)
    failed = (table["dice"] < FAILURE).to_numpy()
    found["structures"] = len(table)
    who = table.loc[failed, "participant_id"].nunique()
    if not study.synthetic and 0 < who < study.min_count:
        return Ranking(**found)
    found["failures"] = failed.sum()
    if not 0 < failed.sum() < len(table):
        return Ranking(**found)
    predicted = table["predicted_dice"].to_numpy()
    rows = list(table.reset_index().groupby("participant_id").indices.values())
    rng = np.random.default_rng(SEED)
    areas = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        areas.append(area_under_curve(predicted[drawn], failed[drawn]))
    tail = (1 - study.parameters.confidence) / 2
    found["auc"] = area_under_curve(predicted, failed)
    found["low"], found["high"] = np.nanquantile(areas, [tail, 1 - tail])
    return Ranking(**found)


def within_muscles(study: Study) -> dict[str, WithinMuscle]:
    """Return the agreement of predicted and true Dice in the test split, by muscle.

    Both muscles together would correlate by being two clusters.
    """
    table = predictions(study)
    muscle = table["structure"].str.rsplit("_", n=1).str[0]
    found = {}
    for name in MUSCLES:
        sides = table[muscle == name]
        correlation = bias = np.nan
        if sides["participant_id"].nunique() >= study.min_count:
            bias = (sides["predicted_dice"] - sides["dice"]).mean()
            if np.ptp(
                sides[["dice", "predicted_dice"]], axis=0
            ).all():  # constant values have no rank
                correlation = spearmanr(sides["dice"], sides["predicted_dice"]).statistic
        found[name] = WithinMuscle(correlation, bias)
    return found


def area_under_curve(predicted: np.ndarray, failed: np.ndarray) -> float:
    """Return the area under the ROC curve; NaN if all failed or none.

    The share of pairs of a failed and a sound structure in which the failed one was predicted
    lower; ties count half.

    Parameters
    ----------
    predicted
        Predicted Dice, shape (n,).
    failed
        Boolean, shape (n,).

    References
    ----------
    Hanley JA, McNeil BJ. The meaning and use of the area under a receiver operating characteristic
    (ROC) curve. Radiology 1982;143:29-36.
    """
    n_failed, n_good = failed.sum(), (~failed).sum()
    if not n_failed or not n_good:
        return float("nan")
    ranks = rankdata(-predicted)
    return float((ranks[failed].sum() - n_failed * (n_failed + 1) / 2) / (n_failed * n_good))


def predicted(study: Study) -> Result | Absent:
    """Return predicted against true Dice, and the ranking of failures by the prediction."""
    if read_quality(study)["predicted_dice"].isna().all():
        return Absent("predicted", "inference predicted no Dice: label maps from elsewhere")
    return Result("predicted", figure=_picture(study), numbers=_numbers(study))


def _numbers(study: Study) -> Numbers:
    numbers = Numbers()
    found = ranking(study)
    why = {0: "undefined, since none failed", found.structures: "undefined, since all failed"}
    numbers.number("predicted.structures", found.structures, otherwise=SUPPRESSED)
    numbers.number("predicted.failures", found.failures, otherwise=SUPPRESSED)
    numbers.number("predicted.threshold", FAILURE, 2)
    numbers.number("predicted.auc", found.auc, 3, otherwise=why.get(found.failures, SUPPRESSED))
    if pd.isna(found.auc):
        numbers.word("predicted.auc_ci", "no interval")
    else:
        numbers.limits("predicted.auc_ci", found.low, found.high, 3, before=study.ci)
    for muscle, of_muscle in within_muscles(study).items():
        numbers.number(f"predicted.correlation_{muscle}", of_muscle.correlation, 2)
        numbers.number(f"predicted.bias_{muscle}", of_muscle.bias, 3)
    return numbers


def _picture(study: Study) -> Picture:
    """Draw a density per muscle."""
    table = predictions(study)
    muscle_of = table["structure"].str.split("_").str[0]
    n = table["participant_id"].nunique()
    lines = [pd.DataFrame(columns=["muscle", "share", "line", "predicted", "dice"])]
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.9))
        for axes, muscle in zip(panels, MUSCLES, strict=True):
            axes.set_title(muscle.capitalize())
            if n >= DENSITY_FACTOR * study.min_count:
                drawn = _draw(axes, table[muscle_of == muscle], muscle)
                lines.append(drawn.assign(muscle=muscle))
            else:
                say_instead(axes, "too few to be shown")
        tag_synthetic(figure, study.synthetic)
    shares = ", ".join(format_number(100 * share) for share in SHARES)
    size = f" (n = {format_number(study.rounded(n))})" if n >= study.min_count else ""
    caption = (
        "Dice coefficient predicted by inference, against that with the reference labels, of the "
        f"test participants{size}. "
        f"Contours enclose {shares} % of the estimated density of participants' sides. Dashed: "
        f"both equal; dotted: {format_number(FAILURE, 2)}, below which a structure counts as "
        "failed." + study.imaged_only + study.origin
    )
    return Picture(figure, caption, pd.concat(lines[1:] or lines)[lines[0].columns])


def _draw(axes: Axes, table: pd.DataFrame, muscle: str) -> pd.DataFrame:
    colour = MUSCLE_COLOURS[muscle]
    predicted, dice = table["predicted_dice"].to_numpy(), table["dice"].to_numpy()
    lines = contours(axes, predicted, dice, colour)
    axes.axline((1, 1), slope=1, color=GREY, lw=0.8, ls="--")
    axes.axhline(FAILURE, color=GREY, lw=0.8, ls=":")
    axes.set(xlabel="Predicted Dice", ylabel="Dice with the reference")
    return lines.rename(columns={"x": "predicted", "y": "dice"})

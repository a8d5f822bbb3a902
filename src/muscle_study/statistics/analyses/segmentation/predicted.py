"""Whether the Dice coefficient that inference predicts tells where the segmentation failed."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import rankdata, spearmanr

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.statistics.analyses.segmentation.quality import read_quality
from muscle_study.statistics.analyses.segmentation.strata import RESAMPLES, SEED
from muscle_study.statistics.study.study import Study

#: A structure with a lower Dice coefficient counts as failed.
FAILURE = 0.85


class Ranking(NamedTuple):
    """How the prediction ranks failures; NaN is what may not be told, or is not defined.

    Parameters
    ----------
    structures
        Muscles' sides that have both, a prediction and a Dice coefficient.
    failures
        Of these, how many failed.
    auc, low, high
        Area under the ROC curve with its bootstrap interval; not defined where nothing failed.
    """

    structures: float
    failures: float
    auc: float
    low: float
    high: float


class WithinMuscle(NamedTuple):
    """How predicted and true Dice of one muscle's sides go together; NaN where nobody can tell.

    Parameters
    ----------
    correlation
        Spearman's.
    bias
        Mean of predicted minus true Dice.
    """

    correlation: float
    bias: float


def predictions(study: Study) -> pd.DataFrame:
    """Return ``participant_id``, ``structure``, ``dice`` and ``predicted_dice``.

    A structure that no pass of the network found has no prediction: it counts as one of 0, the
    surest failure.
    """
    quality = read_quality(study).dropna(subset="dice")
    columns = ["participant_id", "structure", "dice", "predicted_dice"]
    return quality[columns].fillna({"predicted_dice": 0.0})


def ranking(study: Study) -> Ranking:
    """Return how the predictions rank the test split's failures.

    Participants are what is resampled for the interval, since the four structures of one are
    alike; samples in which nothing failed, or everything, have no area and are left out. In a run
    on real people the failures of a few participants are not told.
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
    """Return how predicted and true Dice go together in the test split, by muscle.

    Within a muscle, since two clusters of sides, a muscle each, would correlate by themselves.
    """
    table = predictions(study)
    muscle = table["structure"].str.rsplit("_", n=1).str[0]
    found = {}
    for name in MUSCLES:
        sides = table[muscle == name]
        correlation = bias = np.nan
        if sides["participant_id"].nunique() >= study.min_count:
            bias = (sides["predicted_dice"] - sides["dice"]).mean()
            if np.ptp(sides[["dice", "predicted_dice"]], axis=0).all():  # of what varies alone
                correlation = spearmanr(sides["dice"], sides["predicted_dice"]).statistic
        found[name] = WithinMuscle(correlation, bias)
    return found


def area_under_curve(predicted: np.ndarray, failed: np.ndarray) -> float:
    """Return the area under the ROC curve; NaN where all failed, or none.

    It is the share of pairs, one that failed and one that did not, in which the failed one was
    predicted lower; a tie counts half.

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

"""Dependence of exclusion on a trait such as BMI group.

Groups are compared instead of fitting a trend: water-fat swaps are commonest in the very lean and
the very heavy, and a trend would miss losses at both ends.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.stats.contingency import expected_freq, odds_ratio

#: Smallest expected count for the chi-squared distribution; stricter than Cochran (Biometrics
#: 1954;10:417-451), who allows a fifth of the cells below 5 and none below 1.
LEAST_EXPECTED = 5.0
RANDOM_TABLES = 9999


@dataclass(frozen=True)
class OddsRatio:
    """Odds ratio of exclusion, a group against all others, with its interval."""

    value: float
    low: float
    high: float


def odds_ratio_of(excluded: np.ndarray, measured: np.ndarray, confidence: float) -> list[OddsRatio]:
    """Return each group's odds ratio against the other groups together.

    Conditional maximum likelihood with the exact interval (Fisher 1935; Agresti, Categorical Data
    Analysis, 2nd ed. 2002), valid for any count; infinite or 0 if all or none
    of the group were excluded.

    Parameters
    ----------
    excluded, measured
        Counts by group.
    confidence
        Level of the interval.
    """
    found = []
    for lost, kept in zip(excluded, measured, strict=True):
        table = [[lost, excluded.sum() - lost], [kept, measured.sum() - kept]]
        ratio = odds_ratio(np.asarray(table, int))
        interval = ratio.confidence_interval(confidence)
        found.append(OddsRatio(float(ratio.statistic), float(interval.low), float(interval.high)))
    return found


def dependence_p(excluded: np.ndarray, measured: np.ndarray, seed: int) -> float:
    """Return the p-value of Pearson's chi-squared test that groups are excluded alike.

    With small expected counts, the reference distribution comes from random tables with the same
    margins. NaN if all belong to one group, or nobody was excluded or measured.

    Parameters
    ----------
    excluded, measured
        Counts by group.
    seed
        Seed of the random tables.
    """
    table = np.array([excluded, measured], int)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return np.nan
    method = None
    if expected_freq(table).min() < LEAST_EXPECTED:
        method = stats.MonteCarloMethod(RANDOM_TABLES, rng=np.random.default_rng(seed))
    return float(stats.chi2_contingency(table, correction=False, method=method).pvalue)

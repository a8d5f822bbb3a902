"""Whether exclusion depends on sex, age and BMI, and how much: it would bias what is reported.

Water-fat swaps, for one, are commonest in the very lean and the very heavy, so groups are compared
rather than a trend fitted, which would miss both ends being lost.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.stats.contingency import expected_freq, odds_ratio

#: Below this many expected anywhere, the chi-squared distribution is not relied on: stricter than
#: Cochran (Biometrics 1954;10:417-451), who allows a fifth of the cells below 5 and none below 1.
LEAST_EXPECTED = 5.0
RANDOM_TABLES = 9999


@dataclass(frozen=True)
class OddsRatio:
    """Odds of exclusion in a group over those of all others, with its interval."""

    value: float
    low: float
    high: float


def odds_ratio_of(excluded: np.ndarray, measured: np.ndarray, confidence: float) -> list[OddsRatio]:
    """Return each group's odds ratio against the other groups together.

    Conditional maximum likelihood with the exact interval (Fisher 1935; Agresti, Categorical Data
    Analysis, 2nd ed. 2002), which hold for any count; infinite or 0 where a group has lost all or
    nobody.

    Parameters
    ----------
    excluded, measured
        Counts by group.
    confidence
        Of the interval.
    """
    found = []
    for lost, kept in zip(excluded, measured, strict=True):
        table = [[lost, excluded.sum() - lost], [kept, measured.sum() - kept]]
        ratio = odds_ratio(np.asarray(table, int))
        interval = ratio.confidence_interval(confidence)
        found.append(OddsRatio(float(ratio.statistic), float(interval.low), float(interval.high)))
    return found


def dependence_p(excluded: np.ndarray, measured: np.ndarray, seed: int) -> float:
    """Return the p-value of Pearson's chi-squared test that no group is excluded more than others.

    Where few are expected somewhere, random tables of the same margins take the place of the
    chi-squared distribution. NaN if all belong to one group or nobody was excluded or measured.

    Parameters
    ----------
    excluded, measured
        Counts by group.
    seed
        Of the random tables.
    """
    table = np.array([excluded, measured], int)
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or not table.sum(axis=1).all():
        return np.nan
    method = None
    if expected_freq(table).min() < LEAST_EXPECTED:
        method = stats.MonteCarloMethod(RANDOM_TABLES, rng=np.random.default_rng(seed))
    return float(stats.chi2_contingency(table, correction=False, method=method).pvalue)

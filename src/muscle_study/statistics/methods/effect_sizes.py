"""Effect sizes of comparisons of means, with confidence intervals."""

import numpy as np
from scipy import stats
from scipy.optimize import brentq

#: Largest noncentrality of the search: beyond, η² is 1 to any printed digit.
_LARGEST_NONCENTRALITY = 1e7


def cohen_d(first: np.ndarray, second: np.ndarray, confidence: float) -> tuple[float, float, float]:
    """Return Cohen's d = (mean of first - mean of second) / pooled SD, with its interval.

    The interval is based on the estimate's influence function: each value moves d by its distance
    from its group's mean and by its share of the pooled variance. Like Welch's test it assumes
    neither normal values nor equal variances; where both hold, the variance is the usual
    (n₁ + n₂) / (n₁ n₂) + d² / (2 (n₁ + n₂)) of Hedges and Olkin (Statistical Methods for
    Meta-Analysis, 1985, chapter 5).

    Parameters
    ----------
    first, second
        Values without NaN, shapes (n₁,) and (n₂,); at least two each, not all alike.
    confidence
        Level of the interval.

    Returns
    -------
    d, low, high
    """
    groups = [np.asarray(values, float) for values in (first, second)]
    degrees = sum(len(values) for values in groups) - 2
    variance = sum(values.var() * len(values) for values in groups) / degrees
    d = (groups[0].mean() - groups[1].mean()) / np.sqrt(variance)
    error = 0.0
    for sign, values in zip((1, -1), groups, strict=True):
        centred = (values - values.mean()) / np.sqrt(variance)
        share = len(values) / (degrees + 2)
        influence = sign * centred - d / 2 * share * (centred**2 - (centred**2).mean())
        error += influence.var(ddof=1) / len(values)
    half = stats.t.ppf((1 + confidence) / 2, degrees) * np.sqrt(error)
    return d, d - half, d + half


def eta_squared_interval(
    f: float, df1: float, df2: float, confidence: float
) -> tuple[float, float]:
    """Return the interval of η² by inverting the noncentral F distribution.

    With noncentrality λ, η² is λ / (λ + df1 + df2 + 1) (Steiger, Psychol Methods 2004;9:164-182).
    A limit is 0 where λ = 0 already gives the observed F that probability.

    Parameters
    ----------
    f, df1, df2
        Effect size of the classical analysis of variance: F is η² / (1 - η²) · df2 / df1.
    confidence
        Level of the interval.
    """
    tail = (1 - confidence) / 2
    limits = []
    for probability in (1 - tail, tail):

        def excess(noncentrality: float, probability: float = probability) -> float:
            return stats.ncf.cdf(f, df1, df2, noncentrality) - probability

        if excess(0) <= 0:
            limits.append(0.0)
            continue
        upper = max(1.0, 2 * f * df1)
        while excess(upper) > 0 and upper < _LARGEST_NONCENTRALITY:
            upper *= 2
        limits.append(brentq(excess, 0, upper, xtol=1e-9 * upper))
    low, high = (limit / (limit + df1 + df2 + 1) for limit in limits)
    return low, high

"""Pearson's correlation with an interval for any distribution."""

import numpy as np
import pandas as pd
from scipy import stats


def pearson(first: pd.Series, second: pd.Series, confidence: float) -> dict[str, float]:
    """Return Pearson's r with its interval on Fisher's z; NaN for fewer than four pairs.

    The standard error holds for any distribution with fourth moments: each pair moves r by
    ``zx zy - r (zx² + zy²) / 2``, with z in SDs from the mean (Steiger and Hakstian, Br J Math Stat
    Psychol 1982;35:208-215). For two normal variables it is Fisher's ``1 / √(n - 3)``; for skewed
    ones such as weight and BMI, Fisher's error is too small or too large.

    Returns
    -------
    dict
        ``n`` (complete pairs), ``r``, its standard error ``error``, ``low``, ``high``, and ``p`` of
        no correlation.
    """
    pairs = pd.DataFrame({"first": first, "second": second}).dropna()
    n = len(pairs)
    if n < 4 or (pairs.nunique() < 2).any():
        return {"n": n} | dict.fromkeys(("r", "error", "low", "high", "p"), np.nan)
    result = stats.pearsonr(pairs["first"], pairs["second"])
    r = result.statistic
    x, y = stats.zscore(pairs.to_numpy(float)).T
    influence = x * y - r * (x**2 + y**2) / 2
    error = float(np.sqrt((influence**2).mean() / (n - 3)))
    low, high = fisher_interval(r, error, confidence)
    return {"n": n, "r": r, "error": error, "low": low, "high": high, "p": result.pvalue}


def fisher_interval(r: float, error: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a correlation with a standard error, by Fisher's z = artanh r."""
    if abs(r) >= 1:  # a straight line leaves nothing to vary
        return r, r
    half = stats.norm.ppf((1 + confidence) / 2) * error / (1 - r**2)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))

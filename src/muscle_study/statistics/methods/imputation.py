"""Multiple imputation of missing covariates by chained equations, and Rubin's rules."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats

#: Imputed tables, and rounds through the columns for each (van Buuren, Flexible Imputation of
#: Missing Data, 2nd ed. 2018, section 2.8 and 4.5: 20 and 5–20 suffice for estimates).
IMPUTATIONS, ROUNDS = 20, 10


def impute(data: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Fill missing values once, each column in turn by linear regression on all others.

    Bayesian linear regression with a flat prior: coefficients and residual SD are drawn from their
    posterior, and the value from the model, so that imputations vary by as much as is not known
    (van Buuren 2018, algorithm 3.1).

    Parameters
    ----------
    data
        Numbers, the outcome among them: without it associations would be drawn to zero. Each column
        needs some known values.
    rng
        Source of chance.
    """
    values = data.to_numpy(float).copy()
    missing = np.isnan(values)
    for column in np.flatnonzero(missing.any(axis=0)):
        known = values[~missing[:, column], column]
        values[missing[:, column], column] = rng.choice(known, missing[:, column].sum())
    for _ in range(ROUNDS):
        for column in np.flatnonzero(missing.any(axis=0)):
            gaps = missing[:, column]
            others = np.delete(values, column, axis=1)
            design = np.column_stack([np.ones(len(values)), others - others.mean(axis=0)])
            known = design[~gaps]
            inverse = np.linalg.inv(known.T @ known)
            mean = inverse @ known.T @ values[~gaps, column]
            residual = values[~gaps, column] - known @ mean
            degrees = len(known) - known.shape[1]
            sd = np.sqrt(residual @ residual / rng.chisquare(degrees))
            drawn = mean + sd * np.linalg.cholesky(inverse) @ rng.standard_normal(len(mean))
            values[gaps, column] = design[gaps] @ drawn + sd * rng.standard_normal(gaps.sum())
    return pd.DataFrame(values, columns=data.columns, index=data.index)


def pool(
    estimates: np.ndarray, variances: np.ndarray, degrees: float, confidence: float
) -> pd.DataFrame:
    """Combine the estimates of imputed tables by Rubin's rules.

    Parameters
    ----------
    estimates, variances
        Shape (imputations, terms).
    degrees
        Of the analysis of a complete table (Barnard and Rubin, Biometrika 1999;86:948-955).
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``value``, ``low``, ``high`` and ``lost``, the share of the variance that is due to what is
        missing; a row a term.
    """
    m = len(estimates)
    value, within = estimates.mean(axis=0), variances.mean(axis=0)
    between = estimates.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    lost = (1 + 1 / m) * between / total
    observed = (degrees + 1) / (degrees + 3) * degrees * (1 - lost)
    with np.errstate(divide="ignore"):  # nothing lost: only the complete table's degrees count
        old = (m - 1) / lost**2
    half = stats.t.ppf((1 + confidence) / 2, 1 / (1 / old + 1 / observed)) * np.sqrt(total)
    return pd.DataFrame({"value": value, "low": value - half, "high": value + half, "lost": lost})


def imputed(
    data: pd.DataFrame,
    analyse: Callable[[pd.DataFrame], tuple[np.ndarray, np.ndarray, float]],
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Analyse `IMPUTATIONS` imputed tables and pool.

    Parameters
    ----------
    data
        As for `impute`.
    analyse
        Gives estimates, their variances and degrees of freedom of a complete table.
    confidence, seed
        Level of the intervals; start of the draws.
    """
    rng = np.random.default_rng(seed)
    estimates, variances, degrees = zip(
        *(analyse(impute(data, rng)) for _ in range(IMPUTATIONS)), strict=True
    )
    return pool(np.array(estimates), np.array(variances), degrees[0], confidence)

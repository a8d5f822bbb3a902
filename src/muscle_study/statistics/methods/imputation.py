"""Multiple imputation of missing covariates by chained equations, and Rubin's rules."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats
from scipy.spatial import cKDTree

#: Imputed tables, and rounds through the columns for each (van Buuren, Flexible Imputation of
#: Missing Data, 2nd ed. 2018, section 2.8 and 4.5: 20 and 5–20 suffice for estimates).
IMPUTATIONS, ROUNDS = 20, 10


#: Number of donors for a missing level (van Buuren 2018, section 3.4.3).
DONORS = 5


def impute(data: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Fill missing values once, each column in turn by linear regression on all others.

    Bayesian linear regression with a flat prior: coefficients and residual SD are drawn from their
    posterior, and the value from the model, so that imputations vary by as much as is not known
    (van Buuren 2018, algorithm 3.1). A level is taken from a person with a similar prediction of
    the levels' indicators (predictive mean matching, algorithm 3.3).

    Parameters
    ----------
    data
        Numbers and categorical columns, the outcome among them: without it associations would be
        biased to zero. Each column needs some known values.
    rng
        Random generator.
    """
    parts = {name: _encode(column) for name, column in data.items()}
    ends = np.cumsum([part.shape[1] for part in parts.values()])
    columns = {
        name: slice(end - part.shape[1], end)
        for (name, part), end in zip(parts.items(), ends, strict=True)
    }
    values = np.hstack(list(parts.values()))
    gaps = {name: data[name].isna().to_numpy() for name in data if data[name].isna().any()}
    for name, missing in gaps.items():
        known = np.flatnonzero(~missing)
        values[missing, columns[name]] = values[rng.choice(known, missing.sum()), columns[name]]
    for _ in range(ROUNDS):
        for name, missing in gaps.items():
            others = np.delete(values, columns[name], axis=1)
            design = np.column_stack([np.ones(len(values)), others - others.mean(axis=0)])
            own = values[:, columns[name]]
            fill = _matched if isinstance(data[name].dtype, pd.CategoricalDtype) else _drawn
            values[missing, columns[name]] = fill(design, own, missing, rng)
    filled = {name: _decode(values[:, columns[name]], data[name]) for name in data}
    return pd.DataFrame(filled, index=data.index)


def _encode(column: pd.Series) -> np.ndarray:
    """Return a column as numbers: an indicator of each level that occurs but the first."""
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.to_numpy(float)[:, None].copy()
    present = column.cat.remove_unused_categories()
    return np.eye(len(present.cat.categories))[present.cat.codes][:, 1:]


def _decode(values: np.ndarray, column: pd.Series) -> np.ndarray | pd.Categorical:
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return values[:, 0]
    present = column.cat.remove_unused_categories().cat.categories
    codes = np.where(values.any(axis=1), values.argmax(axis=1) + 1, 0) if len(present) > 1 else 0
    return pd.Categorical(present[np.broadcast_to(codes, len(column))], dtype=column.dtype)


def _posterior(
    design: np.ndarray, values: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the coefficients' mean, and coefficients and residual SD drawn from the posterior."""
    inverse = np.linalg.inv(design.T @ design)
    mean = inverse @ design.T @ values
    residual = values - design @ mean
    degrees = len(design) - design.shape[1]
    sd = np.sqrt(residual @ residual / rng.chisquare(degrees))
    drawn = mean + sd * np.linalg.cholesky(inverse) @ rng.standard_normal(len(mean))
    return mean, drawn, sd


def _drawn(
    design: np.ndarray, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return values drawn from the linear model."""
    _, drawn, sd = _posterior(design[~missing], values[~missing, 0], rng)
    return (design[missing] @ drawn + sd * rng.standard_normal(missing.sum()))[:, None]


def _matched(
    design: np.ndarray, values: np.ndarray, missing: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Return indicators of people whose predictions are nearest."""
    known = np.flatnonzero(~missing)
    found = [_posterior(design[known], values[known, i], rng) for i in range(values.shape[1])]
    predicted = design[known] @ np.column_stack([mean for mean, _, _ in found])
    wanted = design[missing] @ np.column_stack([drawn for _, drawn, _ in found])
    k = min(DONORS, len(known))
    nearest = cKDTree(predicted).query(wanted, k)[1].reshape(missing.sum(), k)
    chosen = nearest[np.arange(len(nearest)), rng.integers(k, size=len(nearest))]
    return values[known[chosen]]


def pool(
    estimates: np.ndarray, variances: np.ndarray, degrees: float, confidence: float
) -> pd.DataFrame:
    """Combine the estimates of imputed tables by Rubin's rules.

    Parameters
    ----------
    estimates, variances
        Shape (imputations, terms).
    degrees
        Degrees of freedom in a complete table (Barnard and Rubin, Biometrika 1999;86:948-955).
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
        Function from a complete table to estimates, their variances and degrees of freedom.
    confidence, seed
        Level of the intervals; seed of the random draws.
    """
    rng = np.random.default_rng(seed)
    estimates, variances, degrees = zip(
        *(analyse(impute(data, rng)) for _ in range(IMPUTATIONS)), strict=True
    )
    return pool(np.array(estimates), np.array(variances), degrees[0], confidence)

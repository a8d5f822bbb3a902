"""Correction of estimates for measurement error in the outcome by regression calibration.

The measured size is a linear function of the true one plus noise, ``measured = a + b · true + e``.
A slope b below 1 shrinks every regression coefficient by that factor; noise widens intervals and
lowers correlations. Regression calibration reverses this: coefficients of ``(measured - a) / b``
estimate those of the true size, and correlations are divided by the square root of the reliability
(Keogh et al., STRATOS guidance, Stat Med 2020;39:2197-2231, sections 4-6). The uncertainty of a, b
and the noise widens the intervals (delta method). The correction assumes that the error depends on
covariates through the true size alone, which `fit_error_model` tests.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS

from muscle_study.statistics.methods.correlation import fisher_interval

#: Fewest pairs of measured and true sizes for an error model: our choice.
FEWEST_PAIRS = 15


@dataclass(frozen=True)
class ErrorModel:
    """``measured = intercept + slope · true + e``.

    Parameters
    ----------
    n
        Number of pairs.
    intercept, slope
        Least-squares estimates.
    covariance
        HC3 covariance of both, shape (2, 2).
    noise_variance, noise_variance_error
        Variance of e and its standard error.
    differential_p
        p of the test that the covariates do not matter at equal true size; NaN where they are
        known of too few people.
    """

    n: int
    intercept: float
    slope: float
    covariance: np.ndarray
    noise_variance: float
    noise_variance_error: float
    differential_p: float

    def slope_interval(self, confidence: float) -> tuple[float, float]:
        """Return the interval of the slope."""
        half = stats.t.ppf((1 + confidence) / 2, self.n - 2) * np.sqrt(self.covariance[1, 1])
        return self.slope - half, self.slope + half

    def reliability(self, measured: np.ndarray) -> float:
        """Return the share of the measured sizes' variance that is not noise."""
        return 1 - self.noise_variance / measured.var(ddof=1)


def fit_error_model(
    true: np.ndarray, measured: np.ndarray, covariates: np.ndarray
) -> ErrorModel | None:
    """Estimate an error model from pairs.

    Parameters
    ----------
    true, measured
        Sizes, shape (n,).
    covariates
        Covariates of the same people that the error may depend on, shape (n, k).

    Returns
    -------
    ErrorModel or None
        None for fewer than `FEWEST_PAIRS`, or where the slope does not differ from zero at the
        5 % level: a measure that says nothing about the truth cannot be corrected.
    """
    n = len(true)
    if n < FEWEST_PAIRS or np.ptp(true) == 0:
        return None
    design = np.column_stack([np.ones(n), true])
    result = OLS(measured, design).fit(cov_type="HC3", use_t=True)
    if result.pvalues[1] > 0.05 or result.params[1] <= 0:
        return None
    variance = result.ssr / (n - 2)
    fourth = (result.resid**4).mean()
    known = np.isfinite(covariates).all(axis=1)
    differential_p = np.nan
    if known.sum() >= FEWEST_PAIRS:
        more = OLS(measured[known], np.column_stack([design, covariates])[known])
        tested = np.eye(2 + covariates.shape[1])[2:]
        differential_p = float(more.fit(cov_type="HC3", use_t=True).f_test(tested).pvalue)
    return ErrorModel(
        n,
        float(result.params[0]),
        float(result.params[1]),
        result.cov_params(),
        float(variance),
        float(np.sqrt(max(fourth - variance**2, 0) / n)),
        differential_p,
    )


def corrected_regression(
    outcome: pd.Series,
    design: pd.DataFrame,
    groups: pd.Series,
    models: dict[str, ErrorModel],
    confidence: float,
) -> pd.DataFrame:
    """Regress the calibrated outcome on a design.

    The calibrated outcome ``(measured - a) / b`` is linear in the measured one within a group, so
    that its coefficients are ``(A - a B) / b`` summed over the groups, where A and B are the
    coefficients of the measured outcome and of 1 in that group and 0 elsewhere. The delta method
    follows from that.

    Parameters
    ----------
    outcome, design
        Measured outcome and covariates of complete cases; the design's first column is the
        intercept.
    groups
        Group of each case, e.g. its sex.
    models
        Error model of each group.
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``term``, ``value``, ``low``, ``high``; the intercept is left out.
    """
    matrix = np.asfortranarray(design.to_numpy(float))
    measured, group = outcome.to_numpy(float), groups.to_numpy()
    solve = np.linalg.pinv(matrix)
    calibrated = np.zeros(len(matrix))
    from_model = np.zeros(matrix.shape[1])
    for name, model in models.items():
        own = (group == name).astype(float)
        calibrated += own * (measured - model.intercept) / model.slope
        of_one = solve @ own / model.slope
        of_calibrated = solve @ (own * (measured - model.intercept)) / model.slope**2
        by_parameter = -np.column_stack([of_one, of_calibrated])
        from_model += np.einsum("ij,jk,ik->i", by_parameter, model.covariance, by_parameter)
    result = OLS(calibrated, matrix).fit(cov_type="HC3", use_t=True)
    error = np.sqrt(result.bse**2 + from_model)[1:]
    half = stats.norm.ppf((1 + confidence) / 2) * error
    value = result.params[1:]
    return pd.DataFrame(
        {
            "term": list(design)[1:],
            "value": value,
            "low": value - half,
            "high": value + half,
        }
    )


def corrected_correlation(
    r: float, error: float, reliability: float, reliability_error: float, confidence: float
) -> dict[str, float]:
    """Divide a correlation by the square root of the outcome's reliability (Spearman 1904).

    Parameters
    ----------
    r, error
        Pearson's r of the measured outcome, and its standard error.
    reliability, reliability_error
        Reliability of the measured outcome, and its standard error.
    confidence
        Level of the interval, which is on Fisher's z.

    Returns
    -------
    dict
        ``value``, ``low``, ``high``; NaN where noise leaves no room for the correlation.
    """
    if not reliability > r**2:
        return dict.fromkeys(("value", "low", "high"), np.nan)
    value = r / np.sqrt(reliability)
    # the errors of r and of the reliability, propagated to the quotient
    variance = error**2 / reliability
    variance += (value / (2 * reliability)) ** 2 * reliability_error**2
    low, high = fisher_interval(value, np.sqrt(variance), confidence)
    return {"value": value, "low": low, "high": high}

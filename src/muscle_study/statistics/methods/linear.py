"""Linear regression with errors robust to heteroscedasticity."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults
from statsmodels.regression.quantile_regression import QuantReg
from statsmodels.stats.diagnostic import het_breuschpagan

#: Statistics of a term.
COLUMNS = [
    "coefficient",
    "low",
    "high",
    "p",
    "standardised",
    "standardised_low",
    "standardised_high",
    "partial_r2",
]

#: HC3 divides by 1 - leverage; at 1 the residual is zero and the error is undefined.
_LARGEST_LEVERAGE = 1 - 1e-8

INTERCEPT = "Intercept"


@dataclass(frozen=True)
class Fit:
    """A fitted linear model.

    Parameters
    ----------
    result
        statsmodels' result, with HC3 errors.
    terms
        ``term``, `COLUMNS` and ``standard_error``; a row a term, without the intercept.
    n
        Complete cases.
    incomplete
        Rows left out for a missing value.
    confidence
        Level of the intervals.
    """

    result: RegressionResults
    terms: pd.DataFrame
    n: int
    incomplete: int
    confidence: float

    @property
    def r2(self) -> float:
        """Share of the variance that the model explains."""
        return self.result.rsquared

    @cached_property
    def intercept(self) -> dict[str, float]:
        """Coefficient, interval, p and standard error of the intercept."""
        limits = self.result.conf_int(alpha=1 - self.confidence).loc[INTERCEPT]
        return {
            "coefficient": self.result.params[INTERCEPT],
            "low": limits[0],
            "high": limits[1],
            "p": self.result.pvalues[INTERCEPT],
            "standard_error": self.result.bse[INTERCEPT],
        }


def fit(data: pd.DataFrame, outcome: str, covariates: list[str], confidence: float) -> Fit | None:
    """Fit ``outcome ~ covariates``, columns of `data`; see `fit_design`.

    Rows with a missing value are left out and counted.
    """
    complete = data[[outcome, *covariates]].dropna().astype(float)
    design = complete[covariates].copy()
    design.insert(0, INTERCEPT, 1.0)
    return fit_design(complete[outcome], design, confidence, len(data) - len(complete))


def fit_design(
    outcome: pd.Series, design: pd.DataFrame, confidence: float, incomplete: int = 0
) -> Fit | None:
    """Fit a design by least squares with HC3 errors (MacKinnon and White 1985).

    Standardised coefficients are those of the model with the outcome and the continuous columns
    divided by their SD. A 0/1 column is not scaled: its coefficient is a difference in SDs of the
    outcome. The intervals allow for the SDs being estimates. A term's partial R² is its share of
    the variance that the other terms leave unexplained.

    Parameters
    ----------
    outcome, design
        Complete cases; the design's first column is the intercept.
    confidence
        Level of the intervals.
    incomplete
        Number of rows left out.

    Returns
    -------
    Fit or None
        None where the model cannot be estimated: too few cases, a column that does not vary or
        depends on others, or a participant who alone determines a coefficient.
    """
    values = design.iloc[:, 1:]
    enough = len(design) > design.shape[1] + 1
    if not enough or outcome.nunique() < 2 or (values.nunique() < 2).any():
        return None
    result = OLS(outcome, design).fit(cov_type="HC3", use_t=True)
    leverage = result.get_influence().hat_matrix_diag
    if leverage.max() > _LARGEST_LEVERAGE or result.model.rank < design.shape[1]:
        return None
    names = list(values)
    limits = result.conf_int(alpha=1 - confidence).loc[names]
    standardised, errors = _standardised(outcome, values, result, leverage)
    half = stats.t.ppf((1 + confidence) / 2, result.df_resid) * errors
    slopes = result.params[names].to_numpy()
    unexplained = result.ssr * np.diag(result.normalized_cov_params)[1:]
    terms = pd.DataFrame(
        {
            "term": names,
            "coefficient": slopes,
            "low": limits[0].to_numpy(),
            "high": limits[1].to_numpy(),
            "p": result.pvalues[names].to_numpy(),
            "standardised": standardised,
            "standardised_low": standardised - half,
            "standardised_high": standardised + half,
            "partial_r2": slopes**2 / (slopes**2 + unexplained),
            "standard_error": result.bse[names].to_numpy(),
        }
    )
    return Fit(result, terms, len(design), incomplete, confidence)


def _standardised(
    outcome: pd.Series, values: pd.DataFrame, result: RegressionResults, leverage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised coefficients and their standard errors.

    A coefficient's influence function is the sum of that of the raw one, as HC3 has it, and of
    those of both SDs. Scaling the data first and using the raw model's error would treat the SDs
    as known (Yuan and Chan, Psychometrika 2011;76:670-690).
    """
    n = len(values)
    outcome, covariates = outcome.to_numpy(), values.to_numpy()
    binary = np.isin(covariates, (0.0, 1.0)).all(axis=0)
    scale = np.where(binary, 1.0, covariates.std(axis=0, ddof=1)) / outcome.std(ddof=1)
    standardised = result.params.to_numpy()[1:] * scale
    residual = result.resid.to_numpy() / (1 - leverage)
    inverse = result.normalized_cov_params.to_numpy()
    raw = n * (result.model.exog * residual[:, None]) @ inverse[:, 1:]
    influence = raw * scale
    spread = np.where(binary, 0.0, _spread(covariates)) - _spread(outcome)[:, None]
    influence += standardised * spread
    return standardised, np.sqrt((influence**2).sum(axis=0)) / n


def _spread(values: np.ndarray) -> np.ndarray:
    """Return the influence function of the logarithm of an SD."""
    return ((values - values.mean(axis=0)) ** 2 / values.var(axis=0) - 1) / 2


def robust_terms(
    outcome: pd.Series,
    design: pd.DataFrame,
    confidence: float,
    model: type = OLS,
    clusters: pd.Series | None = None,
    **options,
) -> np.ndarray:
    """Return value, low and high of a design's terms but the intercept, shape (terms, 3).

    Errors are robust to heteroscedasticity, or to correlation within `clusters`, then with
    Student's t with one degree of freedom fewer than there are clusters.

    Parameters
    ----------
    outcome, design, confidence
        As for `fit_design`.
    model, options
        Class of statsmodels, e.g. `QuantReg` or `WLS`, and its further arguments.
    clusters
        Cluster of each case.
    """
    matrix = np.asfortranarray(design.to_numpy(float))
    fitted = model(outcome.to_numpy(float), matrix, **options)
    if model is QuantReg:
        result = fitted.fit()
    elif clusters is not None:
        groups = pd.factorize(clusters)[0]
        result = fitted.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    else:
        result = fitted.fit(cov_type="HC3", use_t=True)
    limits = result.conf_int(alpha=1 - confidence)
    return np.column_stack([result.params, limits])[1:]


def diagnose(fitted: Fit, min_count: int) -> dict[str, float]:
    """Return the diagnostics of a model.

    Returns
    -------
    dict
        Skewness and excess kurtosis of the residuals; p of Breusch and Pagan's test with Koenker's
        studentising (J Econom 1981;17:107-112); the largest variance inflation factor of a
        column, 1 / (1 - R² on the others); the percentage of participants with a Cook's distance
        over 4 / n; and the largest change of a coefficient, in its standard errors, when these are
        left out. The last two are NaN for fewer than `min_count` influential participants.
    """
    result, n = fitted.result, fitted.n
    design, residual = result.model.exog, result.resid.to_numpy()
    influential = result.get_influence().cooks_distance[0] > 4 / n
    percent = shift = np.nan
    if influential.sum() >= min_count:
        without = OLS(result.model.endog[~influential], design[~influential]).fit().params
        moved = np.abs(without - result.params.to_numpy()) / result.bse.to_numpy()
        percent, shift = 100 * influential.mean(), moved[1:].max()
    # the diagonal of the inverse of the covariates' correlation matrix
    correlation = np.atleast_2d(np.corrcoef(design[:, 1:], rowvar=False))
    return {
        "residual_skewness": stats.skew(residual),
        "residual_excess_kurtosis": stats.kurtosis(residual),
        "heteroscedasticity_p": het_breuschpagan(residual, design)[1],
        "largest_vif": np.diag(np.linalg.inv(correlation)).max(),
        "influential_percent": percent,
        "largest_shift_se": shift,
    }

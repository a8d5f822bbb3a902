"""Restricted cubic splines, and tests for non-linearity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults

#: Centiles of the knots, by their number (Harrell, Regression Modeling Strategies, 2nd ed. 2015,
#: table 2.3).
KNOT_CENTILES = {
    3: (10, 50, 90),
    4: (5, 35, 65, 95),
    5: (5, 27.5, 50, 72.5, 95),
}

#: Knots of each covariate: our choice, Harrell's advice for samples of 100 and more.
KNOTS = 5

#: Smallest sample per coefficient (Harrell's rule of thumb is 10–20).
PEOPLE_PER_COEFFICIENT = 15


def knots_at(values: np.ndarray, n: int = KNOTS) -> np.ndarray:
    """Return `n` knots at Harrell's centiles of the values."""
    return np.percentile(values, KNOT_CENTILES[n])


def spline_basis(values: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Return the restricted cubic spline's columns: linear beyond the outer knots.

    The first column is the value itself; the other ``k - 2`` are Harrell's truncated powers,
    divided by the square of the knots' range so that all have the value's unit (Regression
    Modeling Strategies, 2nd ed. 2015, section 2.4.5).

    Parameters
    ----------
    values
        Shape (n,).
    knots
        Rising, shape (k,), at least three.

    Returns
    -------
    numpy.ndarray
        Shape (n, k - 1).

    Examples
    --------
    At 2, one unit past the first of the knots 1, 2, 4, the cubic term is 1³ / 3².

    >>> spline_basis(np.array([2.0]), np.array([1.0, 2.0, 4.0])).round(4)
    array([[2.    , 0.1111]])
    """
    first, (before_last, last) = knots[0], knots[-2:]

    def cubed(knot: float) -> np.ndarray:
        return np.clip(values - knot, 0, None) ** 3

    columns = [values]
    for knot in knots[:-2]:
        restricted = (
            cubed(knot)
            - cubed(before_last) * (last - knot) / (last - before_last)
            + cubed(last) * (before_last - knot) / (last - before_last)
        )
        columns.append(restricted / (last - first) ** 2)
    return np.column_stack(columns)


@dataclass(frozen=True)
class SplineFit:
    """Least squares of an outcome on one spline per covariate.

    Parameters
    ----------
    result
        Fit of statsmodels with HC3 errors. Columns: 1, then each covariate's basis.
    knots
        Knots by covariate, in the order of the columns.
    middle
        Medians of the covariates, at which the others are held along a curve.
    shown
        Range of a drawn curve: 2.5th to 97.5th centile of the covariate.
    linear_r2
        R² of the model that is linear in every covariate.
    """

    result: RegressionResults
    knots: dict[str, np.ndarray]
    middle: dict[str, float]
    shown: dict[str, tuple[float, float]]
    linear_r2: float

    def predict(self, values: dict[str, np.ndarray], confidence: float) -> pd.DataFrame:
        """Return ``mean``, ``low`` and ``high`` at covariates' values, each of shape (n,)."""
        bases = [spline_basis(values[name], knots) for name, knots in self.knots.items()]
        design = np.column_stack([np.ones(len(bases[0])), *bases])
        predicted = self.result.get_prediction(design)
        low, high = predicted.conf_int(alpha=1 - confidence).T
        return pd.DataFrame({"mean": predicted.predicted_mean, "low": low, "high": high})

    def curve(self, name: str, confidence: float, points: int = 80) -> pd.DataFrame:
        """Return ``at``, ``mean``, ``low`` and ``high`` along a covariate."""
        at = np.linspace(*self.shown[name], points)
        values = {one: np.full(points, middle) for one, middle in self.middle.items()} | {name: at}
        return pd.DataFrame({"at": at}).join(self.predict(values, confidence))

    def nonlinearity(self, name: str) -> dict[str, float]:
        """Test by a robust F test that the covariate's curved terms are all zero."""
        before = list(self.knots)[: list(self.knots).index(name)]
        start = 1 + sum(len(self.knots[one]) - 1 for one in before)
        terms = len(self.knots[name]) - 1
        curved = np.eye(len(self.result.params))[start + 1 : start + terms]
        test = self.result.f_test(curved)
        return {
            "f": float(test.fvalue),
            "df1": float(test.df_num),
            "df2": float(test.df_denom),
            "p": float(stats.f.sf(test.fvalue, test.df_num, test.df_denom)),
        }


def fit_spline(data: pd.DataFrame, outcome: str, covariates: dict[str, str]) -> SplineFit | None:
    """Fit an outcome on a spline of each covariate.

    Parameters
    ----------
    data
        One row a participant; rows with a missing value are left out.
    outcome
        Column.
    covariates
        Column by the name that the fit gives it.

    Returns
    -------
    SplineFit or None
        None for too few complete rows, or a covariate of so few values that its knots coincide.
    """
    complete = data[[outcome, *covariates.values()]].dropna()
    coefficients = 1 + len(covariates) * (KNOTS - 1)
    if len(complete) < PEOPLE_PER_COEFFICIENT * coefficients:
        return None
    values = {name: complete[column].to_numpy(float) for name, column in covariates.items()}
    knots = {name: knots_at(value) for name, value in values.items()}
    if any((np.diff(at) <= 0).any() for at in knots.values()):
        return None
    bases = [spline_basis(values[name], knots[name]) for name in covariates]
    y = complete[outcome].to_numpy(float)
    design = np.column_stack([np.ones(len(complete)), *bases])
    straight = np.column_stack([np.ones(len(complete)), *values.values()])
    return SplineFit(
        OLS(y, design).fit(cov_type="HC3", use_t=True),
        knots,
        {name: float(np.median(value)) for name, value in values.items()},
        {name: tuple(np.percentile(value, (2.5, 97.5))) for name, value in values.items()},
        OLS(y, straight).fit().rsquared,
    )

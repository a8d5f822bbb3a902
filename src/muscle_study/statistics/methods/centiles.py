"""Reference centiles by the LMS method: median, coefficient of variation and skewness as curves.

A measure y of a person with covariates x has the z-score ``((y / M)^L - 1) / (L S)``, which is
standard normal if the model holds (Cole and Green, Stat Med 1992;11:1305-1319). ``log M`` and
``log S`` are linear in a design of x and `L` is one number, fitted by maximum likelihood by sex.
Two designs: `AGE`, a chart by age, and `BODY`, with height and BMI as well.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from muscle_study.statistics.methods.splines import knots_at, spline_basis

Design = Literal["age", "body"]
AGE: Design = "age"
BODY: Design = "body"

#: Columns of the designs.
COVARIATES = ("age_years", "height_cm", "bmi_kg_m2")

#: Smallest sample of a sex for centiles.
FEWEST_PEOPLE = 100

#: References of height and BMI, near the means, so that the intercept is no extrapolation: our
#: choice.
HEIGHT_CM, BMI_KG_M2 = 170.0, 25.0

#: Candidate numbers of knots of the age splines, of log M and of log S; 2 is a straight line.
CANDIDATES = ((2, 2), (3, 2), (4, 2), (5, 2), (4, 3), (5, 3))

FOLDS = 5

#: Below this |L| the Box-Cox transformation is computed by its series.
_SMALL = 1e-4


@dataclass(frozen=True)
class Curve:
    """A curve of age, with linear terms of height and BMI in the `BODY` design.

    Parameters
    ----------
    knots
        Knots of age; empty for a straight line.
    design
        With or without height and BMI.
    """

    knots: tuple[float, ...]
    design: Design

    def columns(self, people: pd.DataFrame) -> np.ndarray:
        """Return the design: 1, age's basis and, for `BODY`, log height, log BMI and its square."""
        age = people["age_years"].to_numpy(float)
        basis = spline_basis(age, np.array(self.knots)) if self.knots else age[:, None]
        columns = [np.ones(len(age)), *basis.T]
        if self.design == BODY:
            bmi = np.log(people["bmi_kg_m2"].to_numpy(float) / BMI_KG_M2)
            columns += [np.log(people["height_cm"].to_numpy(float) / HEIGHT_CM), bmi, bmi**2]
        return np.column_stack(columns)


@dataclass(frozen=True)
class Centiles:
    """A fitted model of one sex.

    Parameters
    ----------
    median, spread
        Curves of log M and of log S.
    median_coefficients, spread_coefficients
        Coefficients of the curves' columns.
    skewness
        L.
    n
        Number of people in the fit.
    """

    median: Curve
    spread: Curve
    median_coefficients: np.ndarray
    spread_coefficients: np.ndarray
    skewness: float
    n: int

    def m(self, people: pd.DataFrame) -> np.ndarray:
        """Return M at the people's covariates, shape (n,)."""
        return np.exp(self.median.columns(people) @ self.median_coefficients)

    def s(self, people: pd.DataFrame) -> np.ndarray:
        """Return S at the people's covariates, shape (n,)."""
        return np.exp(self.spread.columns(people) @ self.spread_coefficients)

    def z(self, people: pd.DataFrame, values: np.ndarray) -> np.ndarray:
        """Return the z-scores of values."""
        ratio = np.log(values / self.m(people))
        return _box_cox(ratio, self.skewness) / self.s(people)

    def value(self, people: pd.DataFrame, z: float) -> np.ndarray:
        """Return the values at a z-score; NaN beyond the distribution's end."""
        step = self.s(people) * z
        if self.skewness:
            inside = np.where(self.skewness * step > -1, self.skewness * step, np.nan)
            step = np.log1p(inside) / self.skewness
        return self.m(people) * np.exp(step)

    def log_density(self, people: pd.DataFrame, values: np.ndarray) -> np.ndarray:
        """Return the logarithm of the density at values, shape (n,)."""
        ratio = np.log(values / self.m(people))
        z = self.z(people, values)
        power = self.skewness * ratio - np.log(self.s(people)) - np.log(values)
        return power - z**2 / 2 - np.log(2 * np.pi) / 2


def _box_cox(ratio: np.ndarray, skewness: float) -> np.ndarray:
    """Return ((y / M)^L - 1) / L of ``ratio`` = log(y / M)."""
    if abs(skewness) < _SMALL:
        return ratio * (1 + skewness * ratio / 2)
    return np.expm1(skewness * ratio) / skewness


def fit_centiles(
    people: pd.DataFrame, values: np.ndarray, median: Curve, spread: Curve
) -> Centiles:
    """Fit a model by maximum likelihood.

    Parameters
    ----------
    people
        `COVARIATES`, without NaN.
    values
        Measures, positive, shape (n,).
    median, spread
        The curves of log M and log S.

    Raises
    ------
    RuntimeError
        If no maximum is found.
    """
    log_values = np.log(np.asarray(values, float))
    # an orthonormal design scales the coefficients alike, so that the optimiser needs few steps
    (m_basis, m_back), (s_basis, s_back) = (
        _orthonormal(curve.columns(people)) for curve in (median, spread)
    )
    n, n_median = len(log_values), m_basis.shape[1]
    start_m = m_basis.T @ log_values / n
    residual = log_values - m_basis @ start_m
    start_s = s_basis.T @ np.full(n, np.log(residual.std())) / n

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        """Return minus the mean log likelihood, less constants, and its gradient."""
        m, s = coefficients[:n_median], coefficients[n_median:-1]
        skewness = coefficients[-1]
        ratio = log_values - m_basis @ m
        log_s = s_basis @ s
        scale = np.exp(-log_s)
        z = _box_cox(ratio, skewness) * scale
        power = np.exp(skewness * ratio)
        value = skewness * ratio - log_s - z**2 / 2
        by_m = -skewness + z * power * scale
        by_s = z**2 - 1
        by_skewness = ratio - z * _box_cox_slope(ratio, skewness, power) * scale
        gradient = np.concatenate([by_m @ m_basis, by_s @ s_basis, [by_skewness.sum()]])
        return -value.mean(), -gradient / n

    found = optimize.minimize(
        loss, np.concatenate([start_m, start_s, [1.0]]), jac=True, method="L-BFGS-B",
        bounds=[(None, None)] * (n_median + s_basis.shape[1]) + [(-5, 5)],
        options={"ftol": 1e-12, "gtol": 1e-7, "maxiter": 500},
    )  # fmt: skip
    if not found.success:
        raise RuntimeError(f"the centiles' likelihood has no maximum: {found.message}")
    return Centiles(
        median,
        spread,
        m_back @ found.x[:n_median],
        s_back @ found.x[n_median:-1],
        float(found.x[-1]),
        n,
    )


def _orthonormal(design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return Q with QᵀQ = n · 1, and the matrix that maps its coefficients to the design's."""
    q, r = np.linalg.qr(design)
    scale = np.sqrt(len(design))
    return q * scale, np.linalg.inv(r) * scale


def _box_cox_slope(ratio: np.ndarray, skewness: float, power: np.ndarray) -> np.ndarray:
    """Return the derivative of `_box_cox` by L."""
    if abs(skewness) < _SMALL:
        return ratio**2 / 2 * (1 + 2 * skewness * ratio / 3)
    return (ratio * power - np.expm1(skewness * ratio) / skewness) / skewness


def curves_of(people: pd.DataFrame, knots: tuple[int, int], design: Design) -> tuple[Curve, Curve]:
    """Return the curves of log M and log S with these numbers of knots, at Harrell's centiles."""
    ages = people["age_years"].to_numpy(float)
    median, spread = (
        Curve(tuple(knots_at(ages, n).tolist()) if n > 2 else (), design) for n in knots
    )
    return median, spread


def folds_of(n: int, seed: int) -> np.ndarray:
    """Return a random fold for each of n people, in sizes as equal as possible."""
    return np.random.default_rng(seed).permutation(np.arange(n) % FOLDS)


def cross_validate(
    people: pd.DataFrame, values: np.ndarray, knots: tuple[int, int], design: Design, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-validate a fit.

    Returns
    -------
    log_density, z
        Cross-validated values of all people; shapes (n,).
    """
    fold = folds_of(len(people), seed)
    density, z = np.empty((2, len(people)))
    for left_out in range(FOLDS):
        seen, unseen = fold != left_out, fold == left_out
        fitted = fit_centiles(people[seen], values[seen], *curves_of(people[seen], knots, design))
        density[unseen] = fitted.log_density(people[unseen], values[unseen])
        z[unseen] = fitted.z(people[unseen], values[unseen])
    return density, z


def choose_knots(people: pd.DataFrame, values: np.ndarray, seed: int) -> tuple[int, int]:
    """Choose the age curves among `CANDIDATES` by cross-validation.

    The simplest whose mean log density is within one standard error of the best is chosen; the
    error is that of the difference from the best over people (Hastie, Tibshirani and Friedman, The
    Elements of Statistical Learning, 2nd ed. 2009, section 7.10).
    """
    densities = [cross_validate(people, values, knots, AGE, seed)[0] for knots in CANDIDATES]
    best = max(densities, key=np.mean)
    return next(
        knots
        for knots, density in zip(CANDIDATES, densities, strict=True)
        if (best - density).mean() <= stats.sem(best - density)
    )

"""Curved effects of age and BMI: restricted cubic splines, and tests for non-linearity."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, unbroken, without_repeats
from muscle_study.statistics.analyses.muscle_size.comparisons import holm
from muscle_study.statistics.analyses.muscle_size.regression import model_data
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: Centiles of the knots, by their number (Harrell, Regression Modeling Strategies, 2nd ed. 2015,
#: table 2.3).
KNOT_CENTILES = {
    3: (10, 50, 90),
    4: (5, 35, 65, 95),
    5: (5, 27.5, 50, 72.5, 95),
}

#: Knots of age and of BMI: our choice, Harrell's advice for samples of 100 and more.
KNOTS = 5

#: Fewer people than this for each coefficient make no spline (Harrell's rule of thumb is 10–20).
PEOPLE_PER_COEFFICIENT = 15

#: The curved covariates, by the name in the text's numbers.
CURVED = {"age": "age_years", "bmi": "bmi_kg_m2"}


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
    """Least squares of an outcome on splines of age and of BMI, in one sex.

    Parameters
    ----------
    result
        Of statsmodels, with HC3 errors. Columns: 1, age's basis, BMI's basis.
    knots
        By covariate, ``age`` and ``bmi``.
    middle
        Medians of both covariates: a curve of one is drawn at the other's.
    shown
        Limits of the drawn curve: the covariates' 2.5th and 97.5th centile.
    linear_r2
        R² of the model that is linear in both.
    """

    result: RegressionResults
    knots: dict[str, np.ndarray]
    middle: dict[str, float]
    shown: dict[str, tuple[float, float]]
    linear_r2: float

    def design(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the model's columns at values of age and BMI, shapes (n,)."""
        bases = [spline_basis(values[name], self.knots[name]) for name in CURVED]
        return np.column_stack([np.ones(len(bases[0])), *bases])

    def curve(self, name: str, confidence: float, points: int = 80) -> pd.DataFrame:
        """Return ``at``, ``mean``, ``low`` and ``high`` along a covariate."""
        at = np.linspace(*self.shown[name], points)
        values = {one: np.full(points, self.middle[one]) for one in CURVED} | {name: at}
        predicted = self.result.get_prediction(self.design(values))
        low, high = predicted.conf_int(alpha=1 - confidence).T
        return pd.DataFrame({"at": at, "mean": predicted.predicted_mean, "low": low, "high": high})

    def nonlinearity(self, name: str) -> dict[str, float]:
        """Test by a robust F test that the covariate's curved terms are all zero."""
        terms = len(self.knots[name]) - 1
        start = 1 + list(CURVED).index(name) * (KNOTS - 1)
        curved = np.eye(len(self.result.params))[start + 1 : start + terms]
        test = self.result.f_test(curved)
        return {
            "f": float(test.fvalue),
            "df1": float(test.df_num),
            "df2": float(test.df_denom),
            "p": float(stats.f.sf(test.fvalue, test.df_num, test.df_denom)),
        }


def fit_spline(data: pd.DataFrame) -> SplineFit | None:
    """Fit ``outcome`` on splines of ``age_years`` and ``bmi_kg_m2``.

    Returns None where there are too few complete rows, or where a covariate takes so few values
    that its knots coincide.
    """
    complete = data[["outcome", *CURVED.values()]].dropna()
    coefficients = 1 + len(CURVED) * (KNOTS - 1)
    if len(complete) < PEOPLE_PER_COEFFICIENT * coefficients:
        return None
    values = {name: complete[column].to_numpy(float) for name, column in CURVED.items()}
    knots = {name: knots_at(value) for name, value in values.items()}
    if any((np.diff(at) <= 0).any() for at in knots.values()):
        return None
    bases = [spline_basis(values[name], knots[name]) for name in CURVED]
    outcome = complete["outcome"].to_numpy(float)
    design = np.column_stack([np.ones(len(complete)), *bases])
    straight = np.column_stack([np.ones(len(complete)), *values.values()])
    return SplineFit(
        OLS(outcome, design).fit(cov_type="HC3", use_t=True),
        knots,
        {name: float(np.median(value)) for name, value in values.items()},
        {name: tuple(np.percentile(value, (2.5, 97.5))) for name, value in values.items()},
        OLS(outcome, straight).fit().rsquared,
    )


def fit_splines(study: Study) -> dict[tuple[str, str], SplineFit | None]:
    """Fit both outcomes in each sex."""
    fits = {}
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            data = model_data(study, outcome, sex)
            fits[name, sex] = None if data is None else fit_spline(data)
    return fits


def curves(fits: dict[tuple[str, str], SplineFit | None], confidence: float) -> pd.DataFrame:
    """Return the curves: ``outcome``, ``sex``, ``covariate``, and what `SplineFit.curve` gives."""
    columns = ["outcome", "sex", "covariate", "at", "mean", "low", "high"]
    parts = [
        fitted.curve(name, confidence).assign(outcome=outcome, sex=sex, covariate=name)
        for (outcome, sex), fitted in fits.items()
        if fitted is not None
        for name in CURVED
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def nonlinearity(fits: dict[tuple[str, str], SplineFit | None]) -> pd.DataFrame:
    """Return the tests: ``outcome``, ``sex``, ``term``, F and its degrees, p, Holm's p, both R²."""
    rows = []
    for (outcome, sex), fitted in fits.items():
        for term in CURVED:
            row = {"outcome": outcome, "sex": sex, "term": term}
            if fitted is not None:
                row |= fitted.nonlinearity(term)
                row |= {"r2_linear": fitted.linear_r2, "r2_spline": fitted.result.rsquared}
            rows.append(row)
    columns = ["outcome", "sex", "term", "f", "df1", "df2", "p", "r2_linear", "r2_spline"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    return table.assign(p_holm=holm(table["p"]))


def nonlinearity_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the tests as a table of the manuscript."""
    words = {"age": "age", "bmi": "BMI"}
    text = []
    for row in table.to_dict("records"):
        missing = pd.isna(row["p"])
        text.append(
            {
                "Outcome": SHORT_NAMES[row["outcome"]],
                "Sex": SEXES[row["sex"]],
                "Curved in": words[row["term"]],
                "Statistic": MARK
                if missing
                else unbroken(
                    f"F({format_number(row['df1'])}; {format_number(row['df2'])}) = "
                    f"{format_number(row['f'], 1)}"
                ),
                "p": MARK if missing else format_p(row["p"]),
                "p, Holm": MARK if missing else format_p(row["p_holm"]),
                "R², linear": MARK if missing else format_number(row["r2_linear"], 3),
                "R², spline": MARK if missing else format_number(row["r2_spline"], 3),
            }
        )
    caption = (
        f"Tests for non-linearity ({study.sizes}): restricted cubic splines of age and of BMI with "
        f"{KNOTS} knots each, a model an outcome and sex; F tests of the curved terms with HC3 "
        "errors, Holm's correction over all rows. R²: of the model linear in age and BMI, and of "
        f"that with both splines. CSA: total {study.psoas} cross-sectional area. "
        f"{MARK}: too few participants for a spline." + study.origin
    )
    return Table(
        table, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="nonlinearity"
    )


def nonlinearity_numbers(table: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add the p-values, corrected, and the number of knots."""
    text = Text(numbers, cell)
    text.number("nonlinearity.knots", KNOTS)
    for row in table.to_dict("records"):
        word = SEXES[row["sex"]].lower()
        text.p(f"nonlinearity.{row['outcome']}.{row['term']}_p_{word}", row["p_holm"])

"""Curved effects of age and BMI: restricted cubic splines, and tests for non-linearity."""

import pandas as pd

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, unbroken, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import model_data
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.methods.comparisons import holm
from muscle_study.statistics.methods.splines import KNOTS, SplineFit, fit_spline
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: The curved covariates, by the name in the text's numbers.
CURVED = {"age": "age_years", "bmi": "bmi_kg_m2"}


def fit_splines(study: Study) -> dict[tuple[str, str], SplineFit | None]:
    """Fit both outcomes in each sex."""
    fits = {}
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            data = model_data(study, outcome, sex)
            fits[name, sex] = None if data is None else fit_spline(data, "outcome", CURVED)
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

"""Linear regression of the outcomes: the models that the parameter file declares."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression_figure import draw
from muscle_study.statistics.methods.linear import COLUMNS, Fit, fit_design
from muscle_study.statistics.parameters import Model
from muscle_study.statistics.study.measures import OUTCOMES, SHORT_NAMES, Measure
from muscle_study.statistics.study.models import (
    coefficient_digits,
    complete_cases,
    models_text,
    number_name,
    paper_models,
    people_of,
    term_name,
    term_names,
    term_text,
)
from muscle_study.statistics.study.study import Study

#: What a table of coefficients says of a model.
OF_MODEL = ["r2", "n", "degrees_of_freedom"]


class Fitted(NamedTuple):
    """A declared model of an outcome, and its fit; None if it cannot be estimated."""

    model: Model
    outcome: str
    fit: Fit | None


def fit_model(study: Study, model: Model, outcome: Measure) -> Fit | None:
    """Fit a declared model; None with too few people or if it cannot be estimated."""
    data = people_of(study, model, outcome)
    if data is None:
        return None
    values, design = complete_cases(model, data, study.known)
    return fit_design(values, design, study.parameters.confidence, len(data) - len(values))


def fit_all(study: Study) -> list[Fitted]:
    """Fit all declared models of both outcomes."""
    return [
        Fitted(model, name, fit_model(study, model, outcome))
        for name, outcome in OUTCOMES.items()
        for model in study.parameters.models
        if name in model.outcomes
    ]


def coefficients(study: Study, fits: list[Fitted]) -> pd.DataFrame:
    """Return the terms of models.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``model``, ``sex``, ``term`` (first the intercept), `COLUMNS`, `OF_MODEL`
        and ``standard_error``.
    """
    rows = []
    for model, outcome, fitted in fits:
        if fitted is None:
            terms = pd.DataFrame({"term": ["intercept", *term_names(study, model)]})
            of_model = [np.nan] * 3
        else:
            first = pd.DataFrame([{"term": "intercept", **fitted.intercept}])
            own = fitted.terms.assign(term=fitted.terms["term"].map(term_name))
            terms = pd.concat([first, own], ignore_index=True)
            # a small difference from the people who are described would count a few
            few = fitted.n < study.min_count or 0 < fitted.incomplete < study.min_count
            sizes = [study.rounded(fitted.n), fitted.result.df_resid]
            of_model = [fitted.r2, *([np.nan, np.nan] if few else sizes)]
        about = {"outcome": outcome, "model": model.name, "sex": model.sex}
        rows.append(terms.assign(**about, **dict(zip(OF_MODEL, of_model, strict=True))))
    columns = ["outcome", "model", "sex", "term", *COLUMNS, *OF_MODEL, "standard_error"]
    return pd.concat(rows, ignore_index=True).reindex(columns=columns)


def model_coefficients(study: Study) -> pd.DataFrame:
    """Return the `coefficients` of all declared models."""
    return coefficients(study, study.once(fit_all))


def slopes(study: Study) -> pd.DataFrame:
    """Return the `model_coefficients` without the intercepts."""
    table = study.once(model_coefficients)
    return table[table["term"] != "intercept"].reset_index(drop=True)


def paper_coefficients(study: Study, measures: dict[str, Measure]) -> pd.DataFrame:
    """Return the `coefficients` of other measures in the models on age, BMI and sex alone."""
    fits = [
        Fitted(model, name, fit_model(study, model, measure))
        for name, measure in measures.items()
        for model in paper_models(study)
    ]
    return coefficients(study, fits)


def regression(study: Study) -> Result:
    """Return the coefficients of all declared models as table, figure and numbers."""
    numbers = Numbers()
    main = study.parameters.models[0]
    for (outcome, name), rows in slopes(study).groupby(["outcome", "model"], sort=False):
        prefix = "regression" if name == main.name else f"regression.{name}"
        _add_numbers(study, rows, OUTCOMES[outcome], f"{prefix}.{outcome}", numbers)
    return Result("regression", _table(study), draw(study, slopes(study)), numbers)


def _add_numbers(
    study: Study, rows: pd.DataFrame, outcome: Measure, prefix: str, numbers: Numbers
) -> None:
    for row in rows.to_dict("records"):
        digits = coefficient_digits(outcome, row["term"])
        key = f"{prefix}.{number_name(row['term'])}"
        numbers.number(key, row["coefficient"], digits, outcome.unit)
        numbers.limits(f"{key}_ci", row["low"], row["high"], digits, before=study.ci)
        numbers.p(f"{key}_p", row["p"])
    numbers.number(f"{prefix}.r2", rows["r2"].iloc[0], 2)


def _table(study: Study) -> Table:
    titles = {model.name: model.title for model in study.parameters.models}
    text = []
    for row in slopes(study).to_dict("records"):
        outcome = OUTCOMES[row["outcome"]]
        missing = pd.isna(row["p"])
        digits = coefficient_digits(outcome, row["term"])
        text.append(
            {
                "Outcome": SHORT_NAMES[row["outcome"]],
                "Among": titles[row["model"]],
                "Term": term_text(study, row["term"]),
                "Coefficient (CI)": estimate(row["coefficient"], row["low"], row["high"], digits),
                "Standardised (CI)": estimate(
                    row["standardised"], row["standardised_low"], row["standardised_high"], 2
                ),
                "p": MARK if missing else format_p(row["p"]),
                "Partial R²": MARK if missing else format_number(row["partial_r2"], 3),
            }
        )
    table = study.once(model_coefficients)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Linear regression of the outcomes ({study.sizes}), with {percent} % confidence "
        "intervals (CI) and p-values from errors robust to heteroscedasticity (HC3); p is not "
        f"corrected. Models: {models_text(study)}. CSA: total {study.psoas} cross-sectional area. "
        "Standardised: per SD of a continuous covariate, in SDs of the outcome. Partial R²: "
        "share of the variance left by the other terms that the term explains. R² of the models: "
        f"{_r2(table, titles)}. {MARK}: not estimable." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption)


def _r2(table: pd.DataFrame, titles: dict[str, str]) -> str:
    models = table.drop_duplicates(["outcome", "model"])
    return "; ".join(
        f"{SHORT_NAMES[name].split(' (')[0]}: "
        + ", ".join(
            f"{titles[row.model].lower()} {MARK if pd.isna(row.r2) else format_number(row.r2, 2)}"
            for row in rows.itertuples()
        )
        for name, rows in models.groupby("outcome", sort=False)
    )

"""The main results of everyone beside those of the imaged participants alone.

Only synthetic runs have others: participants whose measurements are simulated.
"""

from functools import partial

import pandas as pd

from muscle_study.publishing.table import Table, estimate, mean_sd, without_repeats
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES, correlations
from muscle_study.statistics.analyses.muscle_size.measures import measured
from muscle_study.statistics.analyses.muscle_size.regression import (
    TERM_TEXT,
    coefficient_digits,
    coefficients,
    fit_all,
)
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import (
    AMONG,
    GROUPED_MEASURES,
    OUTCOMES,
    SEXES,
    SHORT_NAMES,
)
from muscle_study.statistics.study.study import Study

#: The samples, and how a column is headed.
SAMPLES = {"all": "Everyone", "imaged": "Imaged only"}

KEYS = ["kind", "quantity", "sex", "term"]


def results(study: Study) -> pd.DataFrame:
    """Return the main results of a study's sample.

    Returns
    -------
    pandas.DataFrame
        ``kind``: mean, regression or correlation; ``quantity`` and ``term``: the measure's column,
        or the outcome with what it is related to; ``sex``; ``value``, and its ``sd`` or its
        interval, ``low`` and ``high``.
    """
    means = [
        {"kind": "mean", "quantity": measure.column, "sex": sex, "term": ""}
        | _mean_sd(study, measure.values(study.of_sex(sex)), sex)
        for measure in measured(study, GROUPED_MEASURES)
        for sex in SEXES
    ]
    slopes = coefficients(fit_all(study)).rename(
        columns={"outcome": "quantity", "coefficient": "value"}
    )
    slopes = slopes.sort_values(["quantity", "term"], kind="stable")  # each term in all, men, women
    related = correlations(study).rename(columns={"with": "term", "r": "value"})
    table = pd.concat(
        [
            pd.DataFrame(means),
            slopes.assign(kind="regression"),
            related.assign(kind="correlation", quantity="gluteus"),
        ],
        ignore_index=True,
    )
    return table.reindex(columns=[*KEYS, "value", "sd", "low", "high"])


def _mean_sd(study: Study, values: pd.Series, sex: str) -> dict[str, float]:
    if sex in study.hidden_sexes:
        values = values.iloc[:0]
    described = describe(values, study.min_count)
    return {"value": described["mean"], "sd": described["sd"]}


def beside(study: Study) -> pd.DataFrame:
    """Return the `results` of all and of the imaged: their columns end in the sample's name."""
    return results(study).merge(results(study.imaged), on=KEYS, suffixes=("_all", "_imaged"))


def imaged_table(study: Study, table: pd.DataFrame) -> Table:
    """Return what `beside` gives as a table of the manuscript."""
    text = []
    for row in table.to_dict("records"):
        title, show = _title_and_form(study, row)
        cells = {word: show(row, sample) for sample, word in SAMPLES.items()}
        text.append({"Result": title, "Among": AMONG[row["sex"]], **cells})
    caption = (
        f"The main results of all described participants ({study.sizes}) beside those of the "
        f"imaged alone ({study.imaged.sizes}): mean ± SD of the measures, coefficients of the "
        "linear regressions on age, BMI and sex, and Pearson correlations of gluteus volume (r), "
        "with confidence intervals as in the tables before." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Result"), caption, name="imaged")


def _title_and_form(study: Study, row: dict):
    if row["kind"] == "mean":
        measure = next(one for one in GROUPED_MEASURES if one.column == row["quantity"])
        return measure.title(study.psoas), partial(_show_mean, digits=measure.digits)
    if row["kind"] == "correlation":
        return f"{SIZES[row['term']]} and gluteus volume, r", partial(_show_estimate, digits=2)
    digits = coefficient_digits(OUTCOMES[row["quantity"]], row["term"])
    title = f"{SHORT_NAMES[row['quantity']]}, {TERM_TEXT[row['term']]}"
    return title, partial(_show_estimate, digits=digits)


def _show_mean(row: dict, sample: str, digits: int) -> str:
    return mean_sd(row[f"value_{sample}"], row[f"sd_{sample}"], digits)


def _show_estimate(row: dict, sample: str, digits: int) -> str:
    return estimate(*(row[f"{name}_{sample}"] for name in ("value", "low", "high")), digits)

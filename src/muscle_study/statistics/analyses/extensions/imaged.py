"""Main results in all and in the imaged participants.

Only synthetic runs have others: participants whose measurements are simulated.
"""

from functools import partial

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import SUPPRESSED
from muscle_study.publishing.numbers import Numbers
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, estimate, mean_sd, without_repeats
from muscle_study.statistics.analyses.muscle_size.correlation import (
    SIZES,
    add_weight_correlation,
    correlations,
)
from muscle_study.statistics.analyses.muscle_size.measures import add_means, measured
from muscle_study.statistics.analyses.muscle_size.regression import slopes
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import (
    AMONG,
    GROUPED_MEASURES,
    OUTCOMES,
    SEXES,
    SHORT_NAMES,
)
from muscle_study.statistics.study.models import coefficient_digits, models_text, term_text
from muscle_study.statistics.study.study import Study

#: The samples, and how a column is headed.
SAMPLES = {"all": "Everyone", "imaged": "Imaged only"}

KEYS = ["kind", "quantity", "model", "sex", "term"]


def results(study: Study) -> pd.DataFrame:
    """Return the main results of a study's sample.

    Returns
    -------
    pandas.DataFrame
        ``kind``: mean, regression or correlation; ``quantity``: the measure's column, or the
        outcome; ``model``: of a regression; ``sex``; ``term``: what the outcome is related to;
        ``value``, and its ``sd`` or its interval, ``low`` and ``high``.
    """
    means = [
        {"kind": "mean", "quantity": measure.column, "sex": sex, "term": ""}
        | _mean_sd(study, measure.values(study.shown_of_sex(sex)))
        for measure in measured(study, GROUPED_MEASURES)
        for sex in SEXES
    ]
    estimated = slopes(study).rename(columns={"outcome": "quantity", "coefficient": "value"})
    # the models beside each other in each term
    estimated = estimated.sort_values(["quantity", "term"], kind="stable")
    related = study.once(correlations).rename(columns={"with": "term", "r": "value"})
    table = pd.concat(
        [
            pd.DataFrame(means),
            estimated.assign(kind="regression"),
            related.assign(kind="correlation", quantity="gluteus"),
        ],
        ignore_index=True,
    )
    table["model"] = table["model"].fillna("")
    return table.reindex(columns=[*KEYS, "value", "sd", "low", "high"])


def _mean_sd(study: Study, values: pd.Series) -> dict[str, float]:
    described = describe(values, study.min_count)
    return {"value": described["mean"], "sd": described["sd"]}


def beside(study: Study) -> pd.DataFrame:
    """Return the `results` in both samples; columns end in the sample's name."""
    return results(study).merge(results(study.imaged), on=KEYS, suffixes=("_all", "_imaged"))


def imaged(study: Study) -> Result | Absent:
    """Return the main results in both samples."""
    if not study.has_simulated:
        return Absent("imaged", "all of this run's participants were imaged")
    numbers = Numbers()
    add_means(numbers, study.imaged, "imaged.")
    add_weight_correlation(numbers, study.imaged, "imaged.")
    donors = read_table(study.paths.measurements / "donors.csv").set_index("sex")
    numbers.number("simulation.nearest", donors["nearest"].min())
    for sex, word in SEXES.items():
        n = donors["donors"].get(sex, np.nan)
        shown = np.nan if n < study.min_count else study.rounded(n)
        numbers.number(f"simulation.donors_{word.lower()}", shown, otherwise=SUPPRESSED)
    return Result("imaged", _table(study, study.once(beside)), numbers=numbers)


def _table(study: Study, table: pd.DataFrame) -> Table:
    titles = {model.name: model.title for model in study.parameters.models}
    text = []
    for row in table.to_dict("records"):
        title, show = _title_and_form(study, row)
        cells = {word: show(row, sample) for sample, word in SAMPLES.items()}
        among = titles.get(row["model"], AMONG[row["sex"]])
        text.append({"Result": title, "Among": among, **cells})
    caption = (
        f"The main results in all described participants ({study.sizes}) beside those in the "
        f"imaged alone ({study.imaged.sizes}): mean ± SD of the measures, coefficients of the "
        f"linear regressions ({models_text(study)}), and Pearson correlations of gluteus volume "
        "(r), with confidence intervals as in the tables before." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Result"), caption)


def _title_and_form(study: Study, row: dict):
    if row["kind"] == "mean":
        measure = next(one for one in GROUPED_MEASURES if one.column == row["quantity"])
        return measure.title(study.psoas), partial(_show_mean, digits=measure.digits)
    if row["kind"] == "correlation":
        return f"{SIZES[row['term']]} and gluteus volume, r", partial(_show_estimate, digits=2)
    digits = coefficient_digits(OUTCOMES[row["quantity"]], row["term"])
    title = f"{SHORT_NAMES[row['quantity']]}, {term_text(study, row['term'])}"
    return title, partial(_show_estimate, digits=digits)


def _show_mean(row: dict, sample: str, digits: int) -> str:
    return mean_sd(row[f"value_{sample}"], row[f"sd_{sample}"], digits)


def _show_estimate(row: dict, sample: str, digits: int) -> str:
    return estimate(*(row[f"{name}_{sample}"] for name in ("value", "low", "high")), digits)

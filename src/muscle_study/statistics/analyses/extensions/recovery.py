"""Recovery of a synthetic cohort's true coefficients by the estimates."""

from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.extensions.imaged import KEYS, SAMPLES, beside
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES
from muscle_study.statistics.analyses.segmentation.quality import has_truth
from muscle_study.statistics.parameters import Model
from muscle_study.statistics.study.measures import AMONG, OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.models import (
    coefficient_digits,
    design_of,
    in_subset,
    models_text,
    term_name,
    term_names,
    term_text,
    variables_of,
)
from muscle_study.statistics.study.study import Study

#: Kinds of true coefficient that the statistics estimate.
KINDS = ("regression", "correlation")

#: Smaller shares of a model's largest coefficient are rounding errors of a coefficient of zero.
ZERO = 1e-9

#: Estimates that miss the truth are named in the text up to this number, and counted beyond.
MOST_NAMED = 3


def true_coefficients(study: Study) -> pd.DataFrame:
    """Return the true coefficients of all declared models, and the true correlations.

    A model's true coefficients are those of its regression in the whole population, which the
    cohort stage leaves as a table of all combinations of covariates, with their probability and
    the outcomes' mean: what the regression in an infinite sample without measurement error gives.
    A model that simplifies the population's, e.g. by one slope of age in both sexes, has the
    coefficients that fit best.

    Returns
    -------
    pandas.DataFrame
        `KEYS`, with ``outcome`` for ``quantity``, and ``true``.
    """
    rows = []
    for model in study.parameters.models:
        cells = _cells(study, model)
        design = design_of(model, cells, study.known)
        weight = np.sqrt(cells.loc[design.index, "probability"].to_numpy())
        for name in model.outcomes:
            outcome = cells.loc[design.index, name].to_numpy()
            values = np.linalg.lstsq(design.to_numpy() * weight[:, None], outcome * weight)[0]
            values[np.abs(values) < ZERO * np.abs(values).max()] = 0.0
            rows += [
                ("regression", name, model.name, model.sex, term_name(column), value)
                for column, value in zip(design, values, strict=True)
            ]
    table = pd.DataFrame(rows, columns=["kind", "outcome", *KEYS[2:], "true"])
    known = read_table(study.paths.measurements / "true_coefficients.csv")
    related = known[known["kind"] == "correlation"].rename(columns={"value": "true"})
    return pd.concat([table, related.assign(model="")], ignore_index=True)


def population_path(study: Study) -> Path:
    """Return the file of the true population, copied by measurement."""
    return study.paths.measurements / "true_population.parquet"


def _cells(study: Study, model: Model) -> pd.DataFrame:
    """Return the population by the model's covariates: ``probability``, outcomes' means."""
    names = variables_of(model)
    people = in_subset(model, pd.read_parquet(population_path(study)))
    if model.sex != "both":
        people = people[people["sex"] == model.sex]
    sums = people[names].assign(
        probability=people["probability"],
        **{name: people[name] * people["probability"] for name in OUTCOMES},
    )
    cells = sums.groupby(names, observed=True).sum().reset_index()
    return cells.assign(**{name: cells[name] / cells["probability"] for name in OUTCOMES})


def recovered(study: Study) -> pd.DataFrame:
    """Compare estimates with the true coefficients.

    Returns
    -------
    pandas.DataFrame
        ``kind``, ``outcome``, ``model``, ``sex``, ``term``, ``true``; for both samples the estimate
        (``value_*``), its interval (``low_*``, ``high_*``) and whether that ``covers_*`` the true
        value, empty where nothing could be estimated.
    """
    keys = ["kind", "outcome", *KEYS[2:]]
    table = study.once(beside)
    estimates = table[table["kind"].isin(KINDS)].rename(columns={"quantity": "outcome"})
    true = study.once(true_coefficients)
    both = estimates.merge(true, on=keys, how="left", validate="one_to_one")
    columns = [*keys, "true"]
    for sample in SAMPLES:
        value, low, high = (both[f"{name}_{sample}"] for name in ("value", "low", "high"))
        inside = (low <= both["true"]) & (both["true"] <= high)
        both[f"covers_{sample}"] = inside.astype(object).where(value.notna())
        columns += [f"{name}_{sample}" for name in ("value", "low", "high", "covers")]
    return both[columns]


def recovery(study: Study) -> Result | Absent:
    """Return the estimates beside the truth, and how many intervals cover it."""
    if not has_truth(study):
        return Absent("recovery", "the truth is known of synthetic cohorts alone")
    table = recovered(study)
    return Result("recovery", recovery_table(study, table), numbers=recovery_numbers(study, table))


def recovery_numbers(study: Study, table: pd.DataFrame) -> Numbers:
    """Return how many intervals cover the true coefficient, and how far the estimates are off."""
    numbers = Numbers()
    estimated = table.dropna(subset=["value_all"])
    # a coefficient near zero has no meaningful relative error: those that adjust are left out
    adjusting = set(table.loc[table["model"] != "", "term"])
    adjusting -= set(term_names(study, study.parameters.models[0]))
    related = estimated[~estimated["term"].isin(adjusting) | (estimated["kind"] != "regression")]
    percent = 100 * ((related["value_all"] - related["true"]) / related["true"]).abs()
    numbers.number("recovery.coefficients", len(estimated))
    numbers.number("recovery.covered", estimated["covers_all"].sum())
    numbers.number("recovery.covered_imaged", estimated["covers_imaged"].sum())
    missed = estimated[estimated["covers_all"] == False]  # noqa: E712
    numbers.word("recovery.missed", _missed(study, missed))
    numbers.number("recovery.median_percent", percent.median(), 1, "%")
    return numbers


def _missed(study: Study, estimates: pd.DataFrame) -> str:
    """Name the estimates whose intervals miss the true value, or count them."""
    if estimates.empty:
        return "there was no exception"
    if len(estimates) > MOST_NAMED:
        return f"there were {len(estimates)} exceptions"
    first = study.parameters.models[0].name
    titles = {model.name: model.title for model in study.parameters.models}
    named = []
    for row in estimates.to_dict("records"):
        outcome, term = OUTCOMES[row["outcome"]], row["term"]
        if row["kind"] == "correlation":
            size = SIZES[term]
            what = f"correlation with {size if size.isupper() else size.lower()}"
            what += f" in {SEXES[row['sex']].lower()}"
            unit, digits = "", 2
        else:
            model = "" if row["model"] == first else f" ({titles[row['model']].lower()})"
            what = term_text(study, term) + model
            unit, digits = f"\u00a0{outcome.unit}", coefficient_digits(outcome, term)
        numbers = [format_number(row[name], digits) for name in ("value_all", "true")]
        name = SHORT_NAMES[row["outcome"]].split(" (")[0]
        named.append(f"{name}, {what} ({numbers[0]} for {numbers[1]}{unit})")
    start = "the exception was " if len(named) == 1 else "the exceptions were "
    return start + "; ".join(named)


def recovery_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the result of `recovered` as a table of the manuscript."""
    # without simulated people both samples are the same
    samples = SAMPLES if study.has_simulated else {"all": SAMPLES["all"]}
    titles = {model.name: model.title for model in study.parameters.models}
    text = []
    for row in table.to_dict("records"):
        correlation = row["kind"] == "correlation"
        outcome, term = OUTCOMES[row["outcome"]], row["term"]
        digits = 2 if correlation else coefficient_digits(outcome, term)
        cells = {}
        for sample, word in samples.items():
            limits = (row[f"{name}_{sample}"] for name in ("value", "low", "high"))
            cells[f"{word} (CI)"] = estimate(*limits, digits)
        covers = {word: row[f"covers_{sample}"] for sample, word in samples.items()}
        text.append(
            {
                "Outcome": "Gluteus, r" if correlation else SHORT_NAMES[row["outcome"]],
                "Term": SIZES[term] if correlation else term_text(study, term),
                "Among": titles.get(row["model"], AMONG[row["sex"]]),
                "True": format_number(row["true"], digits),
                **cells,
                "Covered": _which_cover(covers),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Estimates beside the true coefficients of the population model ({study.sizes}): linear "
        f"regressions ({models_text(study)}), and Pearson correlations of gluteus volume with body "
        f"size (r). True: the same regression in the whole population. Covered: samples whose "
        f"{percent} % confidence interval (CI) contains the true value. {MARK}: not estimable."
        + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption)


def _which_cover(covers: dict[str, bool | float]) -> str:
    """Return the samples whose intervals contain the true value."""
    if any(pd.isna(covered) for covered in covers.values()):
        return MARK
    covering = [sample.lower() for sample, covered in covers.items() if covered]
    if len(covers) == 1:
        return "yes" if covering else "no"
    return {0: "neither", 1: "".join(covering), 2: "both"}[len(covering)]

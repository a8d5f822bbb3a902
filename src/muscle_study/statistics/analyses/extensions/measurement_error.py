"""The network's measurement error, and the estimates corrected for it.

The error model of each sex comes from participants outside training with known true sizes: in a
synthetic cohort all of them; elsewhere the test split, with reference labels in place of the truth,
so that errors of these labels are not corrected.
"""

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import SIDES
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.extensions.recovery import true_coefficients
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES, correlations
from muscle_study.statistics.analyses.muscle_size.regression import slopes
from muscle_study.statistics.analyses.segmentation.quality import has_truth, read_quality
from muscle_study.statistics.methods.calibration import (
    FEWEST_PAIRS,
    ErrorModel,
    corrected_correlation,
    corrected_regression,
    fit_error_model,
)
from muscle_study.statistics.study.measures import (
    AMONG,
    CSA,
    GLUTEUS,
    OUTCOMES,
    SEXES,
    SHORT_NAMES,
    Measure,
)
from muscle_study.statistics.study.models import (
    coefficient_digits,
    complete_cases,
    models_text,
    number_name,
    people_of,
    term_name,
    term_text,
)
from muscle_study.statistics.study.study import Study

#: Muscle of a total, and the column of its relative error in the test split's scores.
_SCORED = {
    CSA.column: ("psoas", "csa_error"),
    GLUTEUS.column: ("gluteus", "volume_error"),
}

#: Head of the column with the test of the error model's assumption.
_P = "p, age or BMI"

_ABSENT = "too few participants with true or reference sizes in this run"


def error_pairs(study: Study, outcome: Measure) -> pd.DataFrame:
    """Return ``sex``, ``age_years``, ``bmi_kg_m2``, ``measured`` and ``true`` of the unseen."""
    column = outcome.column
    if has_truth(study):
        errors = read_table(study.paths.measurements / "errors.csv")
        errors = errors.set_index("participant_id")[column]
    else:
        errors = reference_errors(study, column)
    people = study.imaged.people
    measured = people[column] * outcome.factor
    pairs = people[["sex", "age_years", "bmi_kg_m2"]].assign(
        measured=measured,
        true=measured - people["participant_id"].map(errors).astype(float) * outcome.factor,
    )
    return pairs.dropna(subset=["measured", "true"])


def reference_errors(study: Study, column: str) -> pd.Series:
    """Return measured minus reference size of a total in the test split, by participant.

    The sum of both sides' errors; missing where either segmentation lacks a side.
    """
    muscle, relative = _SCORED[column]
    scores = read_quality(study).pivot_table(
        index="participant_id", columns="structure", values=relative
    )
    sizes = study.measures.set_index("participant_id")
    return sum(
        sizes[column.replace("total", side)] * (1 - 1 / (1 + scores[f"{muscle}_{side}"]))
        for side in SIDES
    )


def error_models(study: Study) -> dict[tuple[str, str], ErrorModel | None] | None:
    """Fit the error model of both outcomes in each sex; None without enough pairs.

    A run with a known truth has the tables even if no model can be fitted.
    """
    pairs = {name: error_pairs(study, outcome) for name, outcome in OUTCOMES.items()}
    if not has_truth(study) and max(map(len, pairs.values())) < FEWEST_PAIRS:
        return None
    models = {}
    for name in OUTCOMES:
        for sex in SEXES:
            own = pairs[name][pairs[name]["sex"] == sex]
            models[name, sex] = None
            if len(own) >= study.min_count:
                models[name, sex] = fit_error_model(
                    own["true"].to_numpy(),
                    own["measured"].to_numpy(),
                    own[["age_years", "bmi_kg_m2"]].to_numpy(float),
                )
    return models


def error_model(study: Study) -> Result | Absent:
    """Return the error models, and how many tests contradict the correction's assumption."""
    models = study.once(error_models)
    if models is None:
        return Absent("error_model", _ABSENT)
    numbers = Numbers()
    numbers.word("corrected.people", _known(study))
    p = np.array([model.differential_p for model in models.values() if model is not None])
    p = p[~np.isnan(p)]
    numbers.number("corrected.error_tests", len(p))
    rejected = (p < 1 - study.parameters.confidence).sum()
    numbers.number("corrected.error_tests_rejected", rejected)
    return Result("error_model", _error_model_table(study, models), numbers=numbers)


def measurement_error(study: Study) -> Result | Absent:
    """Return naive and corrected estimates of all declared models and of the correlations."""
    if study.once(error_models) is None:
        return Absent("measurement_error", _ABSENT)
    table = corrected(study)
    return Result(
        "measurement_error",
        _measurement_error_table(study, table),
        numbers=measurement_error_numbers(study, table),
    )


def corrected(study: Study) -> pd.DataFrame:
    """Compare the corrected estimates with the naive and, if known, the true ones.

    Returns
    -------
    pandas.DataFrame
        ``kind`` (regression, correlation), ``outcome``, ``model``, ``sex``, ``term``; ``value``,
        ``low``, ``high`` with the endings ``_naive`` and ``_corrected``; ``true``.
    """
    naive = pd.concat(
        [
            slopes(study).rename(columns={"coefficient": "value"}).assign(kind="regression"),
            study.once(correlations)
            .rename(columns={"with": "term", "r": "value"})
            .assign(kind="correlation", outcome="gluteus", model=""),
        ],
        ignore_index=True,
    )
    keys = ["kind", "outcome", "model", "sex", "term"]
    values = ["value", "low", "high"]
    ours = pd.DataFrame([*_regressions(study), *_correlations(study)], columns=[*keys, *values])
    table = naive[[*keys, *values]].merge(
        ours, on=keys, how="left", suffixes=("_naive", "_corrected")
    )
    if not has_truth(study):
        return table.assign(true=np.nan)
    true = study.once(true_coefficients)
    return table.merge(true[[*keys, "true"]], on=keys, how="left", validate="one_to_one")


def _regressions(study: Study) -> list[list]:
    errors = study.once(error_models)
    rows = []
    for name, outcome in OUTCOMES.items():
        for model in study.parameters.models:
            data = people_of(study, model, outcome) if name in model.outcomes else None
            own = {one: errors[name, one] for one in SEXES if model.sex in ("both", one)}
            if data is None or None in own.values():
                continue
            values, design = complete_cases(model, data, study.known)
            sex = data.loc[design.index, "sex"]
            found = corrected_regression(values, design, sex, own, study.parameters.confidence)
            found["term"] = found["term"].map(term_name)
            about = ["regression", name, model.name, model.sex]
            rows += [[*about, *row] for row in found.itertuples(index=False)]
    return rows


def _correlations(study: Study) -> list[list]:
    rows = []
    for row in study.once(correlations).to_dict("records"):
        model = study.once(error_models)["gluteus", row["sex"]]
        if model is None or pd.isna(row["r"]):
            continue
        measured = OUTCOMES["gluteus"].values(study.of_sex(row["sex"])).dropna().to_numpy()
        found = corrected_correlation(
            row["r"],
            row["error"],
            model.reliability(measured),
            model.noise_variance_error / measured.var(ddof=1),
            study.parameters.confidence,
        )
        rows.append(["correlation", "gluteus", "", row["sex"], row["with"], *found.values()])
    return rows


def measurement_error_numbers(study: Study, table: pd.DataFrame) -> Numbers:
    """Return the main model's corrected coefficients; with a truth, how many intervals cover it."""
    numbers = Numbers()
    main = table[table["model"] == study.parameters.models[0].name]
    for row in main.to_dict("records"):
        outcome, term = OUTCOMES[row["outcome"]], row["term"]
        key, digits = (
            f"corrected.{row['outcome']}.{number_name(term)}",
            coefficient_digits(outcome, term),
        )
        numbers.number(key, row["value_corrected"], digits, outcome.unit)
        limits = row["low_corrected"], row["high_corrected"]
        numbers.limits(f"{key}_ci", *limits, digits, before=study.ci)
    if has_truth(study):
        known = table.dropna(subset=["value_corrected", "true"])
        covered = known["true"].between(known["low_corrected"], known["high_corrected"])
        numbers.number("corrected.estimates", len(known))
        numbers.number("corrected.covered", covered.sum())
        off = known[["value_naive", "value_corrected"]].sub(known["true"], axis=0).abs()
        nearer = (off["value_corrected"] < off["value_naive"]).sum()
        numbers.number("corrected.nearer", nearer)
    return numbers


def _error_model_table(study: Study, models: dict[tuple[str, str], ErrorModel | None]) -> Table:
    data, text = [], []
    for (name, sex), model in models.items():
        outcome = OUTCOMES[name]
        row = {"Outcome": SHORT_NAMES[name], "Sex": SEXES[sex]}
        if model is None:
            data.append({"outcome": name, "sex": sex})
            text.append(
                row | dict.fromkeys(["n", "Slope (CI)", "Noise SD", "Reliability", _P], MARK)
            )
            continue
        low, high = model.slope_interval(study.parameters.confidence)
        noise = np.sqrt(model.noise_variance)
        people = outcome.values(study.of_sex(sex)).dropna().to_numpy()
        reliability = model.reliability(people) if len(people) >= study.min_count else np.nan
        p = model.differential_p
        data.append(
            {
                "outcome": name, "sex": sex, "n": study.rounded(model.n),
                "intercept": model.intercept,
                "slope": model.slope, "slope_low": low, "slope_high": high, "noise_sd": noise,
                "reliability": reliability, "differential_p": p,
            }
        )  # fmt: skip
        text.append(
            row
            | {
                "n": format_number(study.rounded(model.n)),
                "Slope (CI)": estimate(model.slope, low, high, 2),
                "Noise SD": f"{format_number(noise, outcome.digits)} {outcome.unit}",
                "Reliability": _printed(reliability, 2),
                _P: MARK if pd.isna(p) else format_p(p),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        "Error of the measures, from imaged participants whom training never saw and "
        f"{_known(study)} (n): measured = intercept + slope × true + noise. Slope with {percent} % "
        "confidence interval (CI); below 1, differences between people are measured too small. "
        "Reliability: share of the measured sizes' variance that is not noise. "
        f"{_P}: test of the assumption that, at equal true size, the error does not depend on age "
        f"or BMI. CSA: total {study.psoas} cross-sectional area. {MARK}: fewer than {FEWEST_PAIRS} "
        "participants, or a slope that does not differ from zero." + study.origin
    )
    printed = without_repeats(pd.DataFrame(text), "Outcome")
    return Table(pd.DataFrame(data), printed, caption)


def _measurement_error_table(study: Study, table: pd.DataFrame) -> Table:
    titles = {model.name: model.title for model in study.parameters.models}
    text = []
    for row in table.to_dict("records"):
        correlation = row["kind"] == "correlation"
        outcome, term = OUTCOMES[row["outcome"]], row["term"]
        digits = 2 if correlation else coefficient_digits(outcome, term)
        cells = {
            head: estimate(*(row[f"{value}_{name}"] for value in ("value", "low", "high")), digits)
            for name, head in (("naive", "Naive (CI)"), ("corrected", "Corrected (CI)"))
        }
        text.append(
            {
                "Outcome": "Gluteus volume, r" if correlation else SHORT_NAMES[row["outcome"]],
                "Term": SIZES[term] if correlation else term_text(study, term),
                "Among": titles.get(row["model"], AMONG[row["sex"]]),
                **cells,
            }
            | ({"True": _printed(row["true"], digits)} if has_truth(study) else {})
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Naive estimates ({study.sizes}), and the same corrected for measurement error by "
        "regression calibration, whose intervals allow for the error model's uncertainty: "
        f"linear regressions ({models_text(study)}), and Pearson correlations of gluteus volume "
        f"with body size (r), with {percent} % confidence intervals (CI). "
        f"{'True: of the population model. ' if has_truth(study) else ''}CSA: total {study.psoas} "
        f"cross-sectional area. {MARK}: not estimable." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption)


def _printed(value: float, digits: int) -> str:
    return MARK if pd.isna(value) else format_number(value, digits)


def _known(study: Study) -> str:
    if has_truth(study):
        return "whose true sizes are known"
    return "whose sizes by the reference labels are taken for the true ones"

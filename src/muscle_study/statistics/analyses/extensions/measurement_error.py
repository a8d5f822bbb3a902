"""What the network's measurement error does to the estimates, and the estimates without it.

In participants whom training never saw and whose true sizes are known, the measured size is a line
of the true one plus noise, in each sex: ``measured = a + b · true + e``. A synthetic cohort knows
the true sizes; elsewhere those by the reference labels of the test split stand for them, and what
is wrong with these labels is not corrected. A slope b below 1, a
network that draws sizes towards their mean, flattens every coefficient by that factor; noise widens
intervals and lowers correlations. Regression calibration turns this round: coefficients of
``(measured - a) / b`` estimate those of the true size, and correlations are divided by the square
root of the reliability (Keogh et al., STRATOS guidance, Stat Med 2020;39:2197-2231, sections 4-6).
That a, b and the noise are estimates widens the intervals (delta method). It supposes that the
error depends on age and BMI through the true size alone; `error_models` tests that.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import SIDES
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.extensions.recovery import coefficients_path
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES
from muscle_study.statistics.analyses.muscle_size.regression import (
    TERM_TEXT,
    TERMS,
    coefficient_digits,
    model_data,
)
from muscle_study.statistics.analyses.segmentation.quality import has_truth, read_quality
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.methods.correlation import fisher_interval
from muscle_study.statistics.study.measures import (
    AMONG,
    CSA,
    GLUTEUS,
    OUTCOMES,
    SEXES,
    SHORT_NAMES,
    Measure,
)
from muscle_study.statistics.study.study import Study

#: Fewer pairs of measured and true than this make no error model: our choice.
FEWEST_PAIRS = 15

#: Of which muscle a total is, and what the test split's scores call its relative error.
_SCORED = {
    CSA.column: ("psoas", "csa_error"),
    GLUTEUS.column: ("gluteus", "volume_error"),
}

#: Head of the column with the test of the error model's supposition.
_P = "p, age or BMI"


@dataclass(frozen=True)
class ErrorModel:
    """``measured = intercept + slope · true + e`` in one sex.

    Parameters
    ----------
    n
        Pairs that it was estimated from.
    intercept, slope
        By least squares.
    covariance
        Of both, HC3, shape (2, 2).
    noise_variance, noise_variance_error
        Variance of e and its standard error.
    differential_p
        p of the test that, the true size given, age and BMI do not matter; NaN where they are not
        known of enough people.
    """

    n: int
    intercept: float
    slope: float
    covariance: np.ndarray
    noise_variance: float
    noise_variance_error: float
    differential_p: float

    def slope_interval(self, confidence: float) -> tuple[float, float]:
        """Return the interval of the slope."""
        half = stats.t.ppf((1 + confidence) / 2, self.n - 2) * np.sqrt(self.covariance[1, 1])
        return self.slope - half, self.slope + half

    def reliability(self, measured: np.ndarray) -> float:
        """Return the share of the measured sizes' variance that is not noise."""
        return 1 - self.noise_variance / measured.var(ddof=1)


def fit_error_model(
    true: np.ndarray, measured: np.ndarray, covariates: np.ndarray
) -> ErrorModel | None:
    """Estimate an error model from pairs.

    Parameters
    ----------
    true, measured
        Sizes, shape (n,).
    covariates
        Age and BMI of the same people, shape (n, 2).

    Returns
    -------
    ErrorModel or None
        None for fewer than `FEWEST_PAIRS`, or where the slope cannot be told from zero at the
        5 % level: a measure that says nothing about the truth cannot be corrected.
    """
    n = len(true)
    if n < FEWEST_PAIRS or np.ptp(true) == 0:
        return None
    design = np.column_stack([np.ones(n), true])
    result = OLS(measured, design).fit(cov_type="HC3", use_t=True)
    if result.pvalues[1] > 0.05 or result.params[1] <= 0:
        return None
    variance = result.ssr / (n - 2)
    fourth = (result.resid**4).mean()
    known = np.isfinite(covariates).all(axis=1)
    differential_p = np.nan
    if known.sum() >= FEWEST_PAIRS:
        more = OLS(measured[known], np.column_stack([design, covariates])[known])
        differential_p = float(more.fit(cov_type="HC3", use_t=True).f_test(np.eye(4)[2:]).pvalue)
    return ErrorModel(
        n,
        float(result.params[0]),
        float(result.params[1]),
        result.cov_params(),
        float(variance),
        float(np.sqrt(max(fourth - variance**2, 0) / n)),
        differential_p,
    )


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
    """Return measured minus the reference labels' size of the test split, by participant.

    From the relative error of each side; a side that either lacks has none.

    Parameters
    ----------
    study
        The run.
    column
        A total: ``psoas_csa_total_cm2`` or ``gluteus_volume_total_ml``.
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


def is_here(study: Study) -> bool:
    """Tell whether the run has a truth, or enough reference sizes for an error model.

    A run with a truth says of how many estimates the correction could be checked, if only of none.
    """
    pairs = (len(error_pairs(study, outcome)) for outcome in OUTCOMES.values())
    return has_truth(study) or max(pairs) >= FEWEST_PAIRS


def error_models(study: Study) -> dict[tuple[str, str], ErrorModel | None]:
    """Fit the error model of both outcomes in each sex."""
    models = {}
    for name, outcome in OUTCOMES.items():
        pairs = error_pairs(study, outcome)
        for sex in SEXES:
            own = pairs[pairs["sex"] == sex].dropna(subset=["measured", "true"])
            enough = len(own) >= study.min_count
            models[name, sex] = (
                fit_error_model(
                    own["true"].to_numpy(),
                    own["measured"].to_numpy(),
                    own[["age_years", "bmi_kg_m2"]].to_numpy(float),
                )
                if enough
                else None
            )
    return models


def corrected_regression(
    data: pd.DataFrame, covariates: list[str], models: dict[str, ErrorModel], confidence: float
) -> pd.DataFrame:
    """Regress the calibrated outcome on covariates.

    The calibrated outcome ``(measured - a) / b`` is linear in the measured one within a sex, so
    that its coefficients are ``(A - a B) / b`` summed over the sexes, where A and B are the
    coefficients of the measured outcome and of 1 in that sex and 0 elsewhere. The delta method
    follows from that.

    Parameters
    ----------
    data
        ``outcome`` as measured, ``sex`` and the covariates.
    covariates
        Columns.
    models
        The error model of each sex in `data`.
    confidence
        Level of the intervals.

    Returns
    -------
    pandas.DataFrame
        ``term``, ``value``, ``low``, ``high``.
    """
    complete = data[["outcome", "sex", *covariates]].dropna()
    design = np.column_stack([np.ones(len(complete)), complete[covariates].to_numpy(float)])
    outcome, sex = complete["outcome"].to_numpy(float), complete["sex"].to_numpy()
    solve = np.linalg.pinv(design)
    calibrated = np.zeros(len(complete))
    from_model = np.zeros(design.shape[1])
    for name, model in models.items():
        own = (sex == name).astype(float)
        calibrated += own * (outcome - model.intercept) / model.slope
        of_one = solve @ own / model.slope
        of_calibrated = solve @ (own * (outcome - model.intercept)) / model.slope**2
        by_parameter = -np.column_stack([of_one, of_calibrated])
        from_model += np.einsum("ij,jk,ik->i", by_parameter, model.covariance, by_parameter)
    result = OLS(calibrated, design).fit(cov_type="HC3", use_t=True)
    error = np.sqrt(result.bse**2 + from_model)[1:]
    half = stats.norm.ppf((1 + confidence) / 2) * error
    value = result.params[1:]
    return pd.DataFrame(
        {
            "term": [TERMS.get(name, name) for name in covariates],
            "value": value,
            "low": value - half,
            "high": value + half,
        }
    )


def corrected_correlation(
    r: float, error: float, reliability: float, reliability_error: float, confidence: float
) -> dict[str, float]:
    """Divide a correlation by the square root of the outcome's reliability (Spearman 1904).

    Parameters
    ----------
    r, error
        Pearson's r of the measured outcome, and its standard error.
    reliability, reliability_error
        Of the measured outcome, and its standard error.
    confidence
        Level of the interval, which is on Fisher's z.

    Returns
    -------
    dict
        ``value``, ``low``, ``high``; NaN where noise leaves no room for the correlation.
    """
    if not reliability > r**2:
        return dict.fromkeys(("value", "low", "high"), np.nan)
    value = r / np.sqrt(reliability)
    # errors of r and of the reliability, carried to the quotient
    variance = error**2 / reliability
    variance += (value / (2 * reliability)) ** 2 * reliability_error**2
    low, high = fisher_interval(value, np.sqrt(variance), confidence)
    return {"value": value, "low": low, "high": high}


def corrected(
    study: Study,
    coefficients: pd.DataFrame,
    correlations: pd.DataFrame,
    models: dict[tuple[str, str], ErrorModel | None],
) -> pd.DataFrame:
    """Set the corrected estimates beside the naive ones, and beside the true where they are known.

    Returns
    -------
    pandas.DataFrame
        ``kind`` (regression, correlation), ``outcome``, ``sex``, ``term``; ``value``, ``low``,
        ``high`` with the endings ``_naive`` and ``_corrected``; ``true``.
    """
    naive = pd.concat(
        [
            coefficients.rename(columns={"coefficient": "value"}).assign(kind="regression"),
            correlations.rename(columns={"with": "term", "r": "value"}).assign(
                kind="correlation", outcome="gluteus"
            ),
        ],
        ignore_index=True,
    )
    keys, values = ["kind", "outcome", "sex", "term"], ["value", "low", "high"]
    ours = [*_regressions(study, models), *_correlations(study, correlations, models)]
    ours = pd.DataFrame(ours, columns=[*keys, *values])
    table = naive[[*keys, *values]].merge(
        ours, on=keys, how="left", suffixes=("_naive", "_corrected")
    )
    if not has_truth(study):
        return table.assign(true=np.nan)
    true = read_table(coefficients_path(study)).rename(columns={"value": "true"})
    return table.merge(true[[*keys, "true"]], on=keys, how="left", validate="one_to_one")


def _regressions(study: Study, models) -> list[list]:
    rows = []
    for name, outcome in OUTCOMES.items():
        for sex in ("both", *SEXES):
            data = model_data(study, outcome, sex)
            own = {one: models[name, one] for one in (SEXES if sex == "both" else [sex])}
            if data is None or None in own.values():
                continue
            covariates = ["age_years", "bmi_kg_m2", *(["male"] if sex == "both" else [])]
            found = corrected_regression(data, covariates, own, study.parameters.confidence)
            rows += [["regression", name, sex, *row] for row in found.itertuples(index=False)]
    return rows


def _correlations(study: Study, correlations: pd.DataFrame, models) -> list[list]:
    rows = []
    for row in correlations.to_dict("records"):
        model = models["gluteus", row["sex"]]
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
        rows.append(["correlation", "gluteus", row["sex"], row["with"], *found.values()])
    return rows


def error_model_table(study: Study, models: dict[tuple[str, str], ErrorModel | None]) -> Table:
    """Return the error models as a table of the manuscript."""
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
                "Reliability": MARK if pd.isna(reliability) else format_number(reliability, 2),
                _P: MARK if pd.isna(p) else format_p(p),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        "Error of the measures, from imaged participants whom training never saw and "
        f"{_known(study)} (n): measured = intercept + slope × true + noise. Slope with {percent} % "
        "confidence interval (CI); below 1, differences between people are measured too small. "
        "Reliability: share of the measured sizes' variance that is not noise. "
        f"{_P}: of the supposition that, the true size given, the error does not depend on age or "
        f"BMI. CSA: total {study.psoas} cross-sectional area. {MARK}: fewer than {FEWEST_PAIRS} "
        "participants, or a slope that cannot be told from zero." + study.origin
    )
    printed = without_repeats(pd.DataFrame(text), "Outcome")
    return Table(pd.DataFrame(data), printed, caption, name="error_model")


def measurement_error_table(study: Study, table: pd.DataFrame) -> Table:
    """Return naive, corrected and true estimates as a table of the manuscript."""
    text = []
    for row in table.to_dict("records"):
        correlation = row["kind"] == "correlation"
        outcome = OUTCOMES[row["outcome"]]
        digits = 2 if correlation else coefficient_digits(outcome, row["term"])
        cells = {
            head: estimate(*(row[f"{value}_{name}"] for value in ("value", "low", "high")), digits)
            for name, head in (("naive", "Naive (CI)"), ("corrected", "Corrected (CI)"))
        }
        text.append(
            {
                "Outcome": "Gluteus volume, r" if correlation else SHORT_NAMES[row["outcome"]],
                "Term": SIZES[row["term"]] if correlation else TERM_TEXT[row["term"]],
                "Among": AMONG[row["sex"]],
                **cells,
            }
            | ({"True": _printed(row["true"], digits)} if has_truth(study) else {})
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Naive estimates ({study.sizes}), and the same corrected for measurement error by "
        "regression calibration, whose intervals allow for the error model's uncertainty: "
        "coefficients of the linear regressions on age, BMI and sex, and Pearson correlations of "
        f"gluteus volume with body size (r), with {percent} % confidence intervals (CI). "
        f"{'True: of the population model. ' if has_truth(study) else ''}CSA: total {study.psoas} "
        f"cross-sectional area. {MARK}: not estimable." + study.origin
    )
    printed = without_repeats(pd.DataFrame(text), "Outcome")
    return Table(table, printed, caption, name="measurement_error")


def _printed(value: float, digits: int) -> str:
    return MARK if pd.isna(value) else format_number(value, digits)


def _known(study: Study) -> str:
    if has_truth(study):
        return "whose true sizes are known"
    return "whose sizes by the reference labels are taken for the true ones"


def error_model_numbers(
    study: Study,
    models: dict[tuple[str, str], ErrorModel | None],
    numbers: CellNumbers,
    cell: str,
) -> None:
    """Add of whom the models are, and how many tests speak against what the correction supposes."""
    text = Text(numbers, cell)
    text.word("corrected.people", _known(study))
    p = np.array([model.differential_p for model in models.values() if model is not None])
    p = p[~np.isnan(p)]
    text.number("corrected.error_tests", len(p))
    text.number("corrected.error_tests_rejected", (p < 1 - study.parameters.confidence).sum())


def measurement_error_numbers(
    study: Study, table: pd.DataFrame, numbers: CellNumbers, cell: str
) -> None:
    """Add the corrected pooled coefficients; if there is a truth, how many intervals hold it."""
    text = Text(numbers, cell)
    percent = format_number(100 * study.parameters.confidence, 0, "%")
    found = table[table["sex"] == "both"].set_index(["outcome", "term"])
    for name, outcome in OUTCOMES.items():
        for term in ("age", "bmi", "sex"):
            row = found.loc[(name, term)]
            key, digits = f"corrected.{name}.{term}", coefficient_digits(outcome, term)
            text.number(key, row["value_corrected"], digits, outcome.unit)
            limits = (row["low_corrected"], row["high_corrected"])
            text.limits(f"{key}_ci", *limits, digits, before=f"{percent} CI ")
    if not has_truth(study):
        return
    known = table.dropna(subset=["value_corrected", "true"])
    held = known["true"].between(known["low_corrected"], known["high_corrected"])
    text.number("corrected.estimates", len(known))
    text.number("corrected.covered", held.sum())
    off = known[["value_naive", "value_corrected"]].sub(known["true"], axis=0).abs()
    text.number("corrected.nearer", (off["value_corrected"] < off["value_naive"]).sum())

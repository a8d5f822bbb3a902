"""Whether the main coefficients hinge on who was left out, and how they were analysed."""

import numpy as np
import pandas as pd
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.regression.quantile_regression import QuantReg

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import (
    TERMS,
    coefficient_digits,
    model_data,
)
from muscle_study.statistics.analyses.sample.exclusions import excluded_people
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.methods.imputation import IMPUTATIONS, imputed
from muscle_study.statistics.study import doubtful
from muscle_study.statistics.study.loading import ADULT_YEARS
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES, Measure
from muscle_study.statistics.study.study import Study

#: The analyses, as printed.
ANALYSES = {
    "main": "main analysis",
    "median": "median regression",
    "border": "no muscle at the edge of the field of view",
    "imaged": "imaged participants alone",
    "swaps": "imaged, without corrected water–fat swaps",
    "flagged": "imaged, without scans flagged for their quality",
    "reviewed": "imaged, accepted by a reviewer alone",
    "weighted": "imaged, weighted for exclusion by sex and BMI",
    "centre": "centre as a fixed effect",
    "clustered": "errors clustered by centre",
    "imputed": "missing covariates imputed",
}

COVARIATES = list(TERMS)

#: Fewer excluded than this tell nothing of whom exclusion takes: our choice, ten for each of the
#: exclusion model's coefficients but the intercept.
FEWEST_EXCLUDED = 30

#: With fewer clusters their robust errors are too small (Cameron and Miller, J Hum Resour
#: 2015;50:317-372, section VI): our choice, the imaging centres that the NAKO has.
FEWEST_CENTRES = 5

#: Weights are cut at this centile, so that no one participant rules an estimate.
WEIGHT_CENTILE = 99


def sensitivity(study: Study) -> pd.DataFrame:
    """Fit the pooled model of both outcomes in each of the `ANALYSES`.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``analysis``, ``n``, ``term``, ``value``, ``low``, ``high``. An analysis that
        the run has no cause for, or too few people, is left out.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        for analysis, (n, terms) in _analyses(study, outcome).items():
            for term, values in zip(TERMS.values(), terms, strict=True):
                rows.append([name, analysis, study.rounded(n), term, *values])
    columns = ["outcome", "analysis", "n", "term", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _analyses(study: Study, outcome: Measure) -> dict[str, tuple[int, np.ndarray]]:
    """Return the people and the terms, shape (3, 3), of each analysis that can be done."""
    data, confidence = model_data(study, outcome, "both"), study.parameters.confidence
    enough = max(study.min_count, 5 * len(COVARIATES))
    found = {}

    def add(name: str, rows: pd.DataFrame, model: type = OLS, **options) -> None:
        fitted = fit_terms(rows, confidence, enough, model, **options)
        if fitted is not None:
            found[name] = fitted

    def leave_out(name: str, rows: pd.DataFrame, gone: pd.Series) -> None:
        if study.min_count <= gone.sum():
            add(name, rows[~gone])

    if data is None:
        return found
    add("main", data)
    add("median", data, QuantReg)
    at_border = data.reindex(columns=["psoas_at_border", "gluteus_at_border"]).eq(True).any(axis=1)
    leave_out("border", data, at_border)
    imaged = model_data(study.imaged, outcome, "both")
    if imaged is not None:
        if study.has_simulated:
            add("imaged", imaged)
        names, paths = imaged["participant_id"], study.paths
        leave_out("swaps", imaged, names.isin(doubtful.corrected_swaps(paths)))
        leave_out("flagged", imaged, names.isin(doubtful.flagged_scans(paths)))
        leave_out("reviewed", imaged, ~names.isin(doubtful.accepted_scans(paths)))
    weights = exclusion_weights(study)
    if weights is not None and imaged is not None:
        known = imaged["outcome"].notna().to_numpy()
        add("weighted", imaged[known], WLS, weights=weights[known])
    found |= _by_centre(data, confidence, enough, study.min_count)
    incomplete = incomplete_people(study, outcome)
    if len(incomplete) >= study.min_count:
        terms = impute_and_fit(pd.concat([data, incomplete]), confidence, study.parameters.seed)
        found["imputed"] = len(data) + len(incomplete), terms
    return found


def fit_terms(
    rows: pd.DataFrame,
    confidence: float,
    enough: int,
    model: type = OLS,
    dummies: pd.DataFrame | None = None,
    clusters: pd.Series | None = None,
    **options,
) -> tuple[int, np.ndarray] | None:
    """Return people and terms, shape (3, 3), or None for fewer than `enough`.

    `dummies` are further columns of the design. Errors are robust to heteroscedasticity, or to
    likeness within `clusters`, then with Student's t of one degree fewer than there are clusters.
    """
    rows = rows[["outcome", *COVARIATES]].dropna()
    if len(rows) < enough or (rows.nunique() < 2).any():
        return None
    design = np.column_stack([np.ones(len(rows)), rows[COVARIATES]])
    if dummies is not None:
        design = np.column_stack([design, dummies.loc[rows.index]])
    fitted = model(rows["outcome"].to_numpy(float), design, **options)
    if model is QuantReg:
        result = fitted.fit()
    elif clusters is not None:
        groups = pd.factorize(clusters[rows.index])[0]
        result = fitted.fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    else:
        result = fitted.fit(cov_type="HC3", use_t=True)
    limits = result.conf_int(alpha=1 - confidence)
    return len(rows), np.column_stack([result.params, limits])[1 : 1 + len(COVARIATES)]


def _by_centre(
    data: pd.DataFrame, confidence: float, enough: int, min_count: int
) -> dict[str, tuple[int, np.ndarray]]:
    """Return the analyses that know where people were examined, if that is known.

    A centre with fewer than `min_count` people is left out.
    """
    if "centre" not in data:
        return {}
    known = data.dropna(subset=["outcome", *COVARIATES, "centre"])
    centres = known["centre"].astype(str)
    centres = centres[centres.groupby(centres).transform("size") >= max(min_count, 2)]
    gone = data[["outcome", *COVARIATES]].notna().all(axis=1).sum() - len(centres)
    if centres.nunique() < 2 or 0 < gone < min_count:  # the difference would tell how few they are
        return {}
    known = known.loc[centres.index]
    dummies = pd.get_dummies(centres, drop_first=True, dtype=float)
    found = {"centre": fit_terms(known, confidence, enough + dummies.shape[1], dummies=dummies)}
    if centres.nunique() >= FEWEST_CENTRES:
        found["clustered"] = fit_terms(known, confidence, enough, clusters=centres)
    return {name: fitted for name, fitted in found.items() if fitted is not None}


def exclusion_weights(study: Study) -> np.ndarray | None:
    """Return the inverse of each imaged person's probability of being kept.

    By logistic regression on sex, BMI and its square of the measured and the excluded whose sex and
    BMI are known. Scaled to a mean of 1. None for fewer than `FEWEST_EXCLUDED` of the latter.
    """
    kept, lost = study.imaged.people, excluded_people(study)
    if len(lost) < FEWEST_EXCLUDED or kept.empty:
        return None
    people = pd.concat([kept[["sex", "bmi_kg_m2"]], lost], ignore_index=True)
    bmi = (people["bmi_kg_m2"] - people["bmi_kg_m2"].mean()) / people["bmi_kg_m2"].std()
    design = np.column_stack([np.ones(len(people)), people["sex"] == "male", bmi, bmi**2])
    is_kept = (np.arange(len(people)) < len(kept)).astype(float)
    probability = GLM(is_kept, design.astype(float), family=Binomial()).fit().fittedvalues
    weights = 1 / probability[: len(kept)]
    weights = np.minimum(weights, np.percentile(weights, WEIGHT_CENTILE))
    return weights / weights.mean()


def incomplete_people(study: Study, outcome: Measure) -> pd.DataFrame:
    """Return measured people of known sex whom the main analysis leaves out for a missing value.

    People who are known not to be adults stay out.
    """
    people = study.curated.merge(study.measures, on="participant_id")
    left_out = ~people["participant_id"].isin(study.imaged.people["participant_id"])
    minor = people["age_years"] < ADULT_YEARS
    people = people[left_out & ~minor & people["sex"].isin(list(SEXES))]
    return people.assign(
        outcome=outcome.values(people), male=(people["sex"] == "male").astype(float)
    )


def impute_and_fit(people: pd.DataFrame, confidence: float, seed: int) -> np.ndarray:
    """Impute age, height and weight, take BMI from these, and pool the main model's terms.

    Returns
    -------
    numpy.ndarray
        Value, low and high of each term, shape (3, 3).
    """
    columns = ["outcome", "male", "age_years", "height_cm", "weight_kg"]
    known = people[people["outcome"].notna()]

    def analyse(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, float]:
        bmi = table["weight_kg"] / (table["height_cm"] / 100) ** 2
        design = np.column_stack([np.ones(len(table)), table["age_years"], bmi, table["male"]])
        result = OLS(table["outcome"].to_numpy(), design).fit(cov_type="HC3")
        return result.params[1:], result.bse[1:] ** 2, result.df_resid

    pooled = imputed(known[columns].reset_index(drop=True), analyse, confidence, seed)
    return pooled[["value", "low", "high"]].to_numpy()


def sensitivity_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the analyses as a table of the manuscript."""
    heads = {"age": "Per year of age (CI)", "bmi": "Per kg/m² (CI)", "sex": "Men − women (CI)"}
    text = []
    for (name, analysis), rows in table.groupby(["outcome", "analysis"], sort=False):
        n = format_number(rows["n"].iloc[0])
        cells = {"Outcome": SHORT_NAMES[name], "Analysis": f"{ANALYSES[analysis]} (n = {n})"}
        for row in rows.to_dict("records"):
            digits = coefficient_digits(OUTCOMES[name], row["term"])
            cells[heads[row["term"]]] = estimate(row["value"], row["low"], row["high"], digits)
        text.append(cells)
    if not text:
        text = [dict.fromkeys(["Outcome", "Analysis", *heads.values()], MARK)]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"The regressions on age, BMI and sex done otherwise ({study.sizes}), with {percent} % "
        "confidence intervals (CI). Weighted: by the inverse probability of being kept, from sex "
        f"and BMI of the measured and the excluded, where at least {FEWEST_EXCLUDED} excluded are "
        "known. Flagged: a score of the scan's quality is beyond its threshold. Clustered: of at "
        f"least {FEWEST_CENTRES} centres, with Student's t of one degree fewer. Imputed: "
        f"{IMPUTATIONS} tables by chained equations, pooled by Rubin's rules, where measured "
        "participants lack age, height or weight. Analyses that the run has no cause for are left "
        f"out. CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Table(table, text, caption, name="sensitivity")


def sensitivity_numbers(table: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add how many analyses there are, and how many of their intervals hold the main estimate."""
    text = Text(numbers, cell)
    keys = ["outcome", "term"]
    main = table.loc[table["analysis"] == "main", [*keys, "value"]]
    others = table[table["analysis"] != "main"].merge(main, on=keys, suffixes=("", "_main"))
    text.number("sensitivity.analyses", others["analysis"].nunique())
    text.number("sensitivity.coefficients", len(others))
    text.number(
        "sensitivity.agreeing", others["value_main"].between(others["low"], others["high"]).sum()
    )

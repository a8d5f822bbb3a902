"""Muscle size by body size: allometric exponents, and effects beyond size.

An index by height² presumes that muscle grows with the square of height. Here the exponent is
estimated, and the effects of sex, age and BMI are given without allowance for size, with height²,
and with the estimated exponent.
"""

import numpy as np
import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.methods.linear import fit
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.models import model_data
from muscle_study.statistics.study.study import Study

#: Covariates, and the step that an effect is printed for.
STEPS = {"age_years": 10, "bmi_kg_m2": 5, "male": 1}

#: Allowances for size without an estimate: printed name, and presumed exponent of height.
RATIOS = {"none": ("none", 0), "height2": ("height², presumed", 2)}

#: Sizes with an estimated exponent: printed name, and covariates.
ESTIMATED = {
    "height": ("height, estimated", ["log_height", *STEPS]),
    "weight": ("weight, estimated", ["log_weight", "age_years", "male"]),
}

COLUMNS = ["value", "low", "high"]


def body_size(study: Study) -> Result:
    """Relate muscle size to body size, one row per adjustment for size."""
    table = allometry(study)
    names = {size: word for size, (word, _) in (RATIOS | ESTIMATED).items()}
    heads = {
        "exponent": "Exponent (CI)",
        "male": "Men − women, % (CI)",
        "age_years": "Per 10 years, % (CI)",
        "bmi_kg_m2": "Per 5 kg/m², % (CI)",
    }
    text = []
    both = table[table["sex"] == "both"]
    for (outcome, size), rows in both.groupby(["outcome", "size"], sort=False):
        found = rows.set_index("term")
        cells = {"Outcome": SHORT_NAMES[outcome], "Allowance for size": names[size]}
        for term, head in heads.items():
            cells[head] = ""
            if term in found.index:
                digits = 2 if term == "exponent" else 1
                cells[head] = estimate(*found.loc[term, COLUMNS], digits)
        if not cells["Exponent (CI)"]:
            cells["Exponent (CI)"] = str(RATIOS[size][1])
        text.append(cells)
    percent = format_number(100 * study.parameters.confidence)
    by_sex = "; ".join(
        f"{SHORT_NAMES[row['outcome']].split(' (')[0]}, {SEXES[row['sex']].lower()}: "
        + estimate(row["value"], row["low"], row["high"], 2)
        for row in table[table["sex"] != "both"].to_dict("records")
    )
    caption = (
        f"Muscle size and body size ({study.sizes}): linear regression of the outcome's logarithm "
        "on age, sex and BMI, with nothing for size, divided by height², or with the logarithm of "
        "height or of weight as a covariate (weight in the place of BMI). Effects are percentages "
        f"of the outcome, with {percent} % confidence intervals (CI) from HC3 errors. Exponents of "
        f"height in each sex: {by_sex}. CSA: total {study.psoas} cross-sectional area. "
        f"{MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Result("body_size", Table(table, text, caption), numbers=_numbers(table))


def allometry(study: Study) -> pd.DataFrame:
    """Regress the logarithm of both outcomes on age, BMI, sex and body size, with HC3 errors.

    With weight in the model BMI is left out: weight, at a given height, is BMI.

    Returns
    -------
    pandas.DataFrame
        ``outcome``; ``size``: `RATIOS` or `ESTIMATED`; ``sex``: ``both``, or one sex for its
        exponent of height; ``term``: ``exponent``, or an effect in percent per 10 years
        (``age_years``), per 5 kg/m² (``bmi_kg_m2``) or between men and women (``male``); ``value``
        with its interval, NaN where it cannot be estimated.
    """
    rows = []
    confidence = study.parameters.confidence
    for name, outcome in OUTCOMES.items():
        data = _logarithms(model_data(study, outcome, "both"))
        for size, (_, exponent) in RATIOS.items():
            fitted = None
            if data is not None:
                ratio = data.assign(outcome=data["outcome"] - exponent * data["log_height"])
                fitted = fit(ratio, "outcome", list(STEPS), confidence)
            rows += _rows(fitted, name, size, "both", list(STEPS))
        for size, (_, covariates) in ESTIMATED.items():
            fitted = None if data is None else fit(data, "outcome", covariates, confidence)
            rows += _rows(fitted, name, size, "both", covariates)
        for sex in SEXES:
            data = _logarithms(model_data(study, outcome, sex))
            covariates = ["log_height", "age_years", "bmi_kg_m2"]
            fitted = None if data is None else fit(data, "outcome", covariates, confidence)
            rows += _rows(fitted, name, "height", sex, covariates)[:1]
    return pd.DataFrame(rows)


def _logarithms(data: pd.DataFrame | None) -> pd.DataFrame | None:
    """Take logarithms; missing for a muscle that was not found (size 0)."""
    if data is None:
        return None
    return data.assign(
        outcome=np.log(data["outcome"].where(data["outcome"] > 0)),
        log_height=np.log(data["height_cm"] / 100),
        log_weight=np.log(data["weight_kg"]),
    )


def _rows(fitted, outcome: str, size: str, sex: str, covariates: list[str]) -> list[dict]:
    rows = []
    for i, covariate in enumerate(covariates):
        values = np.full(3, np.nan)
        exponent = covariate.startswith("log_")
        if fitted is not None:
            values = fitted.terms.loc[i, ["coefficient", "low", "high"]].to_numpy(float)
            if not exponent:
                values = 100 * np.expm1(values * STEPS[covariate])
        rows.append(
            {
                "outcome": outcome,
                "size": size,
                "sex": sex,
                "term": "exponent" if exponent else covariate,
                **dict(zip(COLUMNS, values, strict=True)),
            }
        )
    return rows


def _numbers(table: pd.DataFrame) -> Numbers:
    """Return the exponents, and the sex difference with and without adjustment for size."""
    numbers = Numbers()
    found = table[table["sex"] == "both"].set_index(["outcome", "size", "term"])
    for name in OUTCOMES:
        for size in ("height", "weight"):
            row, key = found.loc[(name, size, "exponent")], f"allometry.{name}.{size}_exponent"
            numbers.number(key, row["value"], 2)
            numbers.limits(f"{key}_ci", row["low"], row["high"], 2)
        for size in ("none", "height"):
            row = found.loc[(name, size, "male")]
            numbers.number(f"allometry.{name}.sex_percent_{size}", row["value"], 0, "%")
    return numbers

"""True coefficients and correlations of the population."""

from collections.abc import Collection
from itertools import combinations

import numpy as np
import pandas as pd

from muscle_study.cohort.population.calibration import fat_model, muscle_model
from muscle_study.cohort.population.coefficients import (
    CENTRES,
    FATS,
    MUSCLES,
    RESIDUAL_CORRELATION,
    RESIDUALS,
    SEXES,
    SHARE_RIGHT_DOMINANT,
    SMOKING,
)
from muscle_study.cohort.population.demographics import grid, level_probabilities, sex_share

#: Terms of the regressions and their columns.
REGRESSION_TERMS = {"age": "age_years", "bmi": "bmi_kg_m2", "sex": "male"}

#: Body sizes correlated with gluteus volume.
SIZES = ("weight_kg", "height_cm", "bmi_kg_m2")


def coefficient_table() -> pd.DataFrame:
    """Return the population's true coefficients, for ``truth/coefficients.csv``.

    They are exact for true measures; measurement error increases the outcome's SD and so attenuates
    standardised coefficients and correlations.

    Returns
    -------
    pandas.DataFrame
        ``kind``: `model` (coefficients of the model that generates the measures), `regression`
        (coefficients of a regression on age, BMI and sex), `standardised` (the same per SD, or per
        sex difference), `r2` of that regression, `correlation` (Pearson's r) and
        `residual_correlation` (the term is the other outcome).
        ``outcome``: ``csa`` in cm² and ``gluteus`` in mL, left + right; ``psoas_fat`` and
        ``gluteus_fat``, logits of the fractions.
        ``sex``: ``male``, ``female`` or ``both``; ``term``; ``value``.
    """
    rows = [*_model_rows(), *_regression_rows(), *_correlation_rows()]
    return pd.DataFrame(rows, columns=["kind", "outcome", "sex", "term", "value"])


def _model_rows() -> list[tuple]:
    rows = []
    for measure in MUSCLES:
        for sex in SEXES:
            model = muscle_model(measure, sex)
            values = {"intercept": model.intercept, **model.slopes}
            values["residual_sd"] = model.residual_sd
            rows += [("model", measure, sex, term, value) for term, value in values.items()]
    for muscle in FATS:
        model = fat_model(muscle)
        for term in ("intercept", "age_years", "bmi_kg_m2", "residual_sd"):
            rows.append(("model", f"{muscle}_fat", "both", term, getattr(model, term)))
    for first, second in combinations(range(len(RESIDUALS)), 2):
        value = RESIDUAL_CORRELATION[first][second]
        rows.append(("residual_correlation", RESIDUALS[first], "both", RESIDUALS[second], value))
    return rows


def population_grid(measure: str, sexes: tuple[str, ...] = SEXES) -> pd.DataFrame:
    """Return the quadrature grid of these sexes with a measure's conditional distribution.

    To the columns of `demographics.grid` it adds ``outcome`` (conditional mean) and
    ``residual_variance``; ``probability`` sums to 1 over all rows.
    """
    parts = [
        grid(sex).assign(
            probability=grid(sex)["probability"] * sex_share(sex),
            outcome=muscle_model(measure, sex).mean(grid(sex)),
            residual_variance=muscle_model(measure, sex).residual_sd ** 2,
        )
        for sex in sexes
    ]
    people = pd.concat(parts, ignore_index=True)
    return people.assign(probability=people["probability"] / people["probability"].sum())


def population_table(declared: Collection[str] = ()) -> pd.DataFrame:
    """Return the population by its covariates, for ``truth/population_grid.parquet``.

    Whatever regression a run declares has its true coefficients from this table.

    Parameters
    ----------
    declared
        Names of the run's covariates. ``dominant_side``, on which no total depends, has a column
        only if it is among them, since it doubles the rows.

    Returns
    -------
    pandas.DataFrame
        A row for each node of the quadrature grid and each level: ``sex``, ``age_years``,
        ``height_cm``, ``weight_kg``, ``bmi_kg_m2``, ``activity``, ``smoking``, ``centre``,
        ``probability``, and the means of ``csa`` (cm²) and ``gluteus`` (mL).
    """
    people = population_grid("csa").rename(columns={"outcome": "csa"})
    people["gluteus"] = population_grid("gluteus")["outcome"]
    male = people.pop("male").to_numpy()
    people = people.drop(columns="residual_variance")
    people.insert(0, "sex", np.where(male == 1, "male", "female"))
    smoking = level_probabilities(
        SMOKING, people["age_years"].to_numpy(), people["bmi_kg_m2"].to_numpy(), male
    )
    parts = [
        people.assign(
            smoking=level, centre=centre, probability=people["probability"] * smoking[:, i] * share
        )
        for i, level in enumerate(SMOKING)
        for centre, share in CENTRES.items()
    ]
    if "dominant_side" in declared:
        shares = {"right": SHARE_RIGHT_DOMINANT, "left": 1 - SHARE_RIGHT_DOMINANT}
        parts = [
            part.assign(dominant_side=side, probability=part["probability"] * share)
            for part in parts
            for side, share in shares.items()
        ]
    return pd.concat(parts, ignore_index=True)


def _covariance(people: pd.DataFrame, columns: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return means and covariances; the variance of ``outcome`` includes the residual's."""
    values = people[columns].to_numpy(float)
    probability = people["probability"].to_numpy()
    mean = probability @ values
    covariance = (values - mean).T @ ((values - mean) * probability[:, None])
    outcome = columns.index("outcome")
    covariance[outcome, outcome] += probability @ people["residual_variance"].to_numpy()
    return mean, covariance


def _regression_rows() -> list[tuple]:
    rows = []
    for measure in MUSCLES:
        for sex in ("both", *SEXES):
            people = population_grid(measure, SEXES if sex == "both" else (sex,))
            terms = ["age", "bmi", *(["sex"] if sex == "both" else [])]
            columns = [REGRESSION_TERMS[term] for term in terms]
            mean, covariance = _covariance(people, ["outcome", *columns])
            slopes = np.linalg.solve(covariance[1:, 1:], covariance[1:, 0])
            sd = np.sqrt(np.diag(covariance))
            # the difference between the sexes is standardised by the outcome's SD alone
            per = np.where([term == "sex" for term in terms], 1.0, sd[1:])
            rows += [
                ("regression", measure, sex, "intercept", mean[0] - slopes @ mean[1:]),
                *(("regression", measure, sex, *pair) for pair in zip(terms, slopes, strict=True)),
                *(
                    ("standardised", measure, sex, *pair)
                    for pair in zip(terms, slopes * per / sd[0], strict=True)
                ),
                ("r2", measure, sex, "r2", slopes @ covariance[1:, 0] / covariance[0, 0]),
            ]
    return rows


def _correlation_rows() -> list[tuple]:
    rows = []
    for size in SIZES:
        for sex in SEXES:
            _, covariance = _covariance(population_grid("gluteus", (sex,)), ["outcome", size])
            r = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
            rows.append(("correlation", "gluteus", sex, size, r))
    return rows

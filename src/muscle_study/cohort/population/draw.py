"""Random draw of the synthetic population: participants and their muscles."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import expit

from muscle_study.cohort.population.calibration import fat_model, muscle_model
from muscle_study.cohort.population.coefficients import (
    ACTIVITY,
    ASYMMETRY_MEAN,
    ASYMMETRY_SD,
    CENTRES,
    FATS,
    HEIGHT_SD_CM,
    PSOAS_VOLUME_RATIO,
    PSOAS_VOLUME_RATIO_SD,
    PSOAS_VOLUME_SIDE_CORRELATION,
    RESIDUAL_CORRELATION,
    RESIDUALS,
    SEXES,
    SHARE_RIGHT_DOMINANT,
    SIDE_LIMITS,
    SMOKING,
    LevelLogits,
)
from muscle_study.cohort.population.demographics import (
    age_distribution,
    bmi_curve,
    bmi_latent,
    level_probabilities,
    mean_height_cm,
    sex_share,
)
from muscle_study.protocol.muscles import SIDES

#: Measures of the model and the columns of their sides.
SIDE_COLUMNS = {"csa": "psoas_csa_{}_cm2", "gluteus": "gluteus_volume_{}_ml"}
PSOAS_VOLUME = "psoas_volume_{}_ml"


def draw_participants(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw participants independently: sex, age, body size, and nuisance covariates.

    Parameters
    ----------
    n
        Number of participants.
    rng
        Source of chance.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``sex``, ``age_years`` (full years), ``height_cm`` and ``weight_kg``
        (to 0.1), ``bmi_kg_m2`` (of these, to 0.01), ``centre`` (A–E), ``dominant_side`` (left,
        right), ``smoking`` (never, former, current), ``activity`` (low, moderate, high).
    """
    sex = np.where(rng.random(n) < sex_share("male"), "male", "female")
    ages, shares = age_distribution()
    age = rng.choice(ages, n, p=shares)
    tall, heavy = rng.standard_normal((2, n))
    height, bmi = np.empty(n), np.empty(n)
    for one in SEXES:
        is_sex = sex == one
        height[is_sex] = mean_height_cm(one, age[is_sex]) + HEIGHT_SD_CM[one] * tall[is_sex]
        bmi[is_sex] = bmi_curve(one)(bmi_latent(age[is_sex], heavy[is_sex]))
    height = height.round(1)
    weight = (bmi * (height / 100) ** 2).round(1)
    # to 0.01: at 0.1 the rounding would carry people over the limits of overweight and obesity
    bmi = (weight / (height / 100) ** 2).round(2)
    people = pd.DataFrame(
        {
            "participant_id": (100_000 + rng.permutation(n * 3)[:n]).astype(str),
            "sex": sex,
            "age_years": age.astype(int),
            "height_cm": height,
            "weight_kg": weight,
            "bmi_kg_m2": bmi,
        }
    )
    return people.assign(
        centre=rng.choice(list(CENTRES), n, p=list(CENTRES.values())),
        dominant_side=np.where(rng.random(n) < SHARE_RIGHT_DOMINANT, "right", "left"),
        smoking=_draw_level(SMOKING, people, rng),
        activity=_draw_level(ACTIVITY, people, rng),
    )


def _draw_level(
    levels: dict[str, LevelLogits], people: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    probabilities = level_probabilities(
        levels,
        people["age_years"].to_numpy(float),
        people["bmi_kg_m2"].to_numpy(),
        (people["sex"] == "male").to_numpy(float),
    )
    passed = rng.random((len(people), 1)) > probabilities.cumsum(axis=1)[:, :-1]
    return np.array(list(levels))[passed.sum(axis=1)]


def expected_sizes(participants: pd.DataFrame) -> pd.DataFrame:
    """Return conditional means of ``csa`` (cm²) and ``gluteus`` (mL), left + right."""
    sizes = {}
    for measure in SIDE_COLUMNS:
        sizes[measure] = np.empty(len(participants))
        for sex in SEXES:
            is_sex = (participants["sex"] == sex).to_numpy()
            sizes[measure][is_sex] = muscle_model(measure, sex).mean(participants[is_sex])
    return pd.DataFrame(sizes, index=participants.index)


def draw_muscles(participants: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw muscle sizes and fat given the covariates of `draw_participants`.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``; ``psoas_csa_{}_cm2``, ``gluteus_volume_{}_ml`` and
        ``psoas_volume_{}_ml`` for ``left``, ``right`` and ``total``; ``psoas_fat_fraction`` and
        ``gluteus_fat_fraction``, equal on both sides.
    """
    n = len(participants)
    chance = pd.DataFrame(
        _correlated_normals(RESIDUAL_CORRELATION, n, rng),
        columns=list(RESIDUALS),
        index=participants.index,
    )
    muscles = {"participant_id": participants["participant_id"]}
    expected = expected_sizes(participants)
    for measure, column in SIDE_COLUMNS.items():
        residual_sd = participants["sex"].map(
            {sex: muscle_model(measure, sex).residual_sd for sex in SEXES}
        )
        total = expected[measure] + residual_sd * chance[measure]
        muscles |= _sides(measure, column, total, participants["dominant_side"], rng)
    muscles |= _psoas_volume(muscles, participants["height_cm"], rng)
    for column in (*SIDE_COLUMNS.values(), PSOAS_VOLUME):
        muscles[column.format("total")] = sum(muscles[column.format(side)] for side in SIDES)
    for muscle in FATS:
        model = fat_model(muscle)
        logits = model.mean(participants) + model.residual_sd * chance[f"{muscle}_fat"]
        muscles[f"{muscle}_fat_fraction"] = expit(logits)
    return pd.DataFrame(muscles)


def _correlated_normals(correlation: Sequence, n: int, rng: np.random.Generator) -> np.ndarray:
    # reproducible: the Cholesky factor is unique, and einsum, unlike `@`, sums in an order
    # independent of the number of threads
    independent = rng.standard_normal((n, len(correlation)))
    return np.einsum("ij,kj->ik", independent, np.linalg.cholesky(correlation))


def _sides(
    measure: str, column: str, total: pd.Series, dominant: pd.Series, rng: np.random.Generator
) -> dict[str, pd.Series]:
    """Divide a total between the sides; the dominant side is larger on average."""
    larger = rng.normal(ASYMMETRY_MEAN, ASYMMETRY_SD, len(total))
    return {
        column.format(side): (
            total / 2 * (1 + np.where(dominant == side, larger, -larger) / 2)
        ).clip(*SIDE_LIMITS[measure])
        for side in SIDES
    }


def _psoas_volume(
    muscles: dict[str, pd.Series], height_cm: pd.Series, rng: np.random.Generator
) -> dict[str, pd.Series]:
    """Draw the psoas volume of each side, around a share of its CSA times height."""
    correlation = [[1, PSOAS_VOLUME_SIDE_CORRELATION], [PSOAS_VOLUME_SIDE_CORRELATION, 1]]
    scatter = _correlated_normals(correlation, len(height_cm), rng).T
    return {
        PSOAS_VOLUME.format(side): muscles[SIDE_COLUMNS["csa"].format(side)]
        * height_cm
        * PSOAS_VOLUME_RATIO
        * (1 + PSOAS_VOLUME_RATIO_SD * own)
        for side, own in zip(SIDES, scatter, strict=True)
    }

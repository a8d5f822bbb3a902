"""Intercepts and residual SDs of the muscle models, solved for the published figures."""

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.optimize import root
from scipy.special import expit, ndtr

from muscle_study.cohort.population.coefficients import (
    FAT_AGE_YEARS,
    FATS,
    MUSCLES,
    SEXES,
    SIDE_LIMITS,
    WASTING_AGE_YEARS,
    Sex,
)
from muscle_study.cohort.population.demographics import grid, normal_nodes, sex_share
from muscle_study.cohort.population.targets import target

#: Quadrature nodes for the residual of a fat fraction.
FAT_NODES = 20

#: Factor from the paper's unit to the tables': the paper prints volumes in litres.
PAPER_UNIT = {"csa": 1.0, "gluteus": 1000.0}


def terms(people: pd.DataFrame) -> pd.DataFrame:
    """Return the terms of the muscle model: one column per field of `MuscleSlopes`."""
    age = people["age_years"].astype(float)
    return pd.DataFrame(
        {
            "age_years": age,
            "years_after_45": (age - WASTING_AGE_YEARS).clip(lower=0),
            "height_cm": people["height_cm"],
            "bmi_kg_m2": people["bmi_kg_m2"],
            "activity_low": (people["activity"] == "low").astype(float),
            "activity_high": (people["activity"] == "high").astype(float),
        }
    )


@dataclass(frozen=True)
class MuscleModel:
    """Model of a muscle measure in one sex: intercept + slopes · `terms` + normal residual."""

    intercept: float
    slopes: dict[str, float]
    residual_sd: float

    def mean(self, people: pd.DataFrame) -> np.ndarray:
        """Return each person's conditional mean."""
        values = terms(people)[list(self.slopes)].to_numpy()
        # not `@`, whose order of summation depends on the number of threads
        return self.intercept + np.einsum("ij,j->i", values, list(self.slopes.values()))


@cache
def muscle_model(measure: str, sex: Sex) -> MuscleModel:
    """Solve the model of ``csa`` (cm²) or ``gluteus`` (mL) for the published mean and SD.

    Raises
    ------
    ValueError
        If the covariates explain more than the published SD.
    """
    mean, sd = (PAPER_UNIT[measure] * target(measure, what, sex) for what in ("mean", "sd"))
    slopes = asdict(MUSCLES[measure][sex])
    explained = MuscleModel(0.0, slopes, 0.0).mean(grid(sex))
    probability = grid(sex)["probability"].to_numpy()
    centre = (probability * explained).sum()
    rest = sd**2 - (probability * (explained - centre) ** 2).sum()
    if rest <= 0:
        raise ValueError(
            f"coefficients.MUSCLES[{measure!r}][{sex!r}] explain more than the published SD of "
            f"{sd:g}: make the slopes smaller"
        )
    return MuscleModel(mean - centre, slopes, float(np.sqrt(rest)))


@dataclass(frozen=True)
class FatModel:
    """Model of the logit of a fat fraction: linear in age and BMI, with normal residual."""

    intercept: float
    age_years: float
    bmi_kg_m2: float
    residual_sd: float

    def mean(self, people: pd.DataFrame) -> np.ndarray:
        """Return each person's conditional mean logit."""
        return (
            self.intercept
            + self.age_years * people["age_years"].to_numpy(float)
            + self.bmi_kg_m2 * people["bmi_kg_m2"].to_numpy(float)
        )


@cache
def fat_model(muscle: str) -> FatModel:
    """Solve intercept and slope on age for the published means of younger and older people."""
    slopes = FATS[muscle]
    people = pd.concat(
        [grid(sex).assign(probability=grid(sex)["probability"] * sex_share(sex)) for sex in SEXES]
    )
    young = (people["age_years"] < FAT_AGE_YEARS).to_numpy()
    probability = people["probability"].to_numpy()
    nodes, weights = normal_nodes(FAT_NODES)
    below = target(f"{muscle}_fat", f"mean_below_{FAT_AGE_YEARS}") / 100
    above = target(f"{muscle}_fat", f"mean_from_{FAT_AGE_YEARS}") / 100

    def model(solved: np.ndarray) -> FatModel:
        return FatModel(solved[0], solved[1], slopes.bmi_kg_m2, slopes.residual_sd)

    def excess(solved: np.ndarray) -> list[float]:
        logits = model(solved).mean(people)[:, None] + slopes.residual_sd * nodes
        fraction = np.einsum("ij,j->i", expit(logits), weights)
        return [
            np.average(fraction[group], weights=probability[group]) - wanted
            for group, wanted in ((young, below), (~young, above))
        ]

    return model(root(excess, [-4.0, 0.02]).x)


def share_beyond_limits(measure: str, sex: Sex) -> float:
    """Return the share of a sex for whom the mean of both sides exceeds `SIDE_LIMITS`."""
    model, people = muscle_model(measure, sex), grid(sex)
    low, high = (2 * limit for limit in SIDE_LIMITS[measure])
    mean = model.mean(people)
    beyond = ndtr((low - mean) / model.residual_sd) + ndtr((mean - high) / model.residual_sd)
    return float((people["probability"].to_numpy() * beyond).sum())

"""Distribution of sex, age, body size and activity, and a quadrature grid over it.

Expectations are taken on a grid of covariates (single years of age, Gauss–Hermite nodes for height
and BMI, levels of activity), so that the population, not a sample, has the published means and SDs.
The grid ignores the rounding of drawn heights and weights to 0.1, which adds less than 1e-4 of
their variances.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.special import expit, logit, ndtr, softmax

from muscle_study.cohort.population.coefficients import (
    ACTIVITY,
    BMI_AGE_CORRELATION,
    BMI_LIMITS_KG_M2,
    HEIGHT_SD_CM,
    LOGIT_CENTRE_AGE_YEARS,
    LOGIT_CENTRE_BMI_KG_M2,
    SHARE_YOUNG,
    YOUNG_AGE_YEARS,
    LevelLogits,
    Sex,
)
from muscle_study.cohort.population.targets import target

#: Numbers of quadrature nodes. Height enters as a polynomial of degree 4 at most (weight squared),
#: for which 5 nodes are exact; more than 40 nodes for BMI change no coefficient by 1e-8.
HEIGHT_NODES, BMI_NODES = 5, 40


def sex_share(sex: Sex) -> float:
    """Return the share of a sex in the population."""
    male = target("male", "share") / 100
    return male if sex == "male" else 1 - male


def normal_nodes(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return quadrature nodes and weights of a standard normal variable."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()


@cache
def age_distribution() -> tuple[np.ndarray, np.ndarray]:
    """Return ages in full years and their probabilities.

    The distribution function passes monotonically through the published quartiles, each at the
    middle of its year of age, so that the quartiles of a drawn cohort are these years.
    """
    minimum, q1, median, q3, maximum = (
        target("age", statistic) for statistic in ("minimum", "q1", "median", "q3", "maximum")
    )
    below = PchipInterpolator(
        [minimum, YOUNG_AGE_YEARS, q1 + 0.5, median + 0.5, q3 + 0.5, maximum + 1],
        [0, SHARE_YOUNG, 0.25, 0.5, 0.75, 1],
    )
    ages = np.arange(minimum, maximum + 1)
    return ages, below(ages + 1) - below(ages)


def standard_age(age_years: np.ndarray) -> np.ndarray:
    """Return ages as z-scores."""
    ages, shares = age_distribution()
    mean = shares @ ages
    return (age_years - mean) / np.sqrt(shares @ (ages - mean) ** 2)


def mean_height_cm(sex: Sex, age_years: np.ndarray) -> np.ndarray:
    """Return the mean height at an age, which falls linearly."""
    ages, shares = age_distribution()
    per_year = -target("height", "fall") / (ages[-1] - ages[0])
    return target("height", "mean", sex) + per_year * (age_years - shares @ ages)


def bmi_latent(age_years: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the normal variable behind BMI from age and a standard normal variable."""
    rest = np.sqrt(1 - BMI_AGE_CORRELATION**2)
    return BMI_AGE_CORRELATION * standard_age(age_years) + rest * chance


@dataclass(frozen=True)
class BmiCurve:
    """BMI as a rising function of a normal variable z: low + (high - low) · expit(cubic of z).

    This curve (Johnson's S_B with a third-order term for the tails) has the published shares of
    overweight and obesity and the SD, unlike a log-normal distribution; its mean agrees with the
    published one, which is printed in whole numbers.
    """

    location: float
    scale: float
    tail: float

    def __call__(self, z: np.ndarray) -> np.ndarray:
        """Return the BMI (kg/m²) at `z`."""
        low, high = BMI_LIMITS_KG_M2
        return low + (high - low) * expit(self.location + self.scale * z + self.tail * z**3)


def _latent_quantile(share_below: float) -> float:
    """Return the quantile of `bmi_latent` in the population."""
    ages, shares = age_distribution()
    rest = np.sqrt(1 - BMI_AGE_CORRELATION**2)
    age_part = BMI_AGE_CORRELATION * standard_age(ages)
    return brentq(lambda z: shares @ ndtr((z - age_part) / rest) - share_below, -6, 6)


@cache
def bmi_curve(sex: Sex) -> BmiCurve:
    """Solve the curve for the published shares of overweight and obesity and the SD."""
    obese = target("obese", "share", sex) / 100
    above = obese + target("overweight", "share", sex) / 100
    z = np.array([_latent_quantile(1 - above), _latent_quantile(1 - obese)])
    low, high = BMI_LIMITS_KG_M2
    at_limits = logit((np.array([25.0, 30.0]) - low) / (high - low))

    def curve(tail: float) -> BmiCurve:
        # the two shares determine location and scale
        height = at_limits - tail * z**3
        scale = np.diff(height)[0] / np.diff(z)[0]
        return BmiCurve(height[0] - scale * z[0], scale, tail)

    ages, shares = age_distribution()
    nodes, weights = normal_nodes(BMI_NODES)
    latent = bmi_latent(ages[:, None], nodes)

    def excess_sd(tail: float) -> float:
        bmi = curve(tail)(latent)
        mean = shares @ bmi @ weights
        return np.sqrt(shares @ (bmi - mean) ** 2 @ weights) - target("bmi", "sd", sex)

    return curve(brentq(excess_sd, 0.0, 0.1))


def level_probabilities(
    levels: dict[str, LevelLogits], age_years: np.ndarray, bmi_kg_m2: np.ndarray, male: np.ndarray
) -> np.ndarray:
    """Return the probability of each level, shape (people, levels)."""
    logits = [
        level.intercept
        + level.per_year * (age_years - LOGIT_CENTRE_AGE_YEARS)
        + level.per_bmi * (bmi_kg_m2 - LOGIT_CENTRE_BMI_KG_M2)
        + level.male * male
        for level in levels.values()
    ]
    return softmax(np.stack(logits, axis=-1), axis=-1)


@cache
def grid(sex: Sex) -> pd.DataFrame:
    """Return the quadrature grid of a sex: covariates, and ``probability``, which sums to 1."""
    ages, shares = age_distribution()
    heights, height_weights = normal_nodes(HEIGHT_NODES)
    chances, chance_weights = normal_nodes(BMI_NODES)
    age, tall, chance = (
        axis.ravel() for axis in np.meshgrid(ages, heights, chances, indexing="ij")
    )
    weight = np.einsum("i,j,k->ijk", shares, height_weights, chance_weights).ravel()
    height = mean_height_cm(sex, age) + HEIGHT_SD_CM[sex] * tall
    bmi = bmi_curve(sex)(bmi_latent(age, chance))
    people = pd.DataFrame(
        {
            "age_years": age,
            "height_cm": height,
            "weight_kg": bmi * (height / 100) ** 2,
            "bmi_kg_m2": bmi,
            "male": float(sex == "male"),
        }
    )
    active = level_probabilities(ACTIVITY, age, bmi, people["male"].to_numpy())
    return pd.concat(
        [
            people.assign(activity=level, probability=weight * active[:, column])
            for column, level in enumerate(ACTIVITY)
        ],
        ignore_index=True,
    )

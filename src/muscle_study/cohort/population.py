"""The population model: who the participants are, and how large their muscles truly are.

Every coefficient stands in this module, with its source or marked as our assumption.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

Sex = Literal["male", "female"]

#: Share of men and the age distribution (19–74 years, median 49, IQR 41–57) of the NAKO's MR
#: subgroup: Lancet Reg Health Eur 2025;54:101323.
SHARE_MALE = 0.557
AGE_RANGE_YEARS = (19.0, 74.99)
AGE_QUANTILES = ((0.0, 19.0), (0.07, 30.0), (0.25, 41.0), (0.5, 49.0), (0.75, 57.0), (1.0, 74.99))

#: Height falls by about 6 cm from the youngest birth cohort to the oldest, 55 years apart:
#: Fischer et al. 2020.
HEIGHT_SLOPE_CM_PER_YEAR = -6.0 / 55.0

AGE_CENTRE_YEARS = 49.0


@dataclass(frozen=True)
class SexModel:
    """Distribution of body size and muscle in one sex.

    Height (mean) and BMI (mean) follow Fischer et al. 2020, BMI's SD is derived from the same
    paper's shares of overweight and obesity; mean and SD of the two measures are those that
    Kiefer et al. 2026 publish. How a measure's variance divides between age, height, BMI and
    chance is our assumption, chosen so that V_gluteus correlates with weight at about 0.7 and
    peaks at 30–59 years, and CSA_psoas is highest below 30 years.
    """

    height_mean_cm: float
    height_sd_cm: float
    bmi_mean_kg_m2: float
    bmi_sd_kg_m2: float
    csa_mean_cm2: float
    csa_sd_cm2: float
    csa_per_year: float
    csa_per_bmi: float
    gluteus_mean_l: float
    gluteus_sd_l: float
    gluteus_per_year2: float
    gluteus_per_cm: float
    gluteus_per_bmi: float


MODELS: dict[Sex, SexModel] = {
    "male": SexModel(
        height_mean_cm=178.0,
        height_sd_cm=7.0,
        bmi_mean_kg_m2=27.0,
        bmi_sd_kg_m2=4.3,
        csa_mean_cm2=37.92,
        csa_sd_cm2=5.80,
        csa_per_year=-0.10,
        csa_per_bmi=0.45,
        gluteus_mean_l=3.384,
        gluteus_sd_l=0.528,
        gluteus_per_year2=-0.00025,
        gluteus_per_cm=0.030,
        gluteus_per_bmi=0.075,
    ),
    "female": SexModel(
        height_mean_cm=165.0,
        height_sd_cm=6.5,
        bmi_mean_kg_m2=26.0,
        bmi_sd_kg_m2=5.3,
        csa_mean_cm2=24.47,
        csa_sd_cm2=3.65,
        csa_per_year=-0.06,
        csa_per_bmi=0.22,
        gluteus_mean_l=2.386,
        gluteus_sd_l=0.408,
        gluteus_per_year2=-0.00020,
        gluteus_per_cm=0.022,
        gluteus_per_bmi=0.045,
    ),
}

#: V_gluteus is highest at this age (our assumption, inside the published 30–59 years).
GLUTEUS_PEAK_YEARS = 44.0

#: Mean and SD of the squared distance from the peak age in the age distribution above.
AGE_SD_YEARS = 12.2
PEAK_DISTANCE2_MEAN = AGE_SD_YEARS**2 + (AGE_CENTRE_YEARS - GLUTEUS_PEAK_YEARS) ** 2

#: The dominant side is larger by this share on average, with this SD (our assumption).
ASYMMETRY_MEAN = 0.01
ASYMMETRY_SD = 0.03
SHARE_RIGHT_DOMINANT = 0.9

#: Fat as a share of the muscle's signal: psoas about 4.5 % below 38 years and 6.9 % above,
#: gluteus maximus about 14–18 %, medius about 5 % (14 % in the old); the gluteus as a whole
#: lies between. Slopes per year and per kg/m2 are our assumption.
PSOAS_FAT = {"mean": 0.060, "per_year": 0.0009, "per_bmi": 0.0010, "sd": 0.010}
GLUTEUS_FAT = {"mean": 0.120, "per_year": 0.0016, "per_bmi": 0.0025, "sd": 0.020}
FAT_RANGE = (0.02, 0.40)


def draw_participants(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw sex, age and body size.

    Parameters
    ----------
    n
        Number of participants.
    rng
        Source of chance.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``sex``, ``age_years``, ``height_cm``, ``weight_kg``,
        ``bmi_kg_m2``, rounded as an export would have them.
    """
    sex = np.where(rng.random(n) < SHARE_MALE, "male", "female")
    shares, ages = np.array(AGE_QUANTILES).T
    age = np.floor(np.interp(rng.random(n), shares, ages))
    height, bmi = np.empty(n), np.empty(n)
    for name, model in MODELS.items():
        is_sex = sex == name
        height[is_sex] = (
            model.height_mean_cm
            + HEIGHT_SLOPE_CM_PER_YEAR * (age[is_sex] - AGE_CENTRE_YEARS)
            + rng.normal(0, model.height_sd_cm, is_sex.sum())
        )
        # a log-normal with the given mean and SD
        log_variance = np.log1p((model.bmi_sd_kg_m2 / model.bmi_mean_kg_m2) ** 2)
        bmi[is_sex] = np.exp(
            rng.normal(
                np.log(model.bmi_mean_kg_m2) - log_variance / 2,
                np.sqrt(log_variance),
                is_sex.sum(),
            )
        )
    height = height.clip(145, 205).round(1)
    weight = (bmi.clip(16.5, 48) * (height / 100) ** 2).round(1)
    return pd.DataFrame(
        {
            "participant_id": (100_000 + rng.permutation(n * 3)[:n]).astype(str),
            "sex": sex,
            "age_years": age.astype(int),
            "height_cm": height,
            "weight_kg": weight,
            "bmi_kg_m2": (weight / (height / 100) ** 2).round(1),
        }
    )


def residual_sd(total_sd: float, *explained_sds: float) -> float:
    """Return what chance must add for the total SD to come out.

    Raises
    ------
    ValueError
        If the covariates explain more than there is.
    """
    rest = total_sd**2 - sum(sd**2 for sd in explained_sds)
    if rest <= 0:
        raise ValueError(f"covariates explain more than the SD of {total_sd}")
    return float(np.sqrt(rest))


def draw_muscles(participants: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Draw each participant's muscle sizes and fat, given sex, age, height and BMI.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, ``psoas_csa_{left,right}_cm2``, ``gluteus_volume_{left,right}_ml``,
        ``psoas_fat_fraction``, ``gluteus_fat_fraction``.
    """
    n = len(participants)
    age = participants["age_years"].to_numpy(float)
    bmi = participants["bmi_kg_m2"].to_numpy(float)
    csa_cm2, gluteus_l = np.empty(n), np.empty(n)
    for name, model in MODELS.items():
        is_sex = (participants["sex"] == name).to_numpy()
        from_centre = age[is_sex] - AGE_CENTRE_YEARS
        from_peak2 = (age[is_sex] - GLUTEUS_PEAK_YEARS) ** 2 - PEAK_DISTANCE2_MEAN
        taller = participants["height_cm"].to_numpy(float)[is_sex] - model.height_mean_cm
        heavier = bmi[is_sex] - model.bmi_mean_kg_m2
        csa_cm2[is_sex] = (
            model.csa_mean_cm2
            + model.csa_per_year * from_centre
            + model.csa_per_bmi * heavier
            + rng.normal(0, _csa_residual_sd(model), is_sex.sum())
        )
        gluteus_l[is_sex] = (
            model.gluteus_mean_l
            + model.gluteus_per_year2 * from_peak2
            + model.gluteus_per_cm * taller
            + model.gluteus_per_bmi * heavier
            + rng.normal(0, _gluteus_residual_sd(model), is_sex.sum())
        )
    muscles = {"participant_id": participants["participant_id"]}
    for measure, total in (
        ("psoas_csa_{}_cm2", csa_cm2.clip(10, 70)),
        ("gluteus_volume_{}_ml", 1000 * gluteus_l.clip(1.0, 6.5)),
    ):
        right_larger = np.where(rng.random(n) < SHARE_RIGHT_DOMINANT, 1, -1)
        asymmetry = right_larger * rng.normal(ASYMMETRY_MEAN, ASYMMETRY_SD, n)
        muscles[measure.format("left")] = total / 2 * (1 - asymmetry / 2)
        muscles[measure.format("right")] = total / 2 * (1 + asymmetry / 2)
    for muscle, fat in (("psoas", PSOAS_FAT), ("gluteus", GLUTEUS_FAT)):
        muscles[f"{muscle}_fat_fraction"] = (
            fat["mean"]
            + fat["per_year"] * (age - AGE_CENTRE_YEARS)
            + fat["per_bmi"] * (bmi - 26.5)
            + rng.normal(0, fat["sd"], n)
        ).clip(*FAT_RANGE)
    return pd.DataFrame(muscles)


def _csa_residual_sd(model: SexModel) -> float:
    return residual_sd(
        model.csa_sd_cm2,
        model.csa_per_year * AGE_SD_YEARS,
        model.csa_per_bmi * model.bmi_sd_kg_m2,
    )


def _gluteus_residual_sd(model: SexModel) -> float:
    # the squared distance from the peak has an SD of about sqrt(2) times its age variance
    return residual_sd(
        model.gluteus_sd_l,
        model.gluteus_per_year2 * np.sqrt(2) * AGE_SD_YEARS**2,
        model.gluteus_per_cm * model.height_sd_cm,
        model.gluteus_per_bmi * model.bmi_sd_kg_m2,
    )

"""Coefficients of the population model, each with its source or marked as our assumption.

Published means, SDs and shares are in ``data/published`` (`targets`); `calibration` solves
intercepts and residual SDs from both. Slopes are per unit of the term's column. "Our assumption"
means that we know of no published figure.
"""

from dataclasses import dataclass
from typing import Literal

Sex = Literal["male", "female"]
SEXES: tuple[Sex, ...] = ("male", "female")

#: Share of participants younger than the given age: our assumption, as the NAKO invited a tenth of
#: its participants at 20–29 years. The quartiles are published.
YOUNG_AGE_YEARS, SHARE_YOUNG = 30, 0.09

#: SD of height at a given age (cm): our assumption, typical of adults in Germany.
HEIGHT_SD_CM: dict[Sex, float] = {"male": 7.0, "female": 6.5}

#: Open limits of the BMI: our assumption, the range that the anatomy supports. No value is clipped.
BMI_LIMITS_KG_M2 = (16.5, 48.0)

#: Correlation of age with the normal variable behind BMI: our assumption, by which BMI rises by
#: about 0.07 kg/m² per year.
BMI_AGE_CORRELATION = 0.20

#: Age at which muscle loss begins: about 0.5 % a year in the fat-free thigh (Anderson et al.,
#: GeroScience 2025;47:1175-1185, in participants from 45 on; the onset at 45 is our assumption).
WASTING_AGE_YEARS = 45


@dataclass(frozen=True)
class MuscleSlopes:
    """Slopes of a muscle's total size (left + right) in one sex; the fields are the model's terms.

    The slope after `WASTING_AGE_YEARS`, ``age_years`` + ``years_after_45``, is 0.3–0.5 % of the
    mean per year, guided by Anderson et al. The division of the remaining variance between height,
    BMI, activity (relative to moderate) and residual is our assumption, chosen to reproduce the
    findings of the paper's abstract: CSA is highest below 30 years, V_gluteus at 30–59, both are
    higher above 25 kg/m², and V_gluteus correlates strongly (r 0.6–0.8) with weight.
    """

    age_years: float
    years_after_45: float
    height_cm: float
    bmi_kg_m2: float
    activity_low: float
    activity_high: float


#: Slopes by measure and sex: psoas CSA in cm², gluteus volume in mL.
MUSCLES: dict[str, dict[Sex, MuscleSlopes]] = {
    "csa": {
        "male": MuscleSlopes(-0.060, -0.120, 0.120, 0.400, -0.80, 0.80),
        "female": MuscleSlopes(-0.040, -0.075, 0.080, 0.200, -0.50, 0.50),
    },
    "gluteus": {
        "male": MuscleSlopes(6.0, -20.0, 30.0, 78.0, -60.0, 60.0),
        "female": MuscleSlopes(5.0, -15.0, 21.0, 50.0, -40.0, 40.0),
    },
}

#: Sizes of a side that the anatomy supports. Sizes beyond are set to the limit: about 1 woman in
#: 10,000 for V_gluteus, fewer otherwise (see `calibration.share_beyond_limits`), which changes no
#: mean or SD by 0.01 %.
SIDE_LIMITS = {"csa": (5.0, 35.0), "gluteus": (500.0, 3300.0)}


@dataclass(frozen=True)
class FatSlopes:
    """Slope on BMI and residual SD of a fat fraction's logit, in both sexes: our assumptions.

    `calibration` solves intercept and slope on age for the published means.
    """

    bmi_kg_m2: float
    residual_sd: float


#: Age at which the published fat fractions divide younger from older participants.
FAT_AGE_YEARS = 38
FATS = {"psoas": FatSlopes(0.018, 0.20), "gluteus": FatSlopes(0.024, 0.20)}

#: Correlations of the residuals of CSA, V_gluteus and the logits of the fat fractions: our
#: assumption.
RESIDUALS = ("csa", "gluteus", "psoas_fat", "gluteus_fat")
RESIDUAL_CORRELATION = (
    (1.00, 0.45, -0.15, -0.10),
    (0.45, 1.00, -0.10, -0.15),
    (-0.15, -0.10, 1.00, 0.50),
    (-0.10, -0.15, 0.50, 1.00),
)

#: Psoas volume of a side / (maximum CSA · height), for a length of about 0.2 of height and a mean
#: section of about half the largest: mean, SD relative to the mean, and correlation between a
#: person's sides (our assumptions).
PSOAS_VOLUME_RATIO = 0.10
PSOAS_VOLUME_RATIO_SD = 0.04
PSOAS_VOLUME_SIDE_CORRELATION = 0.8

#: Share of right-dominant people; mean and SD of the dominant side's excess relative to the mean of
#: both sides (our assumptions).
SHARE_RIGHT_DOMINANT = 0.9
ASYMMETRY_MEAN, ASYMMETRY_SD = 0.01, 0.03

#: Shares of the five imaging centres, which do not differ otherwise (our assumption).
CENTRES = {"A": 0.22, "B": 0.21, "C": 0.20, "D": 0.19, "E": 0.18}


@dataclass(frozen=True)
class LevelLogits:
    """Log odds of a level relative to the reference level: our assumptions.

    ``intercept`` applies to women of 49 years and 26.5 kg/m²; the other fields are differences per
    year, per kg/m² and for men.
    """

    intercept: float
    per_year: float
    per_bmi: float
    male: float


LOGIT_CENTRE_AGE_YEARS, LOGIT_CENTRE_BMI_KG_M2 = 49.0, 26.5

#: Smoking has no effect on muscles. The reference level has zeros.
SMOKING = {
    "never": LevelLogits(0.0, 0.0, 0.0, 0.0),
    "former": LevelLogits(-0.45, 0.020, 0.02, 0.30),
    "current": LevelLogits(-0.70, -0.015, 0.00, 0.25),
}

#: Activity has a small effect on muscles (`MuscleSlopes`) and falls with age and BMI, so that
#: regression coefficients unadjusted for it differ from the model's slopes.
ACTIVITY = {
    "low": LevelLogits(-0.70, 0.010, 0.06, -0.05),
    "moderate": LevelLogits(0.0, 0.0, 0.0, 0.0),
    "high": LevelLogits(-0.40, -0.015, -0.06, 0.20),
}

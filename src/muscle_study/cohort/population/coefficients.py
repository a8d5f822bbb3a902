"""Every coefficient of the population model, with its source or marked as our assumption.

Published means, SDs and shares are not here but in ``data/published`` (`targets`); what follows
from both, intercepts and residual SDs, is solved by `calibration`. Slopes are per unit of the
term's column; "our assumption" means that the literature at hand gives no figure.
"""

from dataclasses import dataclass
from typing import Literal

Sex = Literal["male", "female"]
SEXES: tuple[Sex, ...] = ("male", "female")

#: Share of participants younger than the given age; the quartiles are published, this is our
#: assumption: the NAKO invited a tenth of its participants at 20–29 years.
YOUNG_AGE_YEARS, SHARE_YOUNG = 30, 0.09

#: SD of height at a given age (cm): our assumption, usual for adults in Germany.
HEIGHT_SD_CM: dict[Sex, float] = {"male": 7.0, "female": 6.5}

#: Limits that the BMI approaches and never reaches: our assumption, the range of bodies that the
#: anatomy can draw. No value is clipped.
BMI_LIMITS_KG_M2 = (16.5, 48.0)

#: Correlation of BMI with age, on the scale on which BMI is normal: our assumption; BMI rises
#: gently, by about 0.07 kg/m² a year.
BMI_AGE_CORRELATION = 0.20

#: From this age on muscle wastes: about 0.5 % a year in the fat-free thigh (Anderson et al.,
#: GeroScience 2025;47:1175-1185, whose youngest are 45; that it begins there is our assumption).
WASTING_AGE_YEARS = 45


@dataclass(frozen=True)
class MuscleSlopes:
    """Slopes of a muscle's total size (left + right) in one sex; fields are the model's terms.

    The slopes after `WASTING_AGE_YEARS`, the sum of the first two, are 0.3–0.5 % of the mean a
    year, guided by Anderson et al. How the rest of the variance divides between height, BMI,
    activity and chance is our assumption, chosen so that what the paper's abstract says holds:
    CSA is highest below 30 years, V_gluteus at 30–59, both are higher above 25 kg/m², and
    V_gluteus correlates strongly (r 0.6–0.8) with weight.

    Parameters
    ----------
    age_years
        Per year of age, up to `WASTING_AGE_YEARS`.
    years_after_45
        What is added to the slope after it.
    height_cm, bmi_kg_m2
        Per cm and per kg/m².
    activity_low, activity_high
        Against moderate activity.
    """

    age_years: float
    years_after_45: float
    height_cm: float
    bmi_kg_m2: float
    activity_low: float
    activity_high: float


#: By measure and sex: psoas CSA in cm², gluteus volume in mL.
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

#: Sizes that the anatomy can draw, per side. A drawn size beyond is set to the limit: about
#: 1 woman in 10,000 for V_gluteus, fewer otherwise (see `calibration.share_beyond_limits`); that
#: moves no mean or SD by 0.01 %.
SIDE_LIMITS = {"csa": (5.0, 35.0), "gluteus": (500.0, 3300.0)}


@dataclass(frozen=True)
class FatSlopes:
    """Model of a muscle's fat fraction on the logit scale, the same in both sexes.

    Intercept and slope on age are solved so that the means below and from `FAT_AGE_YEARS` are
    those of ``data/published``.

    Parameters
    ----------
    bmi_kg_m2
        Logit per kg/m²: our assumption.
    residual_sd
        SD of the logit between people alike in age and BMI: our assumption.
    """

    bmi_kg_m2: float
    residual_sd: float


#: Age at which the literature divides younger from older participants.
FAT_AGE_YEARS = 38
FATS = {"psoas": FatSlopes(0.018, 0.20), "gluteus": FatSlopes(0.024, 0.20)}

#: Correlations of what chance adds to CSA, V_gluteus and the two logit fat fractions: our
#: assumption. Large muscles go together; so do fatty ones.
RESIDUALS = ("csa", "gluteus", "psoas_fat", "gluteus_fat")
RESIDUAL_CORRELATION = (
    (1.00, 0.45, -0.15, -0.10),
    (0.45, 1.00, -0.10, -0.15),
    (-0.15, -0.10, 1.00, 0.50),
    (-0.10, -0.15, 0.50, 1.00),
)

#: Psoas volume of a side / (its maximum CSA · height): a muscle about 0.2 of height long with a
#: mean section of about half its largest. Mean, SD between sides of different people as a share
#: of it, and the correlation of a person's sides: our assumption.
PSOAS_VOLUME_RATIO = 0.10
PSOAS_VOLUME_RATIO_SD = 0.04
PSOAS_VOLUME_SIDE_CORRELATION = 0.8

#: The dominant side is larger, by this share of the sides' mean, with this SD: our assumption.
SHARE_RIGHT_DOMINANT = 0.9
ASYMMETRY_MEAN, ASYMMETRY_SD = 0.01, 0.03

#: Shares of the five imaging centres: our assumption. Centres do not differ in anything.
CENTRES = {"A": 0.22, "B": 0.21, "C": 0.20, "D": 0.19, "E": 0.18}


@dataclass(frozen=True)
class LevelLogits:
    """Log odds of a level against the reference level: our assumption throughout.

    Parameters
    ----------
    intercept
        Of a woman of 49 years and 26.5 kg/m².
    per_year, per_bmi, male
        What age, BMI and being a man add.
    """

    intercept: float
    per_year: float
    per_bmi: float
    male: float


LOGIT_CENTRE_AGE_YEARS, LOGIT_CENTRE_BMI_KG_M2 = 49.0, 26.5

#: Smoking affects no muscle here: a nuisance. All zeros: the reference level.
SMOKING = {
    "never": LevelLogits(0.0, 0.0, 0.0, 0.0),
    "former": LevelLogits(-0.45, 0.020, 0.02, 0.30),
    "current": LevelLogits(-0.70, -0.015, 0.00, 0.25),
}

#: Activity has a small effect on the muscles (`MuscleSlopes`), and the report's regressions do
#: not know it: it falls with age and BMI, so that their coefficients differ from the model's.
ACTIVITY = {
    "low": LevelLogits(-0.70, 0.010, 0.06, -0.05),
    "moderate": LevelLogits(0.0, 0.0, 0.0, 0.0),
    "high": LevelLogits(-0.40, -0.015, -0.06, 0.20),
}

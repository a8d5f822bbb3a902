"""Fat depots and frame of a body, drawn given sex, age, height and BMI."""

from dataclasses import dataclass

import numpy as np

REFERENCE_HEIGHT_CM = 175.0

#: SD of the logarithm of a fat depot's thickness given sex, age and BMI.
DEPOT_SD = 0.12
#: SD of bone breadths given height, relative.
FRAME_SD = 0.025


@dataclass(frozen=True)
class Habitus:
    """Dimensions from which the shapes are built; the figures behind them are our assumptions.

    Parameters
    ----------
    scale
        Height relative to 175 cm.
    frame, hip
        Breadth of the bones and of the pelvis, relative to `scale`.
    subcutaneous_mm, hip_fat_mm, intermuscular_mm
        Thickness of the fat under the skin of the abdomen, over the hips and between muscles.
    visceral_mm
        Increase of the abdomen's half-depth by visceral fat.
    """

    male: bool
    scale: float
    frame: float
    hip: float
    subcutaneous_mm: float
    visceral_mm: float
    hip_fat_mm: float
    intermuscular_mm: float


def habitus(
    sex: str, age_years: float, height_cm: float, bmi_kg_m2: float, rng: np.random.Generator
) -> Habitus:
    """Draw a habitus: women carry more subcutaneous and hip fat, men more visceral fat."""
    above = bmi_kg_m2 - 20
    male = sex == "male"
    frame = 1 + FRAME_SD * rng.standard_normal()
    under_skin, inside, on_hips = np.exp(DEPOT_SD * rng.standard_normal(3))
    return Habitus(
        male=male,
        scale=height_cm / REFERENCE_HEIGHT_CM,
        frame=frame,
        hip=frame * (1.0 if male else 1.06),
        subcutaneous_mm=float(np.clip(7 + (1.3 if male else 1.7) * above, 5, 50) * under_skin),
        visceral_mm=float(
            np.clip((2.2 if male else 1.2) * above + 0.25 * (age_years - 45), 0, 55) * inside
        ),
        hip_fat_mm=float(
            np.clip((9 if male else 17) + (1.1 if male else 1.7) * above, 6, 55) * on_hips
        ),
        intermuscular_mm=float(np.clip(1.2 + 0.05 * above + 0.02 * (age_years - 45), 0.8, 4)),
    )

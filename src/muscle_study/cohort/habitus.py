"""How a body's fat and frame follow from sex, age, height and BMI."""

from dataclasses import dataclass

import numpy as np

REFERENCE_HEIGHT_CM = 175.0


@dataclass(frozen=True)
class Habitus:
    """Measures of the body that the shapes follow.

    Parameters
    ----------
    scale
        Height over 175 cm.
    hip
        Breadth of the pelvis, relative.
    subcutaneous_mm, visceral_mm
        Thickness of the fat under the skin; what visceral fat adds to the belly's half-depth.
    hip_fat_mm
        Thickness of the fat over hips and thighs.
    """

    scale: float
    hip: float
    subcutaneous_mm: float
    visceral_mm: float
    hip_fat_mm: float


def habitus(sex: str, age_years: float, height_cm: float, bmi_kg_m2: float) -> Habitus:
    """Derive the habitus: women carry fat under the skin and on the hips, men inside the belly."""
    above = bmi_kg_m2 - 20
    male = sex == "male"
    return Habitus(
        scale=height_cm / REFERENCE_HEIGHT_CM,
        hip=1.0 if male else 1.06,
        subcutaneous_mm=float(np.clip(7 + (1.3 if male else 1.7) * above, 5, 50)),
        visceral_mm=float(np.clip((2.2 if male else 1.2) * above + 0.25 * (age_years - 45), 0, 55)),
        hip_fat_mm=float(np.clip((9 if male else 17) + (1.1 if male else 1.7) * above, 6, 55)),
    )

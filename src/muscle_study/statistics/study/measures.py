"""Measures of the statistics, with their printed names and digits."""

from dataclasses import dataclass

import pandas as pd

#: Printed names of the sexes.
SEXES = {"male": "Men", "female": "Women"}

#: The same, with the name of pooled models.
AMONG = {"both": "All", **SEXES}


@dataclass(frozen=True)
class Measure:
    """A column of the analysis table in print.

    Parameters
    ----------
    column
        Name in the table.
    name
        Printed name; ``{psoas}`` stands for the muscle under the run's psoas label.
    unit
        Printed unit.
    digits
        Decimals of the mean.
    factor
        Printed value / value in the table.
    """

    column: str
    name: str
    unit: str
    digits: int
    factor: float = 1.0

    def values(self, people: pd.DataFrame) -> pd.Series:
        """Return the measure in its printed unit."""
        return people[self.column] * self.factor

    def title(self, psoas: str) -> str:
        """Return name and unit, e.g. ``Psoas major CSA, total (cm²)``."""
        name = self.name.format(psoas=psoas)
        return f"{name[0].upper()}{name[1:]} ({self.unit})"


CSA = Measure("psoas_csa_total_cm2", "{psoas} CSA, total", "cm²", 2)
GLUTEUS = Measure("gluteus_volume_total_ml", "gluteus volume, total", "mL", 0)
PSOAS_FAT = Measure("psoas_fat_fraction_total", "{psoas} fat fraction", "%", 1, 100)
GLUTEUS_FAT = Measure("gluteus_fat_fraction_total", "gluteus fat fraction", "%", 1, 100)
CSA_INDEX = Measure("psoas_csa_index_cm2_m2", "{psoas} CSA / height²", "cm²/m²", 2)
GLUTEUS_INDEX = Measure("gluteus_volume_index_ml_m2", "gluteus volume / height²", "mL/m²", 0)

#: The paper's two outcomes, by their names in the numbers of the text.
OUTCOMES = {"csa": CSA, "gluteus": GLUTEUS}

#: Short names of the outcomes for wide tables, explained in the caption.
SHORT_NAMES = {"csa": "CSA (cm²)", "gluteus": "Gluteus volume (mL)"}

#: The outcomes in the units of the paper, text and figures: volumes in litres.
PAPER_OUTCOMES = {"csa": CSA, "gluteus": Measure(GLUTEUS.column, GLUTEUS.name, "L", 3, 0.001)}

#: Rows of the table of measures by sex.
MEASURES = (
    Measure("psoas_csa_left_cm2", "{psoas} CSA, left", "cm²", 2),
    Measure("psoas_csa_right_cm2", "{psoas} CSA, right", "cm²", 2),
    CSA,
    CSA_INDEX,
    Measure("psoas_csa_asymmetry_percent", "{psoas} CSA asymmetry", "%", 1),
    Measure("psoas_volume_total_ml", "{psoas} volume, total", "mL", 0),
    Measure("psoas_volume_index_ml_m2", "{psoas} volume / height²", "mL/m²", 1),
    PSOAS_FAT,
    Measure("gluteus_volume_left_ml", "gluteus volume, left", "mL", 0),
    Measure("gluteus_volume_right_ml", "gluteus volume, right", "mL", 0),
    GLUTEUS,
    GLUTEUS_INDEX,
    Measure("gluteus_volume_asymmetry_percent", "gluteus volume asymmetry", "%", 1),
    GLUTEUS_FAT,
)

#: Columns of the tables by age and by BMI group.
GROUPED_MEASURES = (CSA, GLUTEUS, CSA_INDEX, GLUTEUS_INDEX, PSOAS_FAT, GLUTEUS_FAT)

#: Columns of the tables of sides by age and by BMI group.
SIDES = tuple(
    measure
    for measure in MEASURES
    if measure.column.startswith(("psoas_csa", "gluteus_volume"))
    and ("_left_" in measure.column or "_right_" in measure.column)
)

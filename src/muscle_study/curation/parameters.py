"""Parameters of curation."""

from typing import Literal

from pydantic import Field, model_validator

from muscle_study.sections import Section


class CurationParameters(Section):
    """Where the export lies, what is plausible, and how participants are split."""

    layout: Literal["cohort", "totalsegmentator"] = Field(description="form of the export")
    source: str | None = Field(description="folder of the export; null: the run's own data/<run>/raw")
    contrasts: list[str] = Field(min_length=1, description="images that a participant must have")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="curated voxel edges")
    age_range_years: list[float] = Field(min_length=2, max_length=2)
    height_range_cm: list[float] = Field(min_length=2, max_length=2)
    weight_range_kg: list[float] = Field(min_length=2, max_length=2)
    bmi_tolerance_kg_m2: float = Field(gt=0, description="stated BMI against height and weight")
    validation_fraction: float = Field(gt=0, lt=1, description="of the annotated participants")
    test_fraction: float = Field(gt=0, lt=1, description="of the annotated participants")
    seed: int

    @model_validator(mode="after")
    def _leave_some_for_training(self):
        if self.validation_fraction + self.test_fraction >= 1:
            raise ValueError("validation_fraction + test_fraction must leave some for training")
        return self

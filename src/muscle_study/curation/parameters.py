"""Parameters of curation."""

from typing import Literal, Self

from pydantic import Field, model_validator

from muscle_study.sections import Section


class CurationParameters(Section):
    """Where the export lies, what is plausible, and how participants are split."""

    layout: Literal["cohort", "totalsegmentator"] = Field(description="form of the export")
    source: str | None = Field(description="the export's folder; null: the run's data/<run>/raw")
    contrasts: list[str] = Field(min_length=1, description="images that a participant must have")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="curated voxel edges")
    min_extent_mm: list[float] = Field(
        min_length=3, max_length=3, description="smallest field of view that holds the muscles"
    )
    age_range_years: list[float] = Field(min_length=2, max_length=2)
    height_range_cm: list[float] = Field(min_length=2, max_length=2)
    weight_range_kg: list[float] = Field(min_length=2, max_length=2)
    bmi_tolerance_kg_m2: float = Field(gt=0, description="stated BMI against height and weight")
    validation_fraction: float = Field(ge=0, le=1, description="of the annotated participants")
    test_fraction: float = Field(gt=0, le=1, description="of the annotated participants")
    seed: int
    min_cell_count: int = Field(ge=1, description="smaller counts are not shown in the notebook")

    @model_validator(mode="after")
    def _divide_no_more_than_all(self) -> Self:
        if self.validation_fraction + self.test_fraction > 1:
            raise ValueError("validation_fraction + test_fraction is more than 1")
        return self

    @model_validator(mode="after")
    def _refuse_impossible_values(self) -> Self:
        if min(self.spacing_mm) <= 0:
            raise ValueError("spacing_mm must be positive")
        for name in ("age_range_years", "height_range_cm", "weight_range_kg"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name} must be [lowest, highest], but is [{low:g}, {high:g}]")
        return self

    @model_validator(mode="after")
    def _suit_the_layout(self) -> Self:
        if self.layout == "totalsegmentator" and self.contrasts != ["image"]:
            raise ValueError("layout totalsegmentator has one contrast: contrasts must be [image]")
        if self.layout == "totalsegmentator" and self.source is None:
            raise ValueError(
                "layout totalsegmentator needs source, the data set's folder: set it in the "
                'parameter file or by SET="curation.source=/path/to/dataset"'
            )
        return self

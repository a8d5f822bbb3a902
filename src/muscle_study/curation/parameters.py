"""Parameters of curation."""

from typing import Literal, Self

from pydantic import Field, model_validator

from muscle_study.curation.checks.quality_parameters import QualityParameters
from muscle_study.curation.sources.tables import TRAITS
from muscle_study.protocol.sections import Section


class CurationParameters(Section):
    """Where the export lies, what is plausible, and how participants are split."""

    layout: Literal["cohort", "nako", "dicom", "bids", "totalsegmentator"] = Field(
        description="form of the export"
    )
    source: str | None = Field(description="the export's folder; null: the run's data/<run>/raw")
    columns: dict[str, str] = Field(description="names of the table's columns that differ")
    withdrawn: str | None = Field(description="list of identifiers whose consent is withdrawn")
    pseudonym_key: str | None = Field(description="file of the key that makes new identifiers")
    verdicts: str | None = Field(description="file of the reviewers' verdicts")
    acquisition: Literal["2D", "3D"] = Field(description="of the scan, to tell series by content")
    contrasts: list[str] = Field(min_length=1, description="images that a participant must have")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="curated voxel edges")
    min_extent_mm: list[float] = Field(
        min_length=3, max_length=3, description="smallest field of view that holds the muscles"
    )
    age_range_years: list[float] = Field(min_length=2, max_length=2)
    height_range_cm: list[float] = Field(min_length=2, max_length=2)
    weight_range_kg: list[float] = Field(min_length=2, max_length=2)
    bmi_tolerance_kg_m2: float = Field(gt=0, description="stated BMI against height and weight")
    quality: QualityParameters
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
    def _know_columns(self) -> Self:
        known = ["participant_id", *TRAITS]
        if unknown := sorted(set(self.columns) - set(known)):
            raise ValueError(f"columns: {', '.join(unknown)} is none of {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _suit_the_layout(self) -> Self:
        if self.layout in ("dicom", "bids") and self.source is None:
            raise ValueError(f"layout {self.layout} needs source, the export's folder")
        if self.layout == "totalsegmentator" and self.contrasts != ["image"]:
            raise ValueError("layout totalsegmentator has one contrast: contrasts must be [image]")
        if self.layout == "totalsegmentator" and self.source is None:
            raise ValueError(
                "layout totalsegmentator needs source, the data set's folder: set it in the "
                'parameter file or by SET="curation.source=/path/to/dataset"'
            )
        return self

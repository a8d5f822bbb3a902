"""Parameters of curation."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from muscle_study.curation.checks.quality_parameters import QualityParameters
from muscle_study.curation.sources.traits import IMAGE_TYPES, SINGLE
from muscle_study.protocol.covariates import BUILT_IN
from muscle_study.protocol.sections import (
    Count,
    Limits,
    NotNegative,
    OfAxes,
    Positive,
    Section,
    Share,
)


class CurationParameters(Section):
    """The export, plausible values, and the split of the participants."""

    layout: Literal["cohort", "nako", "dicom", "bids", "totalsegmentator"] = Field(
        description="Form of the export: `cohort` (NIfTI, as under `raw/` in `data/README.md`), "
        "`nako` (zipped DICOM series), `dicom` (DICOM files and zips in any arrangement), `bids` "
        "(NIfTI with sidecars), `totalsegmentator`"
    )
    source: str | None = Field(
        description="Folder of the export, absolute or relative to the repository; `null`: the "
        "synthetic cohort of the run"
    )
    columns: dict[str, str] = Field(
        description="Columns of the participant table with other names than in the layout: "
        "`{weight_kg: gewicht}`"
    )
    withdrawn: str | None = Field(
        description="Text file of identifiers with withdrawn consent, one per line; none of "
        "their data are read"
    )
    pseudonym_key: str | None = Field(
        description="File of a secret key, outside the repository, for new identifiers of "
        "participants (HMAC-SHA-256); `null`: identifiers of the export"
    )
    verdicts: str | None = Field(
        description="CSV file of reviewers' verdicts (`participant_id`, `verdict`: `accept` or "
        "`exclude`, `reviewer`, `comment`), downloaded from the page `curated/qc/index.html`"
    )
    acquisition: Literal["2D", "3D"] = Field(
        description="Encoding of the study's scan; series of the other kind, such as scouts, are "
        "ignored (`nako`, `dicom`, `bids`)"
    )
    contrasts: list[str] = Field(
        min_length=1,
        description="Images that a participant must have: `water`, `fat`, `in_phase`, "
        "`opposed_phase`; `[image]` for totalsegmentator and for single gradient echoes",
    )
    spacing_mm: Annotated[list[Positive], OfAxes] = Field(
        description="Voxel spacing of the curated volumes, mm"
    )
    min_extent_mm: Annotated[list[NotNegative], OfAxes] = Field(
        description="Smallest accepted field of view, mm; 0: any"
    )
    age_range_years: Limits = Field(description="Plausible ages, years; others are excluded")
    height_range_cm: Limits = Field(description="Plausible heights, cm")
    weight_range_kg: Limits = Field(description="Plausible weights, kg")
    bmi_tolerance_kg_m2: Positive = Field(
        description="Largest difference of the stated BMI from weight / height², kg/m²"
    )
    quality: QualityParameters
    validation_fraction: Share = Field(
        description="Share of the annotated participants used to select the best epoch"
    )
    test_fraction: float = Field(
        gt=0, le=1, description="Share of the annotated participants not used in training"
    )
    seed: int = Field(description="Seed of the split")
    min_cell_count: Count = Field(
        description="Smallest count of participants shown in the executed notebook"
    )

    @model_validator(mode="after")
    def _divide_no_more_than_all(self) -> Self:
        if self.validation_fraction + self.test_fraction > 1:
            raise ValueError("validation_fraction + test_fraction is more than 1")
        return self

    @model_validator(mode="after")
    def _know_columns(self) -> Self:
        known = ["participant_id", *(covariate.name for covariate in BUILT_IN)]
        if unknown := sorted(set(self.columns) - set(known)):
            raise ValueError(f"columns: {', '.join(unknown)} is none of {', '.join(known)}")
        return self

    @model_validator(mode="after")
    def _suit_the_layout(self) -> Self:
        told = [list(IMAGE_TYPES), [SINGLE]]  # by headers
        if self.layout in ("nako", "dicom", "bids") and not any(
            set(self.contrasts) <= set(names) for names in told
        ):
            raise ValueError(
                f"contrasts: layout {self.layout} has {', '.join(told[0])}, or {SINGLE} alone"
            )
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

"""Parameters of the synthetic cohort."""

from typing import Literal, Self

from pydantic import Field, model_validator

from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.cohort.randomised.parameters import RandomisedParameters
from muscle_study.cohort.scanner.parameters import ImagingParameters
from muscle_study.protocol.sections import Section


class CohortParameters(Section):
    """How many people there are, how many of them are scanned, and how."""

    n_population: int = Field(ge=4, description="people who are drawn")
    n_imaged: int = Field(ge=4, description="of these, how many are scanned and exported")
    n_annotated: int = Field(ge=3, description="of these, how many come with reference labels")
    format: Literal["nifti", "dicom"] = Field(description="of the exported images")
    export_stations: bool = Field(description="whether stations are exported one by one as well")
    imaging: ImagingParameters
    fault_rates: FaultParameters
    randomised: RandomisedParameters
    check_grids_mm: list[list[float]] = Field(
        description="voxel edges at which counting voxels is compared with the true sizes"
    )
    n_checked: int = Field(ge=2, description="of the imaged, how many are compared so")
    seed: int

    @model_validator(mode="after")
    def _nest(self) -> Self:
        if not max(self.n_annotated, self.n_checked) <= self.n_imaged <= self.n_population:
            raise ValueError("n_annotated and n_checked ≤ n_imaged ≤ n_population must hold")
        if self.format == "dicom" and self.fault_rates.nan_voxels:
            raise ValueError("fault_rates: nan_voxels cannot be stored in DICOM; set it to 0")
        return self

"""Parameters of the synthetic cohort."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.cohort.randomised.parameters import RandomisedParameters
from muscle_study.cohort.scanner.parameters import ImagingParameters
from muscle_study.protocol.sections import OfAxes, Positive, Section


class CohortParameters(Section):
    """The synthetic cohort; `cohort: null` for a run on real data."""

    n_population: int = Field(
        ge=4,
        description="Size of the population; measurements of participants not imaged are simulated",
    )
    n_imaged: int = Field(ge=4, description="Number of participants with images")
    n_annotated: int = Field(
        ge=3, description="Number of imaged participants with reference labels"
    )
    format: Literal["nifti", "dicom"] = Field(
        description="Format of the exported images; `dicom`: zipped series as in the NAKO, for "
        "`curation.layout: nako`"
    )
    export_stations: bool = Field(
        description="Export of single stations in addition to the composed volume"
    )
    imaging: ImagingParameters
    fault_rates: FaultParameters
    randomised: RandomisedParameters
    check_grids_mm: list[Annotated[list[Positive], OfAxes]] = Field(
        min_length=1,
        description="Voxel spacings, mm, at which counted voxels are compared with true sizes",
    )
    n_checked: int = Field(ge=2, description="Number of imaged participants in that comparison")
    seed: int = Field(description="Seed of all random draws of the stage")

    @model_validator(mode="after")
    def _nest(self) -> Self:
        if not max(self.n_annotated, self.n_checked) <= self.n_imaged <= self.n_population:
            raise ValueError("n_annotated and n_checked ≤ n_imaged ≤ n_population must hold")
        if self.format == "dicom" and self.fault_rates.nan_voxels:
            raise ValueError("fault_rates: nan_voxels cannot be stored in DICOM; set it to 0")
        return self

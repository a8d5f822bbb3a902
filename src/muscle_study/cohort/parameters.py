"""Parameters of the synthetic cohort."""

from pydantic import Field

from muscle_study.sections import Section


class CohortParameters(Section):
    """How many participants, and how they are scanned."""

    n_participants: int = Field(ge=4, description="participants in the export")
    n_annotated: int = Field(ge=3, description="of these, how many come with reference labels")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="voxel edges")
    supersampling: list[int] = Field(
        min_length=3, max_length=3, description="points a voxel edge, for partial volume"
    )
    noise_sd: float = Field(ge=0, description="of each acquired echo, relative to pure muscle")
    bias_amplitude: float = Field(ge=0, lt=1, description="of the coil's sensitivity")
    fault_share: float = Field(ge=0, le=0.5, description="share of deliberately broken records")
    seed: int

"""Parameters of the synthetic scanner."""

from typing import Annotated

from pydantic import Field

from muscle_study.protocol.sections import Count, NotNegative, OfAxes, Positive, Section


class ImagingParameters(Section):
    """The synthetic scanner: grid, stations, and the artefacts of every scan."""

    spacing_mm: Annotated[list[Positive], OfAxes] = Field(
        description="Voxel spacing, mm; the NAKO's is [1.40625, 1.40625, 3.0]"
    )
    supersampling: Annotated[list[Count], OfAxes] = Field(
        description="Tissue samples along each voxel edge, for partial volume"
    )
    stations: Count = Field(description="Overlapping stations, composed to one volume")
    station_gain_sd: float = Field(
        ge=0, lt=0.5, description="Standard deviation of stations' relative brightness"
    )
    breath_mm: NotNegative = Field(
        description="Standard deviation of organs' displacement between breath-holds, mm"
    )
    noise_sd: NotNegative = Field(
        description="Standard deviation of each echo's noise, relative to pure muscle's signal"
    )
    bias_amplitude: float = Field(
        ge=0, lt=1, description="Amplitude of the coil's sensitivity over the volume, relative"
    )
    ghost_amplitude: float = Field(
        ge=0, lt=1, description="Amplitude of breathing ghosts above the pelvis, relative"
    )
    motion_mm: NotNegative = Field(description="Typical movement during a station, mm")

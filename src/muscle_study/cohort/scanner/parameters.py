"""Parameters of the synthetic scanner."""

from pydantic import Field

from muscle_study.protocol.sections import Section


class ImagingParameters(Section):
    """Grid, stations, and what goes wrong in every scan a little."""

    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="voxel edges")
    supersampling: list[int] = Field(
        min_length=3, max_length=3, description="points a voxel edge, for partial volume"
    )
    stations: int = Field(ge=1, description="slabs that are joined to one volume")
    station_gain_sd: float = Field(ge=0, lt=0.5, description="of a station's brightness, relative")
    breath_mm: float = Field(ge=0, description="SD of the breath-hold's position by station")
    noise_sd: float = Field(ge=0, description="of each echo, relative to pure muscle")
    bias_amplitude: float = Field(ge=0, lt=1, description="of the coil's sensitivity")
    ghost_amplitude: float = Field(ge=0, lt=1, description="of breathing's ghosts, relative")
    motion_mm: float = Field(ge=0, description="typical movement during a station")

"""Parameters of measurement."""

from pydantic import Field

from muscle_study.protocol.sections import Section


class MeasurementParameters(Section):
    """What is taken for muscle. Intervals are 95 %, the convention of limits of agreement."""

    min_muscle_ml: float = Field(ge=0, description="a side with less is taken as not found")
    seed: int = Field(description="of the errors that simulated measurements take; synthetic runs")

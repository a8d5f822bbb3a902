"""Parameters of measurement."""

from pydantic import Field

from muscle_study.sections import Section


class MeasurementParameters(Section):
    """What is taken for muscle, and how agreement is judged."""

    min_muscle_ml: float = Field(ge=0, description="a side with less is taken as not found")
    confidence: float = Field(gt=0, lt=1, description="level of intervals and limits of agreement")

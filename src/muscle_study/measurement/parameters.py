"""Parameters of measurement."""

from pydantic import Field

from muscle_study.protocol.sections import NotNegative, Section


class MeasurementParameters(Section):
    """Muscle sizes from label maps."""

    min_muscle_ml: NotNegative = Field(
        description="Smallest volume of a muscle on one side, mL; below it the muscle counts as "
        "not found"
    )
    seed: int = Field(description="Seed of the errors of simulated measurements (synthetic runs)")

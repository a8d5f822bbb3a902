"""Parameters of the learning curve."""

from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from muscle_study.protocol.sections import Section


class LearningCurveParameters(Section):
    """How many participants the trainings have."""

    sizes: list[int] = Field(min_length=1, description="training participants, rising")

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if self.sizes[0] < 1 or any(later <= earlier for earlier, later in pairwise(self.sizes)):
            raise ValueError(f"sizes must be 1 or more, and rise: {self.sizes}")
        return self

"""Parameters of training, and of the learning curve."""

from itertools import pairwise
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from muscle_study.networks.parameters import NetworksParameters, Precision
from muscle_study.protocol.sections import Section


class TrainingParameters(NetworksParameters):
    """Two networks, one to find the muscles and one to outline them, and what they learn from."""

    model_config = ConfigDict(extra="forbid")

    learn_from: Literal["curated", "randomised"] = Field(
        description="curated images, or images of random contrast that the cohort exported"
    )
    folds: int = Field(
        ge=1,
        description="segmenters that are trained; 1: on the given split, "
        "more: each validates on another fold of training and validation, and all are averaged",
    )
    start_from: str | None = Field(
        description="folder of a model whose weights training starts from; null: from scratch"
    )
    pretrained: str | None = Field(
        description="folder of a model that is taken as it is, so that nothing is trained; null: "
        "train"
    )
    loader_workers: int = Field(ge=0, description="processes that draw patches")
    weight_decay: float = Field(ge=0)
    augmentation: dict[str, float] = Field(description="probability of each transform")
    accelerator: Literal["auto", "cpu", "gpu"]
    devices: int | str
    nodes: int = Field(ge=1)
    strategy: str
    precision: Precision = Field(description="of the computing; weights are kept in 32 bits")
    seed: int


class LearningCurveParameters(Section):
    """How many participants the trainings have."""

    sizes: list[int] = Field(min_length=1, description="training participants, rising")

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if self.sizes[0] < 1 or any(later <= earlier for earlier, later in pairwise(self.sizes)):
            raise ValueError(f"sizes must be 1 or more, and rise: {self.sizes}")
        return self

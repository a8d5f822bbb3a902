"""Parameters of inference."""

from typing import Literal

from pydantic import Field

from muscle_study.sections import Section
from muscle_study.training.parameters import Precision


class InferenceParameters(Section):
    """How the network is run over volumes."""

    channels: dict[str, str | None] = Field(
        default_factory=dict,
        description="curated contrast that stands in for a channel of the model; null: zeros",
    )
    accelerator: Literal["auto", "cpu", "gpu"]
    precision: Precision = Field(description="of the networks; probabilities are kept in 32 bits")

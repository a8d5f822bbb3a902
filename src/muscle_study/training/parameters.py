"""Parameters of training."""

from typing import Literal

from pydantic import Field

from muscle_study.sections import Section


class TrainingParameters(Section):
    """Network, patches, augmentation and optimisation."""

    channels: list[str] = Field(min_length=1, description="curated contrasts that the network sees")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="the network's grid")
    patch_size: list[int] = Field(min_length=3, max_length=3, description="voxels, multiples of 8")
    features: list[int] = Field(min_length=2, description="channels of the network's levels")
    batch_size: int = Field(ge=1)
    patches_per_volume: int = Field(ge=1, description="drawn from each participant an epoch")
    loader_workers: int = Field(
        ge=0, description="processes that draw patches; with another number they are others"
    )
    max_epochs: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    validate_every: int = Field(ge=1, description="epochs between validations on whole volumes")
    augmentation: dict[str, float] = Field(description="probability of each transform")
    accelerator: Literal["auto", "cpu", "gpu"]
    devices: int | str
    nodes: int = Field(ge=1)
    strategy: str
    precision: str = Field(description="Lightning's name, e.g. 32-true or 16-mixed")
    seed: int

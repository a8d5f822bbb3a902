"""Parameters that describe the networks, for training and for every later use of them."""

from math import prod
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from muscle_study.protocol.sections import Section

#: Floating-point formats by Lightning's names; ``auto`` is the fastest that the device has.
Precision = Literal["auto", "32-true", "16-mixed", "bf16-mixed"]


#: Voxels at a tile's edge that are not kept where a volume is seen tile by tile. On the demo's
#: validation participants 4, 8 and 12 gave the same Dice as volumes seen at once.
HALO = 4


class NetworkParameters(Section):
    """One network: its grid, its size, and how long it learns."""

    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="the network's grid")
    patch_size: list[int] = Field(min_length=3, max_length=3, description="voxels of a patch")
    features: list[int] = Field(min_length=3, description="channels of the network's levels")
    strides: list[list[int]] = Field(
        description="how much coarser each next level is, by axis; one fewer than the levels"
    )
    batch_size: int = Field(ge=1, description="patches a step")
    patches_per_volume: int = Field(ge=1, description="drawn from each participant an epoch")
    max_epochs: int = Field(ge=1)
    validate_every: int = Field(
        ge=1,
        description="epochs between validations on whole volumes; max_epochs is a multiple of "
        "it, or less",
    )
    patience: int | None = Field(
        description="validations without a better Dice after which training stops; null: never"
    )
    learning_rate: float = Field(gt=0)
    deep_supervision: int = Field(
        ge=0, description="lower levels of the decoder that training judges too; 0: none"
    )
    ema_decay: float | None = Field(
        gt=0,
        lt=1,
        description="what of the weights' moving average a step keeps; null: no average is taken",
    )
    tile_voxels: int = Field(
        ge=4096, description="a volume of more voxels is seen tile by tile; bounds memory"
    )

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if len(self.strides) != len(self.features) - 1 or any(len(s) != 3 for s in self.strides):
            raise ValueError(
                f"strides: {len(self.features)} levels of features need "
                f"{len(self.features) - 1} strides of three axes each"
            )
        for axis, (size, coarsest) in enumerate(zip(self.patch_size, self.coarsening, strict=True)):
            if size % coarsest:
                raise ValueError(
                    f"patch_size: {size} along axis {axis} is not a multiple of {coarsest}, "
                    "the product of the strides"
                )
            if size <= 2 * HALO:
                raise ValueError(
                    f"patch_size: {size} along axis {axis} is too small; more than {2 * HALO} are "
                    "needed, since the outermost voxels of a tile are not kept"
                )
        return self

    @model_validator(mode="after")
    def _supervised_levels_are_there(self) -> Self:
        if self.deep_supervision > (most := len(self.features) - 2):
            raise ValueError(
                f"deep_supervision: {self.deep_supervision} is too much; the decoder has {most} "
                f"levels between that of the output and the lowest of {len(self.features)}"
            )
        return self

    @model_validator(mode="after")
    def _last_epoch_is_validated(self) -> Self:
        if self.max_epochs % self.validation_interval:
            epochs, every = self.max_epochs, self.validate_every
            raise ValueError(
                f"max_epochs: {epochs} is no multiple of validate_every {every}, so that the last "
                "and best epochs would not be validated, nor kept: make it "
                f"{epochs // every * every} or {-(-epochs // every) * every}, or change "
                "validate_every"
            )
        return self

    @property
    def validation_interval(self) -> int:
        """Epochs between validations: as many as asked for, or all where they are fewer."""
        return min(self.validate_every, self.max_epochs)

    @property
    def coarsening(self) -> tuple[int, int, int]:
        """How much coarser the lowest level is than the network's grid."""
        x, y, z = (prod(stride[axis] for stride in self.strides) for axis in range(3))
        return x, y, z


class NetworksParameters(Section):
    """The two networks as a model's card describes them; the card's other entries are kept."""

    model_config = ConfigDict(extra="allow")

    channels: list[str] = Field(min_length=1, description="curated contrasts that the networks see")
    localiser: NetworkParameters = Field(description="the coarse network, over whole volumes")
    segmenter: NetworkParameters = Field(description="the fine network, around the muscles alone")

"""Parameters that describe the networks, for training and for every later use of them."""

from math import prod
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from muscle_study.protocol.sections import Count, OfAxes, Positive, Section

#: Floating-point formats by Lightning's names; ``auto`` is the fastest that the device has.
Precision = Literal["auto", "32-true", "16-mixed", "bf16-mixed"]

#: Voxels at a tile's edge that are not kept where a volume is seen tile by tile. On the demo's
#: validation participants 4, 8 and 12 gave the same Dice as volumes seen at once.
HALO = 4


class NetworkParameters(Section):
    """One network: its grid, its size and its training."""

    spacing_mm: Annotated[list[Positive], OfAxes] = Field(description="Network grid spacing, mm")
    patch_size: Annotated[list[Count], OfAxes] = Field(
        description="Size of a training patch, voxels; multiples of the product of the strides. "
        "Smaller patches make more steps of the same voxels: after 10 epochs of the demo the "
        "validation Dice of the psoas was 0.92 with 74,000 voxels a patch, 0.91 with 147,000"
    )
    features: list[Count] = Field(
        min_length=3, description="Channels of the levels, the finest first"
    )
    strides: list[Annotated[list[Count], OfAxes]] = Field(
        description="Coarsening from each level to the next by axis; one fewer than the levels"
    )
    batch_size: Count = Field(description="Patches per step and device")
    patches_per_volume: Count = Field(description="Patches per participant and epoch")
    max_epochs: Count = Field(description="Epochs, passes over the training participants")
    validate_every: Count = Field(
        description="Epochs between validations on whole volumes; `max_epochs` is a multiple of "
        "it, or less (one validation, at the end)"
    )
    patience: Count | None = Field(
        description="Validations without a better Dice after which training stops; `null`: never"
    )
    learning_rate: Positive = Field(description="Largest step size of the optimiser")
    deep_supervision: int = Field(
        ge=0,
        description="Lower decoder levels with a loss of their own, each weighing half of the one "
        "above; at most two fewer than the levels",
    )
    ema_decay: float | None = Field(
        gt=0,
        lt=1,
        description="Decay per step of the weights' exponential moving average, which is validated "
        "and saved in place of the weights, such as 0.999; `null`: no average",
    )
    tile_voxels: int = Field(
        ge=4096,
        description="Largest volume seen at once, voxels; a larger one is seen in tiles, none "
        "smaller than a patch; bounds memory",
    )

    @model_validator(mode="after")
    def _levels_fit(self) -> Self:
        if len(self.strides) != len(self.features) - 1:
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
                    f"patch_size: {size} along axis {axis} is too small: take more than "
                    f"{2 * HALO}, since the outermost voxels of a tile are not kept"
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
                f"max_epochs: {epochs} is not a multiple of validate_every {every}, so that the "
                "last epochs would be neither validated nor kept: make it "
                f"{epochs // every * every} or {-(-epochs // every) * every}, or change "
                "validate_every"
            )
        return self

    @property
    def validation_interval(self) -> int:
        """Epochs between validations, at most the number of epochs."""
        return min(self.validate_every, self.max_epochs)

    @property
    def coarsening(self) -> tuple[int, int, int]:
        """Coarsening of the lowest level relative to the network's grid, by axis."""
        x, y, z = (prod(stride[axis] for stride in self.strides) for axis in range(3))
        return x, y, z


class NetworksParameters(Section):
    """The two networks, as a model's card describes them; its other entries are kept."""

    model_config = ConfigDict(extra="allow")

    channels: list[str] = Field(
        min_length=1, description="Curated contrasts that the networks see, in this order"
    )
    localiser: NetworkParameters = Field(
        description="Coarse network, which locates the muscles in whole volumes"
    )
    segmenter: NetworkParameters = Field(
        description="Fine network, which outlines them in the box around them"
    )

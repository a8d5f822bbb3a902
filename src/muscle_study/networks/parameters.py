"""Parameters of the networks, for training and inference."""

from math import prod
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from muscle_study.protocol.sections import Count, OfAxes, Positive, Section

#: Floating-point formats by Lightning's names; ``auto`` is the fastest of the device.
Precision = Literal["auto", "32-true", "16-mixed", "bf16-mixed"]

#: Voxels discarded at the edges of a tile. On the demo's validation participants 4, 8 and 12 gave
#: the same Dice as whole volumes.
HALO = 4


class NetworkParameters(Section):
    """Grid, size and training of one network."""

    spacing_mm: Annotated[list[Positive], OfAxes] = Field(description="Network grid spacing, mm")
    patch_size: Annotated[list[Count], OfAxes] = Field(
        description="Size of a training patch, voxels; multiples of the product of the strides. "
        "Smaller patches give more steps for the same voxels: after 10 epochs of the demo, the "
        "validation Dice of the psoas was 0.92 with 74,000 voxels per patch, 0.91 with 147,000"
    )
    features: list[Count] = Field(min_length=3, description="Channels of each level, finest first")
    strides: list[Annotated[list[Count], OfAxes]] = Field(
        description="Downsampling between levels by axis; one fewer than the levels"
    )
    batch_size: Count = Field(description="Patches per step and device")
    patches_per_volume: Count = Field(description="Patches per participant and epoch")
    max_epochs: Count = Field(description="Number of epochs")
    validate_every: Count = Field(
        description="Epochs between validations on whole volumes; `max_epochs` is a multiple of "
        "it, or lower (one validation, at the end)"
    )
    patience: Count | None = Field(
        description="Number of validations without improvement before training stops; `null`: never"
    )
    learning_rate: Positive = Field(description="Maximum learning rate of the schedule")
    deep_supervision: int = Field(
        ge=0,
        description="Lower decoder levels with their own loss, each with half the weight of the "
        "level above; at most two fewer than the levels",
    )
    ema_decay: float | None = Field(
        gt=0,
        lt=1,
        description="Decay per step of the weights' exponential moving average, which replaces the "
        "weights in validation and in the model, e.g. 0.999; `null`: no average",
    )
    tile_voxels: int = Field(
        ge=4096,
        description="Largest volume processed at once, voxels; larger volumes are processed in "
        "tiles of at least a patch; limits memory",
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
    """The two networks, as described in a model card; its other entries are kept."""

    model_config = ConfigDict(extra="allow")

    channels: list[str] = Field(
        min_length=1, description="Curated contrasts, the input channels in this order"
    )
    localiser: NetworkParameters = Field(
        description="Coarse network that locates the muscles in whole volumes"
    )
    segmenter: NetworkParameters = Field(
        description="Fine network that outlines the muscles within their box"
    )

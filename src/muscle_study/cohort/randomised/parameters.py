"""Parameters of images with random contrast."""

from typing import Annotated

from pydantic import Field

from muscle_study.protocol.muscles import Psoas
from muscle_study.protocol.sections import NotNegative, OfAxes, Positive, Section, Share

#: Name of the only channel.
RANDOMISED_CHANNEL = "image"


class RandomisedParameters(Section):
    """Training images of random contrast (`training.learn_from`), and their variation."""

    n_images: int = Field(ge=0, description="Images per imaged participant; 0: none")
    spacing_mm: Annotated[list[Positive], OfAxes] = Field(description="Voxel spacing, mm")
    psoas: Psoas = Field(
        description="Muscle under the psoas label: the psoas alone, or with the iliacus"
    )
    rotation_deg: float = Field(
        ge=0, le=45, description="Standard deviation of the rotation about each axis, degrees"
    )
    scale: float = Field(
        ge=1, le=2, description="Largest factor of growth or shrinkage of the body"
    )
    shift_mm: NotNegative = Field(description="Largest displacement along each axis, mm")
    deformation_mm: float = Field(
        ge=0,
        le=15,
        description="Largest standard deviation of smooth displacements along each axis, mm",
    )
    slab_probability: Share = Field(
        description="Probability of a field of view over part of the height"
    )
    least_slab_mm: Positive = Field(description="Smallest height of such a part, mm")
    crop_probability: Share = Field(
        description="Probability of a field of view narrower than the body"
    )
    thickest_slice_mm: Positive = Field(description="Coarsest resolution along one axis, mm")
    blur_mm: NotNegative = Field(
        description="Largest standard deviation of the blur along all axes, mm"
    )
    texture: float = Field(
        ge=0, lt=1, description="Largest standard deviation of texture, relative to the contrast"
    )
    most_patches: int = Field(
        ge=0,
        description="Most patches of foreign tissue in an image, painted over all but air and "
        "muscle",
    )
    bias: float = Field(
        ge=0, lt=2, description="Largest standard deviation of the bias field's logarithm"
    )
    noise: float = Field(
        ge=0, lt=1, description="Largest standard deviation of noise, relative to the contrast"
    )
    gamma: float = Field(
        ge=0, lt=2, description="Standard deviation of the logarithm of intensities' exponent"
    )
    inversion_probability: Share = Field(
        description="Probability of inverted intensities within the body"
    )

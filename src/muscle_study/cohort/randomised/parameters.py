"""Parameters of images with random contrast."""

from pydantic import Field

from muscle_study.protocol.muscles import Psoas
from muscle_study.protocol.sections import Section

#: Name of their one channel.
RANDOMISED_CHANNEL = "image"


class RandomisedParameters(Section):
    """Images of random contrast, and how far they may stray: largest figures, or probabilities."""

    n_images: int = Field(ge=0, description="of each imaged participant; 0: none is exported")
    spacing_mm: list[float] = Field(min_length=3, max_length=3, description="their voxel edges")
    psoas: Psoas = Field(
        description="what the labels of the psoas hold: the muscle alone, or with the iliacus"
    )
    rotation_deg: float = Field(ge=0, le=45, description="about each axis, SD")
    scale: float = Field(ge=1, le=2, description="largest factor on the body's size, or its part")
    shift_mm: float = Field(ge=0, description="largest displacement along each axis")
    deformation_mm: float = Field(
        ge=0, le=15, description="largest SD of smooth displacements, along each axis"
    )
    slab_probability: float = Field(
        ge=0, le=1, description="of a field of view that is a part of the height"
    )
    least_slab_mm: float = Field(gt=0, description="smallest height of such a part")
    crop_probability: float = Field(
        ge=0, le=1, description="of a field of view that is narrower than the body"
    )
    thickest_slice_mm: float = Field(gt=0, description="coarsest resolution along one axis")
    blur_mm: float = Field(ge=0, description="largest SD of the blur along all axes")
    texture: float = Field(ge=0, lt=1, description="largest SD of texture, relative to contrast")
    most_patches: int = Field(ge=0, description="of foreign tissue, painted over all but muscle")
    bias: float = Field(ge=0, lt=2, description="largest SD of the bias field's logarithm")
    noise: float = Field(ge=0, lt=1, description="largest SD of noise, relative to contrast")
    gamma: float = Field(ge=0, lt=2, description="SD of the exponent's logarithm")
    inversion_probability: float = Field(
        ge=0, le=1, description="of dark and bright exchanged within the body"
    )

"""Augmentation of training patches."""

from collections.abc import Callable, Mapping

import torchio as tio

from muscle_study.protocol.muscles import MIRRORED
from muscle_study.training.parameters import Transform

LEFT_RIGHT_AXIS = 0

#: Transforms by parameter name. Strengths that are not given are TorchIO's defaults; motion and
#: ghosting stand for breathing.
TRANSFORMS: dict[Transform, Callable[[float], tio.Transform]] = {
    "affine": lambda p: tio.RandomAffine(
        scales=0.15, degrees=10, translation=12, default_pad_value="minimum", p=p
    ),
    "elastic": lambda p: tio.RandomElasticDeformation(
        num_control_points=7, max_displacement=10, locked_borders=0, p=p
    ),
    "bias_field": lambda p: tio.RandomBiasField(coefficients=0.4, p=p),
    "gamma": lambda p: tio.RandomGamma(log_gamma=0.3, p=p),
    "noise": lambda p: tio.RandomNoise(std=(0, 0.05), p=p),
    "motion": lambda p: tio.OneOf(
        [tio.RandomMotion(degrees=2, translation=4, num_transforms=1), tio.RandomGhosting()], p=p
    ),
    "flip": lambda p: mirror_sides(p),
}


def mirror_sides(p: float = 1.0) -> tio.Transform:
    """Return a left-right flip that also exchanges the labels of the sides."""
    return tio.Compose([tio.Flip(LEFT_RIGHT_AXIS), tio.RemapLabels(dict(MIRRORED))], p=p)


def augmentation(probabilities: Mapping[str, float]) -> tio.Transform:
    """Compose the transforms named in `probabilities`."""
    return tio.Compose(
        [make(probabilities[name]) for name, make in TRANSFORMS.items() if probabilities.get(name)]
    )

"""The segmentation network."""

from collections.abc import Sequence

import torch
from monai.networks.nets import UNet

from muscle_study.labels import Label

RESIDUAL_UNITS = 2


def build_network(channels: int, features: Sequence[int]) -> torch.nn.Module:
    """Return a residual U-Net for volumes, one output a label.

    Parameters
    ----------
    channels
        Images that come in.
    features
        Channels of each level; every level halves the grid, so that patches must be divisible
        by ``2 ** (len(features) - 1)``.

    Notes
    -----
    MONAI's `UNet` with residual units (Kerfoot et al. 2019).
    """
    return UNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=len(Label),
        channels=tuple(features),
        strides=(2,) * (len(features) - 1),
        num_res_units=RESIDUAL_UNITS,
    )


def trainable_parameters(network: torch.nn.Module) -> int:
    """Count what is learned."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)

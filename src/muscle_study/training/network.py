"""The networks, and how one is run over a volume."""

from collections.abc import Sequence

import torch
from monai.inferers import sliding_window_inference
from monai.networks.nets import DynUNet
from torch.nn.functional import pad

#: Edge of the convolutions' kernels (voxels).
KERNEL = 3

#: Share that neighbouring tiles overlap by, where a volume is too large for one.
TILE_OVERLAP = 0.25


def build_network(
    channels: int, classes: int, features: Sequence[int], strides: Sequence[Sequence[int]]
) -> torch.nn.Module:
    """Return a U-Net for volumes.

    Parameters
    ----------
    channels
        Images that come in.
    classes
        Outputs, with the background.
    features
        Channels of each level.
    strides
        How much coarser each next level is, by axis.

    Notes
    -----
    MONAI's `DynUNet`, nnU-Net's architecture (Isensee et al., Nat Methods 2021;18:203-211): two
    convolutions a level, the first level on the image's own grid. In the demo's minutes of
    training it outlines the psoas better than MONAI's residual `UNet` of like width, whose first
    level is coarser than the image, and learns several times as fast as that with a full first
    level.
    """
    return DynUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=classes,
        kernel_size=[KERNEL] * len(features),
        strides=[(1, 1, 1), *map(tuple, strides)],
        upsample_kernel_size=list(map(tuple, strides)),
        filters=list(features),
        norm_name="instance",
    )


def trainable_parameters(network: torch.nn.Module) -> int:
    """Count what is learned."""
    return sum(weights.numel() for weights in network.parameters() if weights.requires_grad)


def run_over(
    network: torch.nn.Module,
    image: torch.Tensor,
    coarsening: Sequence[int],
    tile_voxels: int,
) -> torch.Tensor:
    """Run a network over a whole volume: at once, or in as few tiles as memory allows.

    Parameters
    ----------
    network
        Whose levels fit sizes that are multiples of `coarsening`.
    image
        Shape (batch, channels, x, y, z).
    coarsening
        How much coarser the lowest level is, by axis.
    tile_voxels
        Most voxels that the network sees at once.

    Returns
    -------
    torch.Tensor
        Logits, shape (batch, classes, x, y, z).
    """
    shape = image.shape[2:]
    missing = [-n % coarse for n, coarse in zip(shape, coarsening, strict=True)]
    # torch names the last axis first
    padded = pad(image, [side for n in reversed(missing) for side in (0, n)])
    tile = tile_size(padded.shape[2:], coarsening, tile_voxels)
    if tile == tuple(padded.shape[2:]):
        logits = network(padded)
    else:
        logits = sliding_window_inference(
            padded, tile, 1, network, overlap=TILE_OVERLAP, mode="gaussian"
        )
    return logits[(..., *(slice(n) for n in shape))]


def tile_size(
    shape: Sequence[int], coarsening: Sequence[int], tile_voxels: int
) -> tuple[int, int, int]:
    """Return the largest tile: the shape, its longest axis halved until few enough voxels.

    Every axis stays a multiple of `coarsening`.
    """
    size = list(shape)
    while size[0] * size[1] * size[2] > tile_voxels:
        divisible = [axis for axis in range(3) if size[axis] > coarsening[axis]]
        if not divisible:
            break
        axis = max(divisible, key=size.__getitem__)
        size[axis] = -(-size[axis] // (2 * coarsening[axis])) * coarsening[axis]
    return size[0], size[1], size[2]

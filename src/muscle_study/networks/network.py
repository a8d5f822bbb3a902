"""The U-Net and its application to a volume."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from monai.networks.nets import DynUNet
from torch.nn.functional import pad

from muscle_study.networks.norm import INSTANCE_NORM
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.networks.tiles import batches, tiling

#: Edge of the convolution kernels (voxels).
KERNEL = 3

#: Logit of the background outside all tiles.
BACKGROUND_LOGIT = 20.0

#: Name of the weights of deep supervision, which only training needs.
HEADS = "deep_supervision_heads"


def build_network(
    channels: int,
    classes: int,
    features: Sequence[int],
    strides: Sequence[Sequence[int]],
    deep_supervision: int = 0,
) -> torch.nn.Module:
    """Return a U-Net for volumes.

    Parameters
    ----------
    channels
        Number of input images.
    classes
        Number of classes with the background.
    features
        Channels of each level.
    strides
        Strides between levels, by axis.
    deep_supervision
        Number of lower levels of the decoder with outputs in training. Outputs are then stacked,
        (batch, 1 + levels, classes, x, y, z), each on the grid of the image.

    Notes
    -----
    MONAI's `DynUNet`, the architecture of nnU-Net (Isensee et al., Nat Methods 2021;18:203-211):
    two convolutions per level, the first level on the grid of the image. After the demo's minutes
    of training it segments the psoas better than MONAI's residual `UNet` of similar width, whose
    first level is coarser than the image, and trains several times as fast as one with a full
    first level.
    """
    return DynUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=classes,
        kernel_size=[KERNEL] * len(features),
        strides=[(1, 1, 1), *map(tuple, strides)],
        upsample_kernel_size=list(map(tuple, strides)),
        filters=list(features),
        norm_name=INSTANCE_NORM,
        deep_supervision=deep_supervision > 0,
        deep_supr_num=max(deep_supervision, 1),
    )


def layout(device: torch.device) -> torch.memory_format:
    """Return the memory layout in which networks are fast on a device.

    On a CPU, convolutions and `InstanceNorm` need no reordering of channels-last arrays. On a GPU,
    torch's instance norm would reorder them twice, which is a third slower
    (https://github.com/pytorch/pytorch/issues/59168).
    """
    return torch.channels_last_3d if device.type == "cpu" else torch.contiguous_format


def learned_weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return a network's weights without the heads of deep supervision."""
    return {
        name: weights
        for name, weights in network.named_parameters()
        if not name.startswith(f"{HEADS}.")
    }


def run_over(
    network: torch.nn.Module,
    image: torch.Tensor,
    parameters: NetworkParameters,
    wanted: Callable[[], np.ndarray] | None = None,
) -> torch.Tensor:
    """Return the logits of a volume, shape (1, classes, x, y, z).

    Parameters
    ----------
    network
        The network.
    image
        Input, shape (1, channels, x, y, z).
    parameters
        The network's parameters; volumes of more than ``tile_voxels`` are processed in tiles.
    wanted
        Function that is called for tiles only and returns where logits are wanted, shape
        (x, y, z); elsewhere is background. None for everywhere.
    """
    shape = image.shape[2:]
    missing = [-n % coarse for n, coarse in zip(shape, parameters.coarsening, strict=True)]
    # torch names the last axis first
    padded = pad(image, [side for n in reversed(missing) for side in (0, n)])
    if padded[0, 0].numel() <= parameters.tile_voxels:
        return network(padded)[(..., *map(slice, shape))]
    where = np.ones(shape, bool) if wanted is None else wanted()
    where = np.pad(where, [(0, n) for n in missing])
    logits = torch.empty(0)
    for batch in batches(tiling(where, parameters), parameters.tile_voxels):
        seen = network(torch.cat([padded[(..., *tile.seen)] for tile in batch])).float()
        if not len(logits):
            logits = seen.new_zeros((1, seen.shape[1], *padded.shape[2:]))
            logits[:, 0] = BACKGROUND_LOGIT
        for tile, of_tile in zip(batch, seen, strict=True):
            logits[(0, slice(None), *tile.kept)] = of_tile[(slice(None), *tile.kept_of_seen)]
    return logits[(..., *map(slice, shape))]

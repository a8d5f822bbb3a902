"""The networks, and how one is run over a volume."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from monai.networks.nets import DynUNet
from torch.nn.functional import pad

from muscle_study.networks.norm import INSTANCE_NORM
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.networks.tiles import batches, tiling

#: Edge of the convolutions' kernels (voxels).
KERNEL = 3

#: Logit of the background where no tile was seen.
SURELY = 20.0


#: How the weights are called that deep supervision needs in training alone.
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
        Images that come in.
    classes
        Outputs, with the background.
    features
        Channels of each level.
    strides
        How much coarser each next level is, by axis.
    deep_supervision
        Lower levels of the decoder that give outputs of their own, in training alone: then outputs
        are stacked, (batch, 1 + levels, classes, x, y, z), each on the image's grid.

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
        norm_name=INSTANCE_NORM,
        deep_supervision=deep_supervision > 0,
        deep_supr_num=max(deep_supervision, 1),
    )


def layout(device: torch.device) -> torch.memory_format:
    """Return how arrays are laid out in memory so that a network is fast on a device.

    With the channels last, convolutions on a processor need no reordering of what comes in and
    goes out, and `InstanceNorm` does none. On a GPU torch's instance norm would reorder it twice:
    a third slower (https://github.com/pytorch/pytorch/issues/59168).
    """
    return torch.channels_last_3d if device.type == "cpu" else torch.contiguous_format


def learned_weights(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return what a network has learned and is run with: without the heads of deep supervision."""
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
    """Run a network over a volume: at once where memory allows, else tile by tile.

    Parameters
    ----------
    network
        To run.
    image
        Shape (1, channels, x, y, z).
    parameters
        Of the network: how large a volume may be to be seen at once, and patches.
    wanted
        Asked only if the volume is seen tile by tile: shape (x, y, z), true where logits are
        wanted; what no tile keeps is background. None: everywhere.

    Returns
    -------
    torch.Tensor
        Logits, shape (1, classes, x, y, z).
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
            logits[:, 0] = SURELY
        for tile, of_tile in zip(batch, seen, strict=True):
            logits[(0, slice(None), *tile.kept)] = of_tile[(slice(None), *tile.kept_of_seen)]
    return logits[(..., *map(slice, shape))]

"""The networks, and how one is run over a volume."""

from collections.abc import Callable, Sequence
from itertools import pairwise, product
from typing import NamedTuple

import numpy as np
import torch
from monai.networks.nets import DynUNet
from torch.nn.functional import pad

from muscle_study.training.parameters import HALO, NetworkParameters

#: Edge of the convolutions' kernels (voxels).
KERNEL = 3

#: Logit of the background where no patch was seen.
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
    network = DynUNet(
        spatial_dims=3,
        in_channels=channels,
        out_channels=classes,
        kernel_size=[KERNEL] * len(features),
        strides=[(1, 1, 1), *map(tuple, strides)],
        upsample_kernel_size=list(map(tuple, strides)),
        filters=list(features),
        norm_name="instance",
        deep_supervision=deep_supervision > 0,
        deep_supr_num=max(deep_supervision, 1),
    )
    # convolutions then need no reordering of what comes in and goes out: 5 to 10 % of a step's time
    return network.to(memory_format=torch.channels_last_3d)


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
    """Run a network over a volume: at once where memory allows, else patch by patch.

    Parameters
    ----------
    network
        To run.
    image
        Shape (1, channels, x, y, z).
    parameters
        Of the network: how large a volume may be to be seen at once, and patches.
    wanted
        Asked only if the volume is seen patch by patch: shape (x, y, z), true where logits are
        wanted; patches that are wanted nowhere are passed over, and are background. None:
        everywhere.

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
    tiles = tiling(padded.shape[2:], parameters.patch_size)
    if wanted is not None:
        where = wanted()
        tiles = [tile for tile in tiles if tile.meets(where)]
    logits = torch.empty(0)
    for first in range(0, len(tiles), parameters.batch_size):
        batch = tiles[first : first + parameters.batch_size]
        seen = network(torch.cat([padded[(..., *tile.seen)] for tile in batch])).float()
        if not len(logits):
            logits = seen.new_zeros((1, seen.shape[1], *padded.shape[2:]))
            logits[:, 0] = SURELY
        for tile, of_tile in zip(batch, seen, strict=True):
            logits[(0, slice(None), *tile.kept)] = of_tile[(slice(None), *tile.kept_of_seen)]
    return logits[(..., *map(slice, shape))]


class Tile(NamedTuple):
    """A part of a volume that is seen, and the part of that whose logits are kept."""

    seen: tuple[slice, ...]
    kept: tuple[slice, ...]

    @property
    def kept_of_seen(self) -> tuple[slice, ...]:
        """What is kept, in voxels of the tile."""
        return tuple(
            slice(kept.start - seen.start, kept.stop - seen.start)
            for seen, kept in zip(self.seen, self.kept, strict=True)
        )

    def meets(self, wanted: np.ndarray) -> bool:
        """Tell whether anything that is kept is wanted."""
        return bool(wanted[self.kept].any())


def tiling(shape: Sequence[int], size: Sequence[int]) -> list[Tile]:
    """Return tiles of one size that lie evenly over a volume and keep all of it, each voxel once.

    What is kept ends in the middle of the overlap with the next tile, at least `HALO` from the
    tile's edge.
    """
    axes = [_cuts(n, min(n, most)) for n, most in zip(shape, size, strict=True)]
    return [Tile(*zip(*cuts, strict=True)) for cuts in product(*axes)]


def _cuts(n: int, size: int) -> list[tuple[slice, slice]]:
    """Return the tiles along one axis: what is seen, and what is kept."""
    count = -(-(n - 2 * HALO) // (size - 2 * HALO)) if size < n else 1
    starts = np.linspace(0, n - size, count).round().astype(int).tolist()
    inner = [(first + size + second) // 2 for first, second in pairwise(starts)]
    return [
        (slice(start, start + size), slice(low, high))
        for start, low, high in zip(starts, [0, *inner], [*inner, n], strict=True)
    ]

"""Where the muscles are, coarsely: what the segmenter is told beside the images."""

from collections.abc import Mapping

import numpy as np
import torch

from muscle_study.labels import STRUCTURES
from muscle_study.training.network import run_over
from muscle_study.training.parameters import NetworkParameters
from muscle_study.training.preprocessing import make_subject, preprocess
from muscle_study.volumes import Volume

#: Channels that tell the segmenter what the localiser found: a mask a structure.
PRIOR_CHANNELS = len(STRUCTURES)


@torch.inference_mode()
def localise(
    network: torch.nn.Module,
    parameters: NetworkParameters,
    images: Mapping[str, Volume],
    ranges: Mapping[str, tuple[float, float]],
    device: torch.device,
) -> Volume:
    """Return the labels of a whole volume on the localiser's own coarse grid, uint8.

    Parameters
    ----------
    network, parameters
        The localiser, in evaluation mode.
    images
        Curated volumes by channel.
    ranges
        Intensities that become 0 and 1, by channel, in the network's order.
    device
        Where the network is.
    """
    subject = preprocess(make_subject(images), ranges, parameters.spacing_mm)
    image = subject["image"].data[None].to(device)
    logits = run_over(network, image, parameters.coarsening, parameters.tile_voxels)
    return Volume(logits[0].argmax(0).cpu().numpy().astype(np.uint8), subject["image"].affine)


def with_prior(image: torch.Tensor, prior: torch.Tensor) -> torch.Tensor:
    """Append what the localiser found to an image, a mask a structure.

    Parameters
    ----------
    image
        Shape (channels, x, y, z).
    prior
        The localiser's labels on the image's grid, shape (x, y, z).

    Returns
    -------
    torch.Tensor
        Shape (channels + `PRIOR_CHANNELS`, x, y, z).
    """
    masks = torch.stack([prior == label for label in STRUCTURES])
    return torch.cat([image, masks.to(image.dtype)])

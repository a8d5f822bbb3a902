"""Where the muscles are, coarsely."""

from collections.abc import Mapping

import numpy as np
import torch

from muscle_study.imaging.volumes import Volume
from muscle_study.networks.network import run_over
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.networks.preprocessing import network_input

#: The box round what the localiser found is enlarged by this much on every side (mm): its grid
#: is coarse, and the segmenter needs surroundings.
MARGIN_MM = 25.0


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
    seen = network_input(images, ranges, parameters.spacing_mm)
    image = torch.from_numpy(seen.data)[None].to(device)
    logits = run_over(network, image, parameters)
    return Volume(logits[0].float().cpu().numpy().argmax(0).astype(np.uint8), seen.affine)

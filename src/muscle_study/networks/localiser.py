"""Coarse localisation of the muscles."""

from collections.abc import Mapping

import numpy as np
import torch

from muscle_study.imaging.volumes import Volume
from muscle_study.networks.network import run_over
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.networks.preprocessing import network_input

#: Margin around the localised muscles (mm): the localiser's grid is coarse, and the segmenter needs
#: surroundings.
MARGIN_MM = 25.0


@torch.inference_mode()
def localise(
    network: torch.nn.Module,
    parameters: NetworkParameters,
    images: Mapping[str, Volume],
    ranges: Mapping[str, tuple[float, float]],
    device: torch.device,
) -> Volume:
    """Return the labels of a whole volume on the localiser's coarse grid, uint8.

    `images` and `ranges` are as in `network_input`; the network is in evaluation mode on `device`.
    """
    scaled = network_input(images, ranges, parameters.spacing_mm)
    image = torch.from_numpy(scaled.data)[None].to(device)
    logits = run_over(network, image, parameters)
    return Volume(logits[0].float().cpu().numpy().argmax(0).astype(np.uint8), scaled.affine)

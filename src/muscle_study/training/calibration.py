"""Masks of the right size: what the loss makes too large, the validation scans put right.

A loss with a Dice term rewards masks that hold a voxel rather than miss it, the more so the less
sure a network is. Muscles then come out too large, by one to two per cent in the demo.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from muscle_study.networks.classes import Classes
from muscle_study.networks.network import run_over
from muscle_study.networks.parameters import NetworkParameters


@torch.inference_mode()
def log_odds_shifts(
    network: torch.nn.Module,
    parameters: NetworkParameters,
    classes: Classes,
    scans: Iterable[Mapping[str, torch.Tensor]],
) -> dict[str, float]:
    """Return what must be added to each class's logit for the reference's volume.

    In each scan, a shift makes the class win as many voxels as the reference has. The median over
    the scans is taken, so that one in which the network fails does not count.

    Parameters
    ----------
    network
        In evaluation mode.
    parameters, classes
        Of the network.
    scans
        Validation scans: ``image``, shape (1, channels, x, y, z), and ``label``, of classes.

    Returns
    -------
    dict
        By class, without the background; 0 where no scan holds the class.
    """
    needed: dict[str, list[float]] = {name: [] for name in classes.names}
    for scan in scans:
        logits = run_over(network, scan["image"], parameters)[0].float().cpu().numpy()
        labels = scan["label"].cpu().numpy()
        for value, name in enumerate(classes.names, start=1):
            if count := int((labels == value).sum()):
                lead = logits[value] - np.delete(logits, value, axis=0).max(axis=0)
                needed[name].append(-float(np.partition(lead.ravel(), -count)[-count]))
    return {name: float(np.median(each)) if each else 0.0 for name, each in needed.items()}


def shift_log_odds(network: torch.nn.Module, shifts: Mapping[str, float]) -> None:
    """Add to the logits of each class but the background, in place: to the last layer's bias."""
    with torch.no_grad():
        network.output_block.conv.conv.bias[1:] += torch.tensor(list(shifts.values()))

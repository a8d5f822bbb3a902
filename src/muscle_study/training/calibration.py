"""Calibration of mask volumes on the validation scans.

A Dice loss favours including uncertain voxels, so that masks are too large, by one to two per cent
in the demo.
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
    """Return the logit shift of each class that reproduces the reference volume.

    In each scan, the shift gives a class as many voxels as the reference has. The median over the
    scans ignores single failures.

    Parameters
    ----------
    network
        Network in evaluation mode.
    parameters, classes
        Parameters and classes of the network.
    scans
        Validation scans: ``image``, shape (1, channels, x, y, z), and ``label``, of classes.

    Returns
    -------
    dict
        Shift by class without the background; 0 for a class that no scan holds.
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
    """Add the shifts to the bias of the last layer, in place."""
    with torch.no_grad():
        network.output_block.conv.conv.bias[1:] += torch.tensor(list(shifts.values()))

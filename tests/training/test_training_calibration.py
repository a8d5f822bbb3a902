"""Calibrated masks have the reference's volume."""

import numpy as np
import pytest
import torch

from muscle_study.networks.classes import CLASSES
from muscle_study.networks.network import build_network
from muscle_study.training.calibration import log_odds_shifts, shift_log_odds

SEGMENTER = CLASSES["segmenter"]


class AsGiven(torch.nn.Module):
    """Takes the image's channels for logits."""

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return image


def scan(lead_of_psoas, of_which_psoas: int) -> dict[str, torch.Tensor]:
    """Return logits in which the psoas leads as given, and a reference of so many voxels."""
    logits = torch.zeros(1, 3, 8, 8, 8)
    logits[0, 1] = torch.tensor(lead_of_psoas, dtype=torch.float32).reshape(8, 8, 8)
    logits[0, 2] = -100
    label = torch.zeros(1, 1, 8, 8, 8, dtype=torch.long)
    label.view(-1)[:of_which_psoas] = 1
    return {"image": logits, "label": label}


@pytest.fixture
def leads():
    return np.random.default_rng(0).permutation(np.linspace(-5, 5, 512))


def test_the_shift_makes_as_many_voxels_win_as_the_reference_has(network, leads):
    shifts = log_odds_shifts(AsGiven(), network, SEGMENTER, [scan(leads, 100)])
    # the 100th from above would just tie
    assert (leads + shifts["psoas"] > 1e-6).sum() == 99
    assert (leads + shifts["psoas"] > -1e-6).sum() == 100
    assert shifts["gluteus"] == 0  # no scan holds any


def test_one_scan_in_which_the_network_fails_does_not_count(network, leads):
    good = [scan(leads, 100), scan(leads, 101)]
    alone = log_odds_shifts(AsGiven(), network, SEGMENTER, [*good, scan(leads, 100)])
    with_failure = log_odds_shifts(AsGiven(), network, SEGMENTER, [*good, scan(leads - 50, 100)])
    assert with_failure["psoas"] == pytest.approx(alone["psoas"], abs=10 / 511 + 1e-6)


def test_what_is_added_to_the_log_odds_comes_out():
    network = build_network(1, 3, [4, 8, 8], [[2, 2, 2], [2, 2, 2]]).eval()
    image = torch.rand(1, 1, 16, 16, 16)
    with torch.inference_mode():
        before = network(image)
        shift_log_odds(network, {"psoas": -0.5, "gluteus": 0.25})
        added = network(image) - before
    expected = torch.tensor([0.0, -0.5, 0.25]).reshape(1, 3, 1, 1, 1).expand_as(added)
    torch.testing.assert_close(added, expected, atol=1e-5, rtol=0)

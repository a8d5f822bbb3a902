"""Instance norm is torch's own, and leaves the layout as it is."""

import pytest
import torch

from muscle_study.networks.model import load_model
from muscle_study.networks.network import build_network
from muscle_study.networks.norm import InstanceNorm
from muscle_study.protocol.paths import ROOT

LAYOUTS = [torch.channels_last_3d, torch.contiguous_format]


def laid(layout: torch.memory_format) -> torch.Tensor:
    """Return images of different brightness, in a layout."""
    drawn = torch.randn((3, 5, 6, 7, 8), generator=torch.Generator().manual_seed(1))
    brighter = torch.tensor([0.0, 20.0, 3.0]).view(3, 1, 1, 1, 1)
    return ((1 + brighter) * drawn + brighter).to(memory_format=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("learns", [False, True])
def test_it_is_torchs_own_forwards_and_backwards(layout, count, learns):
    results = []
    for norm in (InstanceNorm, torch.nn.InstanceNorm3d):
        layer = norm(5, affine=learns)
        images = laid(layout)[:count].requires_grad_()
        normed = layer(images)
        (normed**3).sum().backward()
        results.append([normed, images.grad, *(weights.grad for weights in layer.parameters())])
    for ours, torchs in zip(*results, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_may_come_in_another_layout(layout):
    gradient = laid(layout).flip(0)
    results = []
    for norm in (InstanceNorm, torch.nn.InstanceNorm3d):
        images = laid(torch.channels_last_3d).requires_grad_()
        norm(5)(images).backward(gradient)
        results.append(images.grad)
    torch.testing.assert_close(*results, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_layout_stays(layout):
    images = laid(layout).requires_grad_()
    normed = InstanceNorm(5)(images)
    normed.sum().backward()
    assert normed.stride() == images.grad.stride() == images.stride()


def test_each_image_is_normalised_alone():
    images = laid(torch.channels_last_3d)
    norm = InstanceNorm(5)
    alone = torch.cat([norm(image) for image in images.split(1)])
    torch.testing.assert_close(norm(images), alone)


def test_it_normalises_in_bfloat16_too():
    exact = laid(torch.channels_last_3d).requires_grad_()
    rough = exact.detach().bfloat16().requires_grad_()
    results = []
    for norm, images in ((InstanceNorm, rough), (torch.nn.InstanceNorm3d, exact)):
        normed = norm(5)(images)
        (normed.float() ** 3).sum().backward()
        results.append((normed, images.grad))
    for ours, torchs in zip(*results, strict=True):
        assert ours.dtype == torch.bfloat16
        assert (ours.float() - torchs).abs().max() < 0.03 * torchs.abs().max()


def test_the_committed_weights_are_of_these_networks():
    model = load_model(ROOT / "data" / "models" / "randomised")
    norms = [each for each in model.localiser.modules() if isinstance(each, InstanceNorm)]
    assert norms and not any(list(each.parameters()) for each in norms)


def test_the_networks_norms_are_of_this_kind():
    network = build_network(1, 3, [2, 4, 8], [[2, 2, 1], [2, 2, 2]])
    norms = [each for each in network.modules() if isinstance(each, torch.nn.InstanceNorm3d)]
    assert norms and all(isinstance(each, InstanceNorm) for each in norms)

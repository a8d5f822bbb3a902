"""MONAI's sliding window over a whole volume, as its tutorials have it."""

from collections.abc import Callable
from pathlib import Path

import torch
from monai.inferers import sliding_window_inference

from benchmarks.study import Network, largest_components
from muscle_study.volumes import Volume, resample

OVERLAP = 0.5


def prepare(run: str, images: Path) -> Callable[[], Volume]:
    """Return the segmentation of a participant by a run's network, from files to labels."""
    network = Network.of(run)

    @torch.inference_mode()
    def work() -> Volume:
        own, image = network.read(images)
        logits = sliding_window_inference(
            image.data.float()[None],
            network.patch_size,
            1,
            network.module,
            overlap=OVERLAP,
            mode="gaussian",
        )
        labels = Volume(logits.argmax(1)[0].to(torch.uint8).numpy(), image.affine)
        return largest_components(resample(labels, own.data.shape, own.affine, order=0))

    return work

"""MONAI's sliding window over a whole volume, as in its tutorials."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from scipy import ndimage

from benchmarks.study import Network
from muscle_study.imaging.volumes import Volume, resample
from muscle_study.networks.parameters import Precision
from muscle_study.networks.precision import autocast

OVERLAP = 0.5
#: Patches per batch. For a single small patch in 32 bits, torch replaces oneDNN's convolutions by
#: its own, which are several times as slow.
TOGETHER = 4


def prepare(
    run: str,
    images: Path,
    spacing_mm: Sequence[float] | None = None,
    precision: Precision = "auto",
) -> Callable[[], Volume]:
    """Return the segmentation of a participant by a run's network, from files to muscles."""
    network, device = Network.of(run, spacing_mm), torch.device("cpu")

    @torch.inference_mode()
    def work() -> Volume:
        own, image = network.read(images)
        with autocast(precision, device):
            logits = sliding_window_inference(
                torch.from_numpy(image.data)[None],
                network.patch_size,
                TOGETHER,
                network.module,
                overlap=OVERLAP,
                mode="gaussian",
            )
        muscles = two_largest(logits.argmax(1)[0].to(torch.uint8).numpy())
        return resample(Volume(muscles, image.affine), own.data.shape, own.affine, order=0)

    return work


def two_largest(muscles: np.ndarray) -> np.ndarray:
    """Keep the two largest components of each muscle, as ours keeps one per side."""
    kept = np.zeros_like(muscles)
    for muscle in np.unique(muscles[muscles > 0]):
        parts, _ = ndimage.label(muscles == muscle)
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        kept[np.isin(parts, np.argsort(sizes)[-2:]) & (parts > 0)] = muscle
    return kept

"""Input of the networks from a participant's curated volumes.

No step estimates constants over participants, so no information of test participants leaks into
training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from muscle_study.imaging.resampling import parallel_grid, resample_parallel
from muscle_study.imaging.volumes import Volume, open_mapped
from muscle_study.protocol.paths import image_file

#: Percentiles of an image that are scaled to 0 and 1.
PERCENTILES = (0.5, 99.5)
#: Voxels for the percentiles: every second along each axis, with practically the same result.
SAMPLED = (slice(None, None, 2),) * 3
#: Description for the model card.
NORMALISATION = f"each image: percentiles {PERCENTILES[0]}–{PERCENTILES[1]} to 0–1, clipped"


def load_channels(
    folder: Path, channels: Sequence[str], stand_ins: Mapping[str, str | None] | None = None
) -> dict[str, Volume]:
    """Load the curated images of the network's channels.

    Parameters
    ----------
    folder
        Folder of the participant's curated images.
    channels
        Channels in the network's order.
    stand_ins
        Names of images that replace channels; None for a channel of zeros.
    """
    sources = {channel: (stand_ins or {}).get(channel, channel) for channel in channels}
    loaded = {name: open_mapped(image_file(folder, name)) for name in set(sources.values()) if name}
    grid = next(iter(loaded.values()))
    empty = Volume(grid.data * 0, grid.affine)
    return {channel: loaded[source] if source else empty for channel, source in sources.items()}


def intensity_range(image: np.ndarray) -> tuple[float, float]:
    """Return the intensities that are scaled to 0 and 1."""
    low, high = np.percentile(image[SAMPLED].ravel(order="K"), PERCENTILES)
    return float(low), float(high)


def network_input(
    images: Mapping[str, Volume],
    ranges: Mapping[str, tuple[float, float]],
    spacing_mm: Sequence[float],
) -> Volume:
    """Return images on a network's grid with scaled intensities: (channels, x, y, z), float32.

    Parameters
    ----------
    images
        Volumes by channel on one grid, whole or a box of it.
    ranges
        Intensities of the whole volumes that are scaled to 0 and 1, in the network's order.
    spacing_mm
        Spacing of the network's grid, whose axes run nearest to R, A and S.
    """
    shape, affine = parallel_grid(next(iter(images.values())), np.asarray(spacing_mm))
    rescaled = [
        _rescaled(resample_parallel(images[channel], shape, affine).data, *ranges[channel])
        for channel in ranges
    ]
    return Volume(np.stack(rescaled), affine)


def _rescaled(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Scale `low` to 0 and `high` to 1; a constant image, an absent channel, becomes 0."""
    if high <= low:
        return np.zeros_like(image)
    return ((image - np.float32(low)) / np.float32(high - low)).clip(0, 1)

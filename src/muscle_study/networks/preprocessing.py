"""From a participant's curated volumes to what a network sees.

Every step uses the participant's own voxels alone: no constant is estimated over participants,
so nothing of a test participant can reach training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from muscle_study.imaging.resampling import parallel_grid, resample_parallel
from muscle_study.imaging.volumes import Volume, open_mapped
from muscle_study.protocol.paths import image_file

#: Intensities between these percentiles of an image are brought to 0–1.
PERCENTILES = (0.5, 99.5)
#: Percentiles are those of every second voxel along each axis: as good, and eight times cheaper.
SAMPLED = (slice(None, None, 2),) * 3
#: What the model card says of it.
NORMALISATION = f"each image: percentiles {PERCENTILES[0]}–{PERCENTILES[1]} to 0–1, clipped"


def load_channels(
    folder: Path, channels: Sequence[str], stand_ins: Mapping[str, str | None] | None = None
) -> dict[str, Volume]:
    """Load the curated images that the network's channels need.

    Parameters
    ----------
    folder
        The participant's curated images.
    channels
        The network's channels, in its order.
    stand_ins
        Image to take for a channel; ``None``: the channel is all zeros.
    """
    sources = {channel: (stand_ins or {}).get(channel, channel) for channel in channels}
    loaded = {name: open_mapped(image_file(folder, name)) for name in set(sources.values()) if name}
    grid = next(iter(loaded.values()))
    empty = Volume(grid.data * 0, grid.affine)
    return {channel: loaded[source] if source else empty for channel, source in sources.items()}


def intensity_range(image: np.ndarray) -> tuple[float, float]:
    """Return the intensities that become 0 and 1."""
    low, high = np.percentile(image[SAMPLED].ravel(order="K"), PERCENTILES)
    return float(low), float(high)


def network_input(
    images: Mapping[str, Volume],
    ranges: Mapping[str, tuple[float, float]],
    spacing_mm: Sequence[float],
) -> Volume:
    """Bring images to a network's grid and intensities.

    Parameters
    ----------
    images
        By channel, on one grid: of a whole volume, or of a box of one.
    ranges
        Intensities of the whole volume that become 0 and 1, by channel, in the network's order.
    spacing_mm
        The network's grid, whose axes run nearest to R, A and S.

    Returns
    -------
    Volume
        Shape (channels, x, y, z), float32; its affine places x, y, z.
    """
    shape, affine = parallel_grid(next(iter(images.values())), np.asarray(spacing_mm))
    rescaled = [
        _rescaled(resample_parallel(images[channel], shape, affine).data, *ranges[channel])
        for channel in ranges
    ]
    return Volume(np.stack(rescaled), affine)


def _rescaled(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Bring `low` to 0 and `high` to 1; an image of one value, an absent channel, becomes 0."""
    if high <= low:
        return np.zeros_like(image)
    return ((image - np.float32(low)) / np.float32(high - low)).clip(0, 1)

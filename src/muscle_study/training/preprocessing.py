"""From a participant's curated volumes to what a network sees.

Every step uses the participant's own voxels alone: no constant is estimated over participants,
so nothing of a test participant can reach training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import torchio as tio

from muscle_study.volumes import Volume, load

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
    loaded = {name: load(folder / f"{name}.nii.gz") for name in set(sources.values()) if name}
    if not loaded:
        raise ValueError("inference.channels leaves the network without any image")
    grid = next(iter(loaded.values()))
    empty = Volume(grid.data * 0, grid.affine)
    return {channel: loaded[source] if source else empty for channel, source in sources.items()}


def intensity_range(image: np.ndarray) -> tuple[float, float]:
    """Return the intensities that become 0 and 1."""
    low, high = np.percentile(image[SAMPLED], PERCENTILES)
    return float(low), float(high)


def make_subject(images: Mapping[str, Volume], label: Volume | None = None) -> tio.Subject:
    """Turn volumes into a TorchIO subject, an image a channel."""
    parts: dict[str, tio.Image] = {
        name: tio.ScalarImage(tensor=_tensor(volume).float(), affine=volume.affine)
        for name, volume in images.items()
    }
    if label is not None:
        parts["label"] = tio.LabelMap(tensor=_tensor(label), affine=label.affine)
    return tio.Subject(parts)


def _tensor(volume: Volume) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(volume.data))[None]


def preprocess(
    subject: tio.Subject,
    ranges: Mapping[str, tuple[float, float]],
    spacing_mm: Sequence[float],
) -> tio.Subject:
    """Bring a subject to a network's grid and intensities.

    Parameters
    ----------
    subject
        Of a whole volume, or of a box of one.
    ranges
        Intensities of the whole volume that become 0 and 1, by channel, in the network's order.
    spacing_mm
        The network's grid.

    Returns
    -------
    torchio.Subject
        ``image``, shape (channels, x, y, z), and ``label`` where the subject had one.
    """
    subject = tio.Compose([tio.ToCanonical(), tio.Resample(tuple(spacing_mm))])(subject)
    affine = subject[next(iter(ranges))].affine
    image = torch.cat([_rescaled(subject[channel].data, *ranges[channel]) for channel in ranges])
    parts: dict[str, tio.Image] = {"image": tio.ScalarImage(tensor=image, affine=affine)}
    if "label" in subject:
        parts["label"] = tio.LabelMap(tensor=subject["label"].data, affine=affine)
    return tio.Subject(parts)


def _rescaled(image: torch.Tensor, low: float, high: float) -> torch.Tensor:
    """Bring `low` to 0 and `high` to 1; an image of one value, an absent channel, becomes 0."""
    if high <= low:
        return torch.zeros_like(image)
    return ((image - low) / (high - low)).clamp(0, 1)

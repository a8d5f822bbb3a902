"""From a participant's curated volumes to what the network sees.

Every step uses the participant's own voxels alone: no constant is estimated over participants,
so nothing of a test participant can reach training.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torchio as tio

from muscle_study.volumes import Volume, load

#: Intensities between these percentiles of an image are brought to 0–1.
PERCENTILES = (0.5, 99.5)
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
    return torch.from_numpy(volume.data)[None]


def preprocess(
    subject: tio.Subject, channels: Sequence[str], spacing_mm: Sequence[float]
) -> tio.Subject:
    """Bring a subject to the network's grid and intensities.

    Returns
    -------
    torchio.Subject
        ``image``, shape (channels, x, y, z), and ``label`` where the subject had one.
    """
    subject = tio.Compose(
        [
            tio.ToCanonical(),
            tio.Resample(tuple(spacing_mm)),
            tio.RescaleIntensity((0, 1), percentiles=PERCENTILES),
        ]
    )(subject)
    stacked = torch.cat([subject[channel].data for channel in channels])
    affine = subject[channels[0]].affine
    parts: dict[str, tio.Image] = {"image": tio.ScalarImage(tensor=stacked, affine=affine)}
    if "label" in subject:
        parts["label"] = tio.LabelMap(tensor=subject["label"].data, affine=affine)
    return tio.Subject(parts)

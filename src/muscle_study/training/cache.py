"""Preprocessed volumes on disk, mapped into memory: a patch costs what it holds, not a volume.

The page cache of the operating system keeps what is used often, and all loader workers share it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from muscle_study.imaging.volumes import load, resample
from muscle_study.mapping.records import Recorded, Records
from muscle_study.networks.preprocessing import intensity_range, load_channels, network_input
from muscle_study.protocol.files import whole_file
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import image_file

#: So many voxels of each label are kept as places that patches can be centred on.
PLACES_A_LABEL = 4096

#: Arrays that are written of a scan.
PARTS = ("image", "label", "places")


class CachedVolume(NamedTuple):
    """An annotated scan on a network's grid, mapped from disk.

    Parameters
    ----------
    image
        Shape (channels, x, y, z), float16, 0 to 1.
    label
        Shape (x, y, z), uint8.
    places
        Some voxels of each label that is there: (n, 3) indices each, spread evenly.
    """

    image: np.ndarray
    label: np.ndarray
    places: list[np.ndarray]


class VolumeCache:
    """Annotated scans as a network sees them.

    Parameters
    ----------
    folder
        Where the cache is kept; what another version or setting left there is made anew.
    channels, spacing_mm
        What the network sees.
    """

    def __init__(self, folder: Path, channels: Sequence[str], spacing_mm: Sequence[float]):
        self.folder, self.channels, self.spacing_mm = folder, channels, spacing_mm
        settings = (channels, spacing_mm)
        records = Records(folder / "records", settings, self._inputs, outputs=self._outputs)
        self.preprocess = Recorded(self._preprocess, records)

    def add(self, name: str, images: Path, label: Path) -> None:
        """Preprocess an annotated scan, unless that was done from these very files.

        Parameters
        ----------
        name
            Of the scan.
        images
            Folder of its images, a file a channel.
        label
            Its label map.
        """
        named_task = name, (name, images, label)
        if self.preprocess.recall(named_task) is None:
            self.preprocess(named_task)

    def _inputs(self, task: tuple[str, Path, Path]) -> list[Path]:
        _, images, label = task
        return [*(image_file(images, channel) for channel in self.channels), label]

    def _outputs(self, task: tuple[str, Path, Path], _record: dict) -> list[Path]:
        return [self._file(task[0], part) for part in PARTS]

    def _preprocess(self, task: tuple[str, Path, Path]) -> dict:
        name, images, label = task
        volumes = load_channels(images, self.channels)
        ranges = {channel: intensity_range(volumes[channel].data) for channel in self.channels}
        image = network_input(volumes, ranges, self.spacing_mm)
        labels = resample(load(label), image.data.shape[1:], image.affine, order=0).data
        labels = labels.astype(np.uint8)
        arrays = image.data.astype(np.float16), labels, _places(labels)
        for part, array in zip(PARTS, arrays, strict=True):
            with whole_file(self._file(name, part)) as beside:
                np.save(beside, array)
        return {}

    def open(self, name: str) -> CachedVolume:
        """Map an added scan into memory."""
        image, label, places = (np.load(self._file(name, part), mmap_mode="r") for part in PARTS)
        by_label = [places[places[:, 0] == value, 1:] for value in Label]
        return CachedVolume(image, label, [of_label for of_label in by_label if len(of_label)])

    def _file(self, name: str, part: str) -> Path:
        return self.folder / f"{name}.{part}.npy"


def _places(labels: np.ndarray) -> np.ndarray:
    """Return some voxels of each label: rows of label, x, y, z."""
    rows = []
    for value in Label:
        found = np.argwhere(labels == value)
        chosen = np.linspace(0, len(found) - 1, min(len(found), PLACES_A_LABEL)).round().astype(int)
        rows.append(np.column_stack([np.full(len(chosen), value), found[chosen]]))
    return np.concatenate(rows).astype(np.int32)

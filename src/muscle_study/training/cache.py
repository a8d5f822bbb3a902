"""Cache of preprocessed volumes on disk, mapped into memory so that a patch reads only itself.

The operating system's page cache keeps frequent parts, shared by all loader workers.
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

#: Voxels of each label that are kept as possible patch centres.
PLACES_A_LABEL = 4096

#: Arrays of a cached scan.
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
        Evenly spread voxel indices of each label present, shape (n, 3) each.
    """

    image: np.ndarray
    label: np.ndarray
    places: list[np.ndarray]


class VolumeCache:
    """Annotated scans on a network's grid.

    Parameters
    ----------
    folder
        Folder of the cache; entries of other versions or settings are replaced.
    channels, spacing_mm
        Channels and grid of the network.
    """

    def __init__(self, folder: Path, channels: Sequence[str], spacing_mm: Sequence[float]):
        self.folder, self.channels, self.spacing_mm = folder, channels, spacing_mm
        settings = (channels, spacing_mm)
        records = Records(folder / "records", settings, self._inputs, outputs=self._outputs)
        self.preprocess = Recorded(self._preprocess, records)

    def add(self, name: str, images: Path, label: Path) -> None:
        """Preprocess a scan unless it is cached from the same files.

        Parameters
        ----------
        name
            Name of the scan.
        images
            Folder with one image file per channel.
        label
            Label map.
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
        """Map a cached scan into memory."""
        image, label, places = (np.load(self._file(name, part), mmap_mode="r") for part in PARTS)
        by_label = [places[places[:, 0] == value, 1:] for value in Label]
        return CachedVolume(image, label, [of_label for of_label in by_label if len(of_label)])

    def _file(self, name: str, part: str) -> Path:
        return self.folder / f"{name}.{part}.npy"


def _places(labels: np.ndarray) -> np.ndarray:
    """Return evenly spread voxels of each label as rows of label, x, y, z."""
    rows = []
    for value in Label:
        found = np.argwhere(labels == value)
        chosen = np.linspace(0, len(found) - 1, min(len(found), PLACES_A_LABEL)).round().astype(int)
        rows.append(np.column_stack([np.full(len(chosen), value), found[chosen]]))
    return np.concatenate(rows).astype(np.int32)

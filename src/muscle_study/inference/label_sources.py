"""Sources of label maps: the study's networks, or masks of another segmenter."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from muscle_study.imaging.volumes import Volume, open_mapped, save
from muscle_study.inference.masks import label_map, mask_files
from muscle_study.inference.parameters import InferenceParameters, MasksParameters
from muscle_study.inference.segment import Segmenter, without_unsure
from muscle_study.networks.model import load_model
from muscle_study.networks.parameters import Precision
from muscle_study.networks.precision import device_of, resolved
from muscle_study.networks.preprocessing import load_channels
from muscle_study.protocol.files import sha256


class LabelSource(ABC):
    """A source of label maps. It pickles, since workers receive it."""

    @property
    @abstractmethod
    def settings(self) -> dict:
        """Values that a label map depends on beside the participant's files; JSON-able."""

    def inputs(self, images: Path) -> list[Path]:
        """Return the files that the label map of a folder of curated images depends on."""
        return sorted(images.iterdir())

    @abstractmethod
    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map on the images' grid and its columns of ``records.csv``."""


@dataclass(frozen=True)
class FromNetwork(LabelSource):
    """Label maps of our network.

    Parameters
    ----------
    model
        Folder of the model.
    parameters
        Parameters of inference.
    weights
        Hashes of the model's files by name.
    """

    model: Path
    parameters: InferenceParameters
    weights: tuple[tuple[str, str], ...]

    @property
    def settings(self) -> dict:
        """Weights and parameters."""
        wanted = {"channels", "accelerator", "precision", "min_predicted_dice"}
        return {"weights": self.weights, **self.parameters.model_dump(include=wanted)}

    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map, predicted Dice and numbers of removed stray voxels."""
        of = self.parameters
        segmenter = load_segmenter(self.model, of.accelerator, of.precision, self.weights)
        wanted = segmenter.model.card.parameters.channels
        segmented = segmenter(load_channels(images, wanted, of.channels))
        labels = without_unsure(segmented.labels, segmented.predicted_dice, of.min_predicted_dice)
        predicted = {
            f"predicted_dice_{label.name.lower()}": None if np.isnan(dice) else round(dice, 4)
            for label, dice in segmented.predicted_dice.items()
        }
        removed = {
            f"removed_{label.name.lower()}": count for label, count in segmented.removed.items()
        }
        return labels, {**predicted, **removed}


@dataclass(frozen=True)
class FromMasks(LabelSource):
    """Masks of another segmenter, without predicted Dice.

    Parameters
    ----------
    parameters
        Location and meaning of the masks.
    """

    parameters: MasksParameters

    @property
    def settings(self) -> dict:
        """Parameters."""
        return self.parameters.model_dump()

    def inputs(self, images: Path) -> list[Path]:
        """Return the images and the masks."""
        return [*super().inputs(images), *mask_files(self.parameters, images.name)]

    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map alone."""
        files = mask_files(self.parameters, images.name)
        own = open_mapped(min(images.iterdir()))
        return label_map(files, own, binary=self.parameters.a_file_a_structure), {}


@cache
def load_segmenter(
    model: Path, accelerator: str, precision: Precision, _weights: tuple
) -> Segmenter:
    """Load the model, once per process and version of its weights."""
    device = device_of(accelerator)
    return Segmenter(load_model(model, device), device, resolved(precision, device))


def label_map_file(images: Path, folder: Path) -> Path:
    """Return the file in `folder` of the label map of a folder of images."""
    return folder / f"{images.name}.nii.gz"


def write_label_map(images: Path, source: LabelSource, folder: Path) -> dict:
    """Write the label map of a participant.

    Returns
    -------
    dict
        Columns of ``records.csv``.

    Raises
    ------
    Excluded
        As the source does.
    """
    labels, about = source.label(images)
    file = label_map_file(images, folder)
    save(labels, file)
    return {"sha256": sha256(file), **about}

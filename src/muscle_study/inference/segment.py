"""A label map from a participant's images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from monai.inferers import sliding_window_inference
from nibabel.affines import apply_affine
from scipy import ndimage

from muscle_study.labels import STRUCTURES, Label
from muscle_study.training.model import ModelCard
from muscle_study.training.preprocessing import make_subject, preprocess
from muscle_study.volumes import Volume, resample

#: Preprocessed intensities above this are taken for body, not air; a row of voxels counts when
#: this share of it is body. Generous: the box only saves time in air.
BODY_LEVEL, BODY_SHARE = 0.1, 0.01
#: Probabilities up to this one are not interpolated: they never win.
NEGLIGIBLE = 0.01


@dataclass(frozen=True)
class Segmenter:
    """A network with its card, on its device.

    Parameters
    ----------
    network
        In evaluation mode.
    card
        How its input is made.
    device
        Where it runs.
    patch_overlap
        Share of a patch that neighbouring patches overlap by.
    """

    network: torch.nn.Module
    card: ModelCard
    device: torch.device
    patch_overlap: float

    def __call__(self, images: Mapping[str, Volume]) -> Volume:
        """Segment a participant.

        Parameters
        ----------
        images
            A volume for each of the card's channels, on one grid.

        Returns
        -------
        Volume
            Labels on the images' own grid, uint8.
        """
        subject = preprocess(make_subject(images), self.card.channels, self.card.spacing_mm)
        probabilities = self._probabilities(subject["image"].data.float())
        own = next(iter(images.values()))
        return most_probable(probabilities, subject["image"].affine, own)

    @torch.inference_mode()
    def _probabilities(self, image: torch.Tensor) -> np.ndarray:
        """Return label probabilities, shape (labels, x, y, z); air is background."""
        box = body_box(image)
        inside = image[(slice(None), *box)][None].to(self.device)
        logits = sliding_window_inference(
            inside,
            self.card.patch_size,
            1,
            self.network,
            overlap=self.patch_overlap,
            mode="gaussian",
        )
        probabilities = torch.zeros(len(Label), *image.shape[1:])
        probabilities[Label.BACKGROUND] = 1
        probabilities[(slice(None), *box)] = logits.softmax(1)[0].float().cpu()
        return probabilities.numpy()


def body_box(image: torch.Tensor) -> tuple[slice, slice, slice]:
    """Return the box around the body; the whole image if there seems to be none.

    Parameters
    ----------
    image
        Preprocessed, shape (channels, x, y, z).
    """
    body = (image > BODY_LEVEL).any(0)
    box = []
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        filled = torch.nonzero(body.float().mean(others) > BODY_SHARE)
        box.append(slice(int(filled.min()), int(filled.max()) + 1) if len(filled) else slice(None))
    return tuple(box)


def most_probable(probabilities: np.ndarray, affine: np.ndarray, grid: Volume) -> Volume:
    """Return the most probable label at each voxel of another grid.

    One structure's probabilities are interpolated at a time, and only in the box where there are
    any: memory holds two volumes of the target grid and never one a label, and most of the body
    costs nothing. The background's is what the structures leave of one.

    Parameters
    ----------
    probabilities
        Shape (labels, x, y, z).
    affine
        Of their grid.
    grid
        Volume whose grid is wanted.
    """
    shape = grid.data.shape
    labels = np.zeros(shape, np.uint8)
    highest, total = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for label in STRUCTURES:
        source = Volume(probabilities[label], affine)
        if (box := _box_of(source, grid)) is None:
            continue
        corner = grid.affine.copy()
        corner[:3, 3] = apply_affine(grid.affine, [part.start for part in box])
        here = resample(source, tuple(part.stop - part.start for part in box), corner).data
        better = here > highest[box]
        labels[box][better] = label
        highest[box] = np.maximum(highest[box], here)
        total[box] += here
    labels[highest <= 1 - total] = Label.BACKGROUND
    return Volume(labels, grid.affine)


def _box_of(probability: Volume, grid: Volume) -> tuple[slice, slice, slice] | None:
    """Return the part of `grid` where `probability` is not negligible; None if nowhere."""
    found = ndimage.find_objects((probability.data > NEGLIGIBLE).astype(np.uint8))
    if not found:
        return None
    # one voxel more on each side: interpolation reaches that far
    ends = [(part.start - 1, part.stop) for part in found[0]]
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1).T
    world = apply_affine(probability.affine, corners)
    reached = apply_affine(np.linalg.inv(grid.affine), world)
    low = np.clip(np.floor(reached.min(axis=0)).astype(int), 0, grid.data.shape)
    high = np.clip(np.ceil(reached.max(axis=0)).astype(int) + 1, 0, grid.data.shape)
    if (high <= low).any():
        return None
    return tuple(slice(int(first), int(last)) for first, last in zip(low, high, strict=True))


def keep_largest_components(labels: Volume) -> tuple[Volume, dict[str, int]]:
    """Keep the largest connected part of each muscle.

    Returns
    -------
    Volume
        The cleaned label map.
    dict
        Removed voxels by structure, ``removed_<structure>``.
    """
    cleaned = labels.data.copy()
    removed = {}
    for label in STRUCTURES:
        box = ndimage.find_objects((labels.data == label).astype(np.uint8))
        count = 0
        if box:
            inside = labels.data[box[0]] == label
            parts, _ = ndimage.label(inside)
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            stray = inside & (parts != sizes.argmax())
            cleaned[box[0]][stray] = Label.BACKGROUND
            count = int(stray.sum())
        removed[f"removed_{label.name.lower()}"] = count
    return Volume(cleaned, labels.affine), removed

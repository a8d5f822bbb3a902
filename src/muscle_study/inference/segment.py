"""Segment a participant's images: localise the muscles, then outline them there."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import NamedTuple

import numpy as np
import torch
from nibabel.affines import apply_affine
from scipy import ndimage

from muscle_study.imaging.resampling import resample_parallel
from muscle_study.imaging.volumes import Volume, resample
from muscle_study.networks.localiser import MARGIN_MM, localise
from muscle_study.networks.model import Model
from muscle_study.networks.network import run_over
from muscle_study.networks.parameters import Precision
from muscle_study.networks.precision import autocast
from muscle_study.networks.preprocessing import intensity_range, network_input
from muscle_study.protocol.muscles import MUSCLES, SIDES, STRUCTURES, Label, label_of

#: Tiles farther than this from any localised muscle are skipped (mm); the localiser's outlines are
#: less accurate than that.
NEAR_MM = 15.0
#: Probability up to which a muscle cannot win, so that nothing is interpolated.
NEGLIGIBLE = 0.01

Box = tuple[slice, slice, slice]


@dataclass(frozen=True)
class Segmented:
    """Segmentation of a participant.

    Parameters
    ----------
    labels
        Label map on the images' grid, uint8; one part of each structure (`keep_largest_parts`).
    removed
        Voxels of the other parts, by structure.
    predicted_dice
        Predicted Dice by structure, NaN if not found: the geometric mean of `agreement` and
        `expected_dice`. Where the networks agree on nothing, no probability compensates.
    """

    labels: Volume
    removed: dict[Label, int]
    predicted_dice: dict[Label, float]


@dataclass(frozen=True)
class Segmenter:
    """A model with the device and floating-point format in which it runs."""

    model: Model
    device: torch.device
    precision: Precision

    def __call__(self, images: Mapping[str, Volume]) -> Segmented:
        """Segment a participant from volumes of the model's channels, on one grid."""
        trained = self.model.card.parameters
        ranges = {name: intensity_range(images[name].data) for name in trained.channels}
        own = images[trained.channels[0]]
        with autocast(self.precision, self.device):
            located = localise(self.model.localiser, trained.localiser, images, ranges, self.device)
        found, _ = keep_largest_parts(located)
        box = box_around(found, own, MARGIN_MM)
        if box is None:
            nothing = Volume(np.zeros(own.data.shape, np.uint8), own.affine)
            none = dict.fromkeys(STRUCTURES, 0)
            return Segmented(nothing, none, dict.fromkeys(STRUCTURES, float("nan")))
        inside = {name: part_of(images[name], box) for name in trained.channels}
        seen = network_input(inside, ranges, trained.segmenter.spacing_mm)
        near = partial(near_muscle, found, seen.data.shape[1:], seen.affine)
        outputs = self._probabilities(torch.from_numpy(seen.data), near)
        sides = Sides(found)
        labels = np.zeros(own.data.shape, np.uint8)
        if muscles := most_probable(np.mean(outputs, axis=0), seen.affine, own):
            labels[muscles.box] = sides.given_to(muscles.classes).data
        maps = [
            sides.given_to(Volume(each.argmax(0).astype(np.uint8), seen.affine)) for each in outputs
        ]
        coarse = resample(found, seen.data.shape[1:], seen.affine, order=0)
        agreed = agreement(coarse.data, [each.data for each in maps])
        promised = [expected_dice(*each, sides) for each in zip(outputs, maps, strict=True)]
        predicted = {
            label: float(np.sqrt(agreed[label] * np.mean([each[label] for each in promised])))
            for label in STRUCTURES
        }
        kept, removed = keep_largest_parts(Volume(labels, own.affine), found)
        return Segmented(kept, removed, predicted)

    @torch.inference_mode()
    def _probabilities(
        self, image: torch.Tensor, near: Callable[[], np.ndarray]
    ) -> list[np.ndarray]:
        """Return each segmenter's probabilities, shape (classes, x, y, z)."""
        of = self.model.card.parameters.segmenter
        outputs = []
        for network in self.model.segmenters:
            with autocast(self.precision, self.device):
                logits = run_over(network, image[None].to(self.device), of, near)
            outputs.append(logits[0].float().softmax(0).cpu().numpy())
        return outputs


def near_muscle(located: Volume, shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    """Return which voxels of a grid are within `NEAR_MM` of a localised muscle, boolean."""
    distance_mm = ndimage.distance_transform_edt(located.data == 0, located.spacing_mm)
    near = Volume((distance_mm <= NEAR_MM).astype(np.uint8), located.affine)
    return resample(near, shape, affine, order=0).data > 0


def expected_dice(probabilities: np.ndarray, labels: Volume, sides: "Sides") -> dict[Label, float]:
    """Return the Dice coefficient expected from the probabilities by structure; NaN if absent.

    If each voxel is muscle with its probability p, independently of the others, the expectation for
    a mask M is about ``2 Σ_M p / (|M| + Σ p)``.

    Parameters
    ----------
    probabilities
        Shape (classes, x, y, z).
    labels
        Masks on the same grid.
    sides
        Side of each place.
    """
    inside, everywhere = np.zeros((2, len(Label)))
    for muscle, of_muscle in enumerate(probabilities[1:], start=1):
        likely = of_muscle > NEGLIGIBLE
        where = sides.given_to(Volume(likely * np.uint8(muscle), labels.affine)).data[likely]
        weight = of_muscle[likely].astype(np.float64)
        everywhere += np.bincount(where, weight, len(Label))
        own = where == labels.data[likely]
        inside += np.bincount(where[own], weight[own], len(Label))
    size = np.bincount(labels.data.ravel(), minlength=len(Label))
    with np.errstate(invalid="ignore"):
        dice = 2 * inside / (size + everywhere)
    return {label: float(dice[label]) for label in STRUCTURES}


def agreement(located: np.ndarray, outlined: Sequence[np.ndarray]) -> dict[Label, float]:
    """Return the agreement of label maps by structure; NaN if absent from all.

    The mean Dice coefficient of the localiser's map with the segmenters'; for several segmenters,
    its geometric mean with theirs among each other. What the localiser did not find thus counts as
    little in an ensemble as with one segmenter.

    Parameters
    ----------
    located, outlined
        Label maps of the localiser and of each segmenter, of one shape.
    """
    agreed = {}
    for label in STRUCTURES:
        coarse, *fine = (labels == label for labels in (located, *outlined))
        with_localiser = _mean_dice((coarse, each) for each in fine)
        kinds = [with_localiser, _mean_dice(combinations(fine, 2))]
        known = [dice for dice in kinds if not np.isnan(dice)]
        agreed[label] = float(np.prod(known) ** (1 / len(known))) if known else float("nan")
    return agreed


def _mean_dice(pairs: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
    """Return the mean Dice of pairs of masks that are not both empty; NaN if there are none."""
    dice = [
        2 * (one & other).sum() / (one.sum() + other.sum())
        for one, other in pairs
        if one.any() or other.any()
    ]
    return float(np.mean(dice)) if dice else float("nan")


def part_of(volume: Volume, box: Box) -> Volume:
    """Return the part of a volume in a box of voxels, with its affine."""
    affine = volume.affine.copy()
    affine[:3, 3] = apply_affine(volume.affine, [part.start for part in box])
    return Volume(volume.data[box], affine)


def box_around(mask: Volume, grid: Volume, margin_mm: float) -> Box | None:
    """Return the box of `grid` around the non-zero voxels of `mask`; None if it is empty.

    Parameters
    ----------
    mask
        Volume on any grid.
    grid
        Volume whose voxels the box counts.
    margin_mm
        Margin on every side, mm.
    """
    found = ndimage.find_objects((mask.data > 0).astype(np.uint8))
    if not found:
        return None
    ends = [(part.start - 0.5, part.stop - 0.5) for part in found[0]]
    corners = np.array(np.meshgrid(*ends)).reshape(3, -1).T
    reached = apply_affine(np.linalg.inv(grid.affine) @ mask.affine, corners)
    margin = margin_mm / grid.spacing_mm
    low = np.clip(np.floor(reached.min(axis=0) - margin).astype(int), 0, grid.data.shape)
    high = np.clip(np.ceil(reached.max(axis=0) + margin).astype(int) + 1, 0, grid.data.shape)
    if (high <= low).any():
        return None
    return tuple(slice(int(first), int(last)) for first, last in zip(low, high, strict=True))


class Sides:
    """Side of each place: that of the nearest localised part of the muscle.

    For a muscle without one of its sides, which may have been missed, the nearest part of any
    muscle counts.

    Parameters
    ----------
    located
        Label map of the localiser on its coarse grid, not empty.
    """

    def __init__(self, located: Volume):
        self.affine = located.affine
        #: Labels by class of the segmenter, on the coarse grid.
        self.nearest = np.stack(
            [np.zeros_like(located.data), *(_nearest_side(located, muscle) for muscle in MUSCLES)]
        )

    def given_to(self, muscles: Volume) -> Volume:
        """Return labels for classes of the segmenter, on the same grid."""
        places = np.argwhere(muscles.data)
        coarse = apply_affine(np.linalg.inv(self.affine) @ muscles.affine, places)
        inside = np.clip(np.rint(coarse).astype(int), 0, np.array(self.nearest.shape[1:]) - 1)
        labels = np.zeros(muscles.data.shape, np.uint8)
        where = tuple(places.T)
        labels[where] = self.nearest[(muscles.data[where], *inside.T)]
        return Volume(labels, muscles.affine)


def _nearest_side(located: Volume, muscle: str) -> np.ndarray:
    """Return at each voxel the muscle's label on the side localised nearest."""
    sides = np.zeros(len(Label), np.uint8)
    for side in SIDES:
        sides[[label_of(other, side) for other in MUSCLES]] = label_of(muscle, side)
    of_muscle = [located.data == label_of(muscle, side) for side in SIDES]
    both = all(of_side.any() for of_side in of_muscle)
    anywhere = np.logical_or(*of_muscle) if both else located.data > 0
    nearest = ndimage.distance_transform_edt(
        ~anywhere, located.spacing_mm, return_distances=False, return_indices=True
    )
    return sides[located.data[tuple(nearest)]]


class InBox(NamedTuple):
    """Classes in a part of a volume; elsewhere is background."""

    box: Box
    classes: Volume


def most_probable(probabilities: np.ndarray, affine: np.ndarray, grid: Volume) -> InBox | None:
    """Return the most probable class at each voxel of another grid; None if no muscle is there.

    The muscles' probabilities are interpolated only in the box that holds any, to save memory and
    time. The background's is one minus theirs.

    Parameters
    ----------
    probabilities
        Shape (classes, x, y, z).
    affine
        Affine of their grid, whose axes are parallel to the other grid's.
    grid
        Volume on the other grid.
    """
    spacing_mm = Volume(probabilities[0], affine).spacing_mm
    anywhere = Volume(probabilities[1:].max(axis=0) > NEGLIGIBLE, affine)
    # interpolation reaches one voxel farther
    if (box := box_around(anywhere, grid, float(spacing_mm.max()))) is None:
        return None
    target = part_of(grid, box)
    psoas, gluteus = (
        resample_parallel(Volume(each, affine), target.data.shape, target.affine).data
        for each in probabilities[1:]
    )
    background = 1 - psoas - gluteus
    likelier = np.where(gluteus > psoas, np.uint8(2), np.uint8(1))
    classes = likelier * (np.maximum(psoas, gluteus) > background)
    return InBox(box, Volume(classes, target.affine))


def keep_largest_parts(
    labels: Volume, located: Volume | None = None
) -> tuple[Volume, dict[Label, int]]:
    """Keep the largest connected part of each structure.

    Parameters
    ----------
    labels
        Label map.
    located
        Label map of the localiser on a parallel grid, which connects parts: a muscle that an
        implant interrupts is not cut off there.

    Returns
    -------
    Volume
        Cleaned label map.
    dict
        Removed voxels by structure.
    """
    cleaned = labels.data.copy()
    removed = dict.fromkeys(STRUCTURES, 0)
    boxes = ndimage.find_objects(labels.data, max_label=len(STRUCTURES))
    for label, box in zip(STRUCTURES, boxes, strict=True):
        if box is None:
            continue
        here = part_of(labels, box)
        inside = here.data == label
        connected = inside
        if located is not None:
            of_localiser = resample(located, inside.shape, here.affine, order=0)
            connected = inside | (of_localiser.data == label)
        parts, _ = ndimage.label(connected)
        stray = inside & (parts != np.bincount(parts[inside]).argmax())
        cleaned[box][stray] = Label.BACKGROUND
        removed[label] = int(stray.sum())
    return Volume(cleaned, labels.affine), removed


def without_unsure(labels: Volume, predicted_dice: Mapping[Label, float], least: float) -> Volume:
    """Remove structures whose predicted Dice is below `least`; they count as not found."""
    unsure = [label for label in STRUCTURES if predicted_dice[label] < least]
    kept = np.where(np.isin(labels.data, unsure), np.uint8(Label.BACKGROUND), labels.data)
    return Volume(kept, labels.affine)

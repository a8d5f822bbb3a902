"""The body in an image, told from the air around it, fine enough to judge an image by."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from muscle_study.imaging.volumes import Volume

#: The body is where the signal exceeds this share of its 90th percentile.
BODY_SHARE = 0.2

#: Every voxel that is so far from the last one is looked at (mm): slices are judged one by one.
PITCH_MM = (2.8, 2.8, 9.0)

#: In-plane neighbours alone: slices lie too far apart to tell of one another.
IN_PLANE = ndimage.generate_binary_structure(3, 1) & (np.arange(3) == 1)


def body_mask(image: np.ndarray) -> np.ndarray:
    """Tell which voxels hold signal; organs without signal are not among them."""
    return image > BODY_SHARE * np.percentile(image, 90)


@dataclass(frozen=True)
class Body:
    """An image thinned out, and what of it is body.

    Parameters
    ----------
    image
        Signal, shape (x, y, z) in RAS order, float32.
    spacing_mm
        Between its voxels.
    """

    image: np.ndarray
    spacing_mm: np.ndarray

    @classmethod
    def of(cls, images: Mapping[str, Volume]) -> "Body":
        """Thin out the image with signal in water and fat: in phase, their sum, or the only one."""
        thin = {name: thinned(volume) for name, volume in images.items()}
        first = next(iter(thin.values()))
        if "in_phase" in thin:
            image = thin["in_phase"].data.astype(np.float32)
        elif {"water", "fat"} <= thin.keys():
            image = thin["water"].data.astype(np.float32) + thin["fat"].data
        else:
            # air is the darkest: 0 in MR, far below it in CT
            image = first.data.astype(np.float32) - np.float32(first.data.min())
        return cls(image, first.spacing_mm)

    @cached_property
    def inside(self) -> np.ndarray:
        """The body with all that it encloses in a slice; specks of noise or ghosts are not."""
        solid = ndimage.binary_opening(body_mask(self.image), IN_PLANE)
        return ndimage.binary_fill_holes(solid, IN_PLANE)

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """Distance from the air in the slice, 0 outside; the field of view's edge is air too."""
        padded = np.pad(self.inside, ((1, 1), (1, 1), (0, 0)))
        return ndimage.distance_transform_edt(padded, sampling=self._in_plane)[1:-1, 1:-1]

    @cached_property
    def away_mm(self) -> np.ndarray:
        """Distance from the body in the slice, 0 inside."""
        return ndimage.distance_transform_edt(~self.inside, sampling=self._in_plane)

    @property
    def _in_plane(self) -> list[float]:
        return [*self.spacing_mm[:2], 1e6]

    @cached_property
    def brightness(self) -> float:
        """Median signal of the body."""
        signal = self.image[body_mask(self.image)]
        return float(np.median(signal)) if signal.size else 0.0

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Indices x and y of the body's middle."""
        along = [self.inside.sum(axis=axes) for axes in ((1, 2), (0, 2))]
        return tuple(
            float(np.average(np.arange(len(counts)), weights=counts + 1e-9)) for counts in along
        )

    def from_middle_mm(self) -> tuple[np.ndarray, np.ndarray]:
        """Return how far to the right, shape (x, 1, 1), and to the front, (1, y, 1), voxels lie."""
        right, front = (
            (np.arange(n) - middle) * spacing
            for n, middle, spacing in zip(
                self.image.shape, self.middle, self.spacing_mm, strict=False
            )
        )
        return right[:, None, None], front[None, :, None]


def thinned(volume: Volume) -> Volume:
    """Return every n-th voxel of a RAS volume, about `PITCH_MM` apart; noise stays as it is."""
    steps = np.maximum(np.round(PITCH_MM / volume.spacing_mm), 1).astype(int)
    first = np.minimum(steps // 2, np.array(volume.data.shape) - 1)
    data = volume.data[tuple(slice(*start) for start in zip(first, [None] * 3, steps, strict=True))]
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    affine[:3, :3] *= steps
    return Volume(data, affine)

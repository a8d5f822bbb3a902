"""The body in an image, separated from the surrounding air, for checks of image quality."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage

from muscle_study.imaging.volumes import Volume

#: Signal threshold of the body, as a share of the 90th percentile.
BODY_SHARE = 0.2

#: Distance between the voxels that are examined (mm).
PITCH_MM = (2.8, 2.8, 9.0)

#: In-plane neighbours only: slices lie too far apart to inform each other.
IN_PLANE = ndimage.generate_binary_structure(3, 1) & (np.arange(3) == 1)


def body_mask(image: np.ndarray) -> np.ndarray:
    """Return the voxels with signal; organs without signal are left out."""
    return image > BODY_SHARE * np.percentile(image, 90)


@dataclass(frozen=True)
class Body:
    """A thinned image and the body in it.

    Parameters
    ----------
    image
        Signal, shape (x, y, z) in RAS order, float32.
    spacing_mm
        Voxel edges, shape (3,).
    """

    image: np.ndarray
    spacing_mm: np.ndarray

    @classmethod
    def of(cls, images: Mapping[str, Volume]) -> "Body":
        """Thin the image with signal of water and fat: in phase, their sum, or the only image."""
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
        """The body with enclosed holes filled in each slice, without specks of noise or ghosts."""
        solid = ndimage.binary_opening(body_mask(self.image), IN_PLANE)
        return ndimage.binary_fill_holes(solid, IN_PLANE)

    @cached_property
    def depth_mm(self) -> np.ndarray:
        """In-plane distance from the air, 0 outside; beyond the field of view is air."""
        padded = np.pad(self.inside, ((1, 1), (1, 1), (0, 0)))
        return ndimage.distance_transform_edt(padded, sampling=self._in_plane)[1:-1, 1:-1]

    @cached_property
    def away_mm(self) -> np.ndarray:
        """In-plane distance from the body, 0 inside."""
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
        """Return distances from the middle to the right, (x, 1, 1), and front, (1, y, 1)."""
        right, front = (
            (np.arange(n) - middle) * spacing
            for n, middle, spacing in zip(
                self.image.shape, self.middle, self.spacing_mm, strict=False
            )
        )
        return right[:, None, None], front[None, :, None]


def thinned(volume: Volume) -> Volume:
    """Return every n-th voxel of a RAS volume, about `PITCH_MM` apart, without smoothing."""
    steps = np.maximum(np.round(PITCH_MM / volume.spacing_mm), 1).astype(int)
    first = np.minimum(steps // 2, np.array(volume.data.shape) - 1)
    data = volume.data[tuple(slice(*start) for start in zip(first, [None] * 3, steps, strict=True))]
    affine = volume.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ first
    affine[:3, :3] *= steps
    return Volume(data, affine)

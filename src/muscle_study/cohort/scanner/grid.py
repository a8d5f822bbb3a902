"""The voxel grid of the scanner."""

from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.fields import FIELD_OF_VIEW_MM
from muscle_study.imaging.volumes import Volume


@dataclass(frozen=True)
class Grid:
    """Voxels with edges `spacing_mm` (x, y, z) that fill the field of view."""

    spacing_mm: tuple[float, float, float]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of whole voxels along x, y, z."""
        nx, ny, nz = (
            int((high - low) / edge + 1e-9)
            for (low, high), edge in zip(FIELD_OF_VIEW_MM, self.spacing_mm, strict=True)
        )
        return nx, ny, nz

    def axes_mm(
        self, factors: tuple[int, int, int] = (1, 1, 1), slices: slice = slice(None)
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return rising x, y, z of points, `factors` per voxel edge, in slices from the feet."""
        x, y, z = (
            low + edge / factor * (np.arange(count * factor) + 0.5)
            for (low, _), edge, factor, count in zip(
                FIELD_OF_VIEW_MM, self.spacing_mm, factors, self.shape, strict=True
            )
        )
        first, last, _ = slices.indices(self.shape[2])
        return x, y, z[first * factors[2] : last * factors[2]]

    def volume(self, data_zyx: np.ndarray, first_slice: int = 0) -> Volume:
        """Return an array of shape (nz, ny, nx), rising R, A, S, as a volume stored L, P, S."""
        data = np.ascontiguousarray(data_zyx.transpose(2, 1, 0)[::-1, ::-1])
        x, y, z = self.axes_mm()
        affine = np.diag([-self.spacing_mm[0], -self.spacing_mm[1], self.spacing_mm[2], 1.0])
        affine[:3, 3] = x[-1], y[-1], z[first_slice]
        return Volume(data, affine)

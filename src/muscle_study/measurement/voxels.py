"""The labelled voxels of a label map: sums, volumes and axial areas."""

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from nibabel.orientations import io_orientation

from muscle_study.imaging.volumes import MM2_PER_CM2, MM3_PER_ML, Volume
from muscle_study.protocol.muscles import Label

X, Z = 0, 2  # rows of a RAS affine: to the right, to the head


@dataclass(frozen=True)
class LabelledVoxels:
    """Voxels that carry a label; `grid` is the label map, in any orientation."""

    grid: Volume

    @cached_property
    def index(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Indices of the voxels along the three axes, shape (n,) each."""
        return np.nonzero(self.grid.data)

    @cached_property
    def label(self) -> np.ndarray:
        """Label of each voxel, shape (n,)."""
        return self.grid.data[self.index].astype(np.intp)

    @cached_property
    def head_axis(self) -> int:
        """The grid's axis nearest to the participant's long axis."""
        return int(np.flatnonzero(io_orientation(self.grid.affine)[:, 0] == Z)[0])

    def sums(self, values: np.ndarray | None = None) -> np.ndarray:
        """Return sums of `values`, shape (n,), by label, shape (5,); without them, counts."""
        return np.bincount(self.label, weights=values, minlength=len(Label))

    @cached_property
    def interior(self) -> np.ndarray:
        """Whether a voxel's eight neighbours in the slice have the same label, shape (n,).

        The edge of the field of view does not count as the structure's edge.
        """
        inside = np.ones(len(self.label), bool)
        in_plane = sorted({0, 1, 2} - {self.head_axis})
        for steps in itertools.product((-1, 0, 1), repeat=2):
            neighbour = list(self.index)
            for axis, step in zip(in_plane, steps, strict=True):
                neighbour[axis] = np.clip(neighbour[axis] + step, 0, self.grid.data.shape[axis] - 1)
            inside &= self.grid.data[tuple(neighbour)] == self.label
        return inside

    def interior_sums(self, image: Volume) -> np.ndarray:
        """Return sums of an image on the same grid over each label's interior, shape (5,)."""
        values = image.data[self.index].astype(np.float64)
        return self.sums(np.where(self.interior, values, 0.0))

    @cached_property
    def volume_ml(self) -> np.ndarray:
        """Volume per label, shape (5,)."""
        return self.sums() * self.grid.voxel_ml

    @cached_property
    def centroid_x_mm(self) -> np.ndarray:
        """Mean x per label, shape (5,), growing to the participant's right; NaN where absent."""
        slopes, offset = self.grid.affine[X, :3], self.grid.affine[X, 3]
        totals = sum(
            slope * self.sums(along) for slope, along in zip(slopes, self.index, strict=True)
        )
        count = self.sums()
        return np.where(count > 0, offset + totals / np.maximum(count, 1), np.nan)

    def at_border(self, *labels: Label) -> bool:
        """Return whether any of the labels touches a face of the field of view."""
        return self._touches(range(3), labels)

    def at_side(self, *labels: Label) -> bool:
        """Return whether any of them touches a face other than the first and last slice."""
        return self._touches({0, 1, 2} - {self.head_axis}, labels)

    def _touches(self, axes: Iterable[int], labels: Collection[Label]) -> bool:
        of_labels = np.isin(self.label, labels)
        for axis in axes:
            along, last = self.index[axis][of_labels], self.grid.data.shape[axis] - 1
            if ((along == 0) | (along == last)).any():
                return True
        return False


@dataclass(frozen=True)
class AxialProfile:
    """Axial cross-sectional areas from the feet upwards.

    Parameters
    ----------
    z_mm
        Levels of the slabs' middles, shape (slabs,).
    csa_cm2
        Areas by label and slab, shape (5, slabs).
    """

    z_mm: np.ndarray
    csa_cm2: np.ndarray

    def maximum(self, label: Label) -> tuple[float, float]:
        """Return a label's largest area (cm²) and its lowest level (mm); 0 and NaN if absent."""
        areas = self.csa_cm2[label]
        if not areas.any():
            return 0.0, float("nan")
        slab = int(areas.argmax())
        return float(areas[slab]), float(self.z_mm[slab])

    def extent(self, label: Label) -> slice:
        """Return the slabs from a label's lowest to its highest, including gaps."""
        filled = np.flatnonzero(self.csa_cm2[label])
        return slice(filled[0], filled[-1] + 1) if filled.size else slice(0, 0)


def axial_profile(voxels: LabelledVoxels) -> AxialProfile:
    """Measure cross-sectional areas in the participant's axial plane.

    The area at a level is volume per height, dV/dz, over slabs as thick as the z-component of one
    step along the grid's axis nearest to z. A voxel belongs to the slab of its centre, and
    ``area = voxels · voxel volume / slab thickness``. On an upright grid slabs are slices, and this
    is the count times the pixel's area. On an oblique grid each column of voxels along that axis
    meets each slab once and cuts ``voxel volume / thickness`` from the axial plane, so that areas
    need no correction for the tilt. In both, areas times thickness add up to the volume.
    """
    slopes = voxels.grid.affine[Z, :3]
    thickness_mm = abs(slopes[voxels.head_axis])
    above_first_mm = sum(slope * along for slope, along in zip(slopes, voxels.index, strict=True))
    slab = np.floor(above_first_mm / thickness_mm + 0.5).astype(np.intp)
    lowest, n_slabs = (slab.min(), np.ptp(slab) + 1) if slab.size else (0, 0)
    counts = np.bincount(
        voxels.label * n_slabs + slab - lowest, minlength=len(Label) * n_slabs
    ).reshape(len(Label), n_slabs)
    area_cm2 = voxels.grid.voxel_ml * MM3_PER_ML / thickness_mm / MM2_PER_CM2
    z_mm = voxels.grid.affine[Z, 3] + (lowest + np.arange(n_slabs)) * thickness_mm
    return AxialProfile(z_mm, counts * area_cm2)

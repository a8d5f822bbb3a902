"""Fields of view that are too small for the body."""

from dataclasses import replace

import numpy as np

from muscle_study.cohort.faults.dixon import axis_mm
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

#: A voxel belongs to the body above this share of the signal's 99th percentile.
BODY_SHARE = 0.1
#: Noise alone does not lift this share of a sagittal slice over it.
LEAST_OF_SLICE = 0.005


def cut_top(scan: Scan, cut_mm: float) -> Scan:
    """Take away what lies next to the head."""
    return cropped(scan, 2, -np.inf, axis_mm(scan.labels, 2).max() - cut_mm)


def cut_bottom(scan: Scan, cut_mm: float) -> Scan:
    """Take away what lies next to the feet."""
    return cropped(scan, 2, axis_mm(scan.labels, 2).min() + cut_mm, np.inf)


def cut_sides(scan: Scan, cut_mm: float) -> Scan:
    """Take away the outermost `cut_mm` of the body, arms included, on both sides."""
    low, high = body_range_mm(scan.contrasts["in_phase"])
    return cropped(scan, 0, low + cut_mm, high - cut_mm)


def body_range_mm(in_phase: Volume) -> tuple[float, float]:
    """Return between which x the body lies."""
    threshold = BODY_SHARE * np.percentile(in_phase.data, 99)
    body = (in_phase.data > threshold).mean(axis=(1, 2)) > LEAST_OF_SLICE
    x = axis_mm(in_phase, 0)[body]
    return float(x.min()), float(x.max())


def cropped(scan: Scan, axis: int, low_mm: float, high_mm: float) -> Scan:
    """Keep the voxels whose centres lie between two places; a station that has none is gone."""
    kept = [
        {name: crop(volume, axis, low_mm, high_mm) for name, volume in station.items()}
        for station in scan.stations
    ]
    return replace(
        scan,
        contrasts={
            name: crop(volume, axis, low_mm, high_mm) for name, volume in scan.contrasts.items()
        },
        stations=[station for station in kept if station["water"].data.size],
        labels=crop(scan.labels, axis, low_mm, high_mm),
    )


def crop(volume: Volume, axis: int, low_mm: float, high_mm: float) -> Volume:
    """Return the part of an upright volume along x (0), y (1) or z (2); possibly none of it."""
    places = axis_mm(volume, axis)
    kept = np.flatnonzero((places >= low_mm) & (places <= high_mm))
    affine = volume.affine.copy()
    affine[axis, 3] = places[kept[0]] if len(kept) else np.nan
    return Volume(np.ascontiguousarray(np.take(volume.data, kept, axis=axis)), affine)

"""Fields of view that are too small."""

from dataclasses import replace

import numpy as np

from muscle_study.cohort.faults.dixon import axis_mm
from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

#: Threshold of the body, relative to the 99th percentile of the signal.
BODY_SHARE = 0.1
#: Share of a sagittal slice that must exceed it; noise alone does not.
LEAST_OF_SLICE = 0.005


def cut_top(scan: Scan, cut_mm: float) -> Scan:
    """Remove `cut_mm` at the head."""
    return cropped(scan, 2, -np.inf, axis_mm(scan.labels, 2).max() - cut_mm)


def cut_bottom(scan: Scan, cut_mm: float) -> Scan:
    """Remove `cut_mm` at the feet."""
    return cropped(scan, 2, axis_mm(scan.labels, 2).min() + cut_mm, np.inf)


def cut_sides(scan: Scan, cut_mm: float) -> Scan:
    """Remove `cut_mm` of the body, arms included, on each side."""
    low, high = body_range_mm(scan.contrasts["in_phase"])
    return cropped(scan, 0, low + cut_mm, high - cut_mm)


def body_range_mm(in_phase: Volume) -> tuple[float, float]:
    """Return the least and the greatest x of the body."""
    threshold = BODY_SHARE * np.percentile(in_phase.data, 99)
    body = (in_phase.data > threshold).mean(axis=(1, 2)) > LEAST_OF_SLICE
    x = axis_mm(in_phase, 0)[body]
    return float(x.min()), float(x.max())


def cropped(scan: Scan, axis: int, low_mm: float, high_mm: float) -> Scan:
    """Keep voxels with centres between two positions; drop stations without voxels."""
    kept = scan.with_images(
        lambda contrasts: {
            name: crop(volume, axis, low_mm, high_mm) for name, volume in contrasts.items()
        }
    )
    return replace(
        kept,
        stations=[station for station in kept.stations if station["water"].data.size],
        labels=crop(scan.labels, axis, low_mm, high_mm),
    )


def crop(volume: Volume, axis: int, low_mm: float, high_mm: float) -> Volume:
    """Return the part of an upright volume between two positions on an axis; possibly empty."""
    places = axis_mm(volume, axis)
    kept = np.flatnonzero((places >= low_mm) & (places <= high_mm))
    affine = volume.affine.copy()
    affine[axis, 3] = places[kept[0]] if len(kept) else np.nan
    return Volume(np.ascontiguousarray(np.take(volume.data, kept, axis=axis)), affine)

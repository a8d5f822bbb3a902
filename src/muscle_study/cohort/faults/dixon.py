"""Swaps of water and fat, as from a wrongly resolved phase."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

Contrasts = Mapping[str, Volume]


def swap_whole(scan: Scan) -> Scan:
    """Exchange water and fat everywhere."""
    return scan.with_images(lambda contrasts: exchange(contrasts, np.s_[:, :, :]))


def swap_station(scan: Scan, number: int) -> Scan:
    """Exchange water and fat in one station, counted from 1 at the head.

    In the composed volume, the exchange reaches to the middle of the overlaps.
    """
    if not 1 <= number <= len(scan.stations):
        raise ValueError(f"station {number} of a scan of {len(scan.stations)} stations")
    low, high = station_ranges_mm(scan)[number - 1]
    height = axis_mm(scan.contrasts["water"], 2)
    stations = list(scan.stations)
    stations[number - 1] = exchange(stations[number - 1], np.s_[:, :, :])
    return replace(
        scan,
        contrasts=exchange(scan.contrasts, np.s_[:, :, (low <= height) & (height < high)]),
        stations=stations,
    )


def swap_side(scan: Scan, side: str) -> Scan:
    """Exchange water and fat on the participant's ``left`` or ``right`` of the midline."""
    middle = midline_mm(scan.contrasts["in_phase"])

    def swapped(contrasts: Contrasts) -> dict[str, Volume]:
        right = axis_mm(contrasts["water"], 0) > middle
        return exchange(contrasts, np.s_[right if side == "right" else ~right])

    return scan.with_images(swapped)


def exchange(contrasts: Contrasts, where: tuple | np.ndarray) -> dict[str, Volume]:
    """Return the contrasts with water and fat exchanged at an index."""
    water, fat = contrasts["water"], contrasts["fat"]
    swapped_water, swapped_fat = water.data.copy(), fat.data.copy()
    swapped_water[where], swapped_fat[where] = fat.data[where], water.data[where]
    return {
        **contrasts,
        "water": Volume(swapped_water, water.affine),
        "fat": Volume(swapped_fat, fat.affine),
    }


def axis_mm(volume: Volume, axis: int) -> np.ndarray:
    """Return the voxel centres along axis 0 (x), 1 (y) or 2 (z) of an upright volume."""
    return volume.affine[axis, 3] + volume.affine[axis, axis] * np.arange(volume.data.shape[axis])


def midline_mm(in_phase: Volume) -> float:
    """Return the x of the signal's centre of mass."""
    by_column = in_phase.data.sum(axis=(1, 2), dtype=np.float64)
    return float(np.average(axis_mm(in_phase, 0), weights=by_column))


def station_ranges_mm(scan: Scan) -> list[tuple[float, float]]:
    """Return the range of heights of each station, from head to feet, between overlap middles."""
    heights = [axis_mm(station["water"], 2) for station in scan.stations]
    borders = [(upper[0] + lower[-1]) / 2 for upper, lower in pairwise(heights)]
    return list(zip([*borders, -np.inf], [np.inf, *borders], strict=True))

"""Water and fat exchanged, as when the phase of an echo is resolved the wrong way."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from muscle_study.cohort.scanner.scan import Scan
from muscle_study.imaging.volumes import Volume

Contrasts = Mapping[str, Volume]


def swap_whole(scan: Scan) -> Scan:
    """Exchange water and fat everywhere."""
    everywhere = (slice(None),) * 3
    return replace(
        scan,
        contrasts=exchange(scan.contrasts, everywhere),
        stations=[exchange(station, everywhere) for station in scan.stations],
    )


def swap_station(scan: Scan, number: int) -> Scan:
    """Exchange water and fat in one station.

    In the composed volume that reaches to the middle of the overlaps with the neighbours.

    Parameters
    ----------
    scan
        The scan.
    number
        Of the station; 1 is next to the head.

    Raises
    ------
    ValueError
        If there is no such station.
    """
    if not 1 <= number <= len(scan.stations):
        raise ValueError(f"station {number} of a scan of {len(scan.stations)} stations")
    low, high = station_ranges_mm(scan)[number - 1]
    height = axis_mm(scan.contrasts["water"], 2)
    stations = list(scan.stations)
    stations[number - 1] = exchange(stations[number - 1], (slice(None),) * 3)
    return replace(
        scan,
        contrasts=exchange(scan.contrasts, np.s_[:, :, (low <= height) & (height < high)]),
        stations=stations,
    )


def swap_side(scan: Scan, side: str) -> Scan:
    """Exchange water and fat on one side of the body's midline.

    Parameters
    ----------
    scan
        The scan.
    side
        ``left`` or ``right``, the participant's.
    """
    middle = midline_mm(scan.contrasts["in_phase"])

    def swapped(contrasts: Contrasts) -> dict[str, Volume]:
        right = axis_mm(contrasts["water"], 0) > middle
        return exchange(contrasts, np.s_[right if side == "right" else ~right])

    return replace(
        scan,
        contrasts=swapped(scan.contrasts),
        stations=[swapped(station) for station in scan.stations],
    )


def exchange(contrasts: Contrasts, where: tuple | np.ndarray) -> dict[str, Volume]:
    """Return the contrasts with water and fat exchanged at an index; the sum keeps its phases."""
    water, fat = contrasts["water"], contrasts["fat"]
    swapped_water, swapped_fat = water.data.copy(), fat.data.copy()
    swapped_water[where], swapped_fat[where] = fat.data[where], water.data[where]
    return {
        **contrasts,
        "water": Volume(swapped_water, water.affine),
        "fat": Volume(swapped_fat, fat.affine),
    }


def axis_mm(volume: Volume, axis: int) -> np.ndarray:
    """Return the voxel centres along an axis of an upright volume whose axes are x, y, z."""
    return volume.affine[axis, 3] + volume.affine[axis, axis] * np.arange(volume.data.shape[axis])


def midline_mm(in_phase: Volume) -> float:
    """Return the x at which the signal balances."""
    by_column = in_phase.data.sum(axis=(1, 2), dtype=np.float64)
    return float(np.average(axis_mm(in_phase, 0), weights=by_column))


def station_ranges_mm(scan: Scan) -> list[tuple[float, float]]:
    """Return between which heights the composed volume shows each station, from head to feet.

    Two stations share a range of heights; the border is its middle.
    """
    heights = [axis_mm(station["water"], 2) for station in scan.stations]
    borders = [(upper[0] + lower[-1]) / 2 for upper, lower in pairwise(heights)]
    return list(zip([*borders, -np.inf], [np.inf, *borders], strict=True))

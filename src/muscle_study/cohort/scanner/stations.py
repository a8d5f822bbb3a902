"""Stations: overlapping slabs that are scanned in turn and composed to one volume."""

import numpy as np

#: Share of a station's slices that overlap with each neighbour (our assumption).
OVERLAP = 0.12

#: Share of the signal lost at both ends of a station, and depth over which the loss fades (mm), for
#: the imperfection of coils and gradients there (our assumption).
EDGE_LOSS, EDGE_MM = 0.20, 12.0


def station_slices(n_slices: int, stations: int) -> list[slice]:
    """Return each station's slices, counted from the feet; stations run from head to feet.

    Raises
    ------
    ValueError
        If there are too few slices for the stations to overlap.
    """
    if stations == 1:
        return [slice(0, n_slices)]
    length = int(np.ceil(n_slices / (stations - (stations - 1) * OVERLAP)))
    starts = np.linspace(n_slices - length, 0, stations).round().astype(int)
    if length - np.diff(-starts).max() < 1:
        raise ValueError(
            f"{stations} stations do not overlap in {n_slices} slices: take fewer stations"
        )
    return [slice(int(start), int(start) + length) for start in starts]


def edge_profile(n_slices: int, spacing_z_mm: float) -> np.ndarray:
    """Return the sensitivity along a station, shape (n_slices,): 1 in the middle."""
    depth = spacing_z_mm * (np.arange(n_slices) + 0.5)
    return 1 - EDGE_LOSS * (
        np.exp(-((depth / EDGE_MM) ** 2)) + np.exp(-((depth[::-1] / EDGE_MM) ** 2))
    )


def compose(slabs: list[list[np.ndarray]], slices: list[slice]) -> list[np.ndarray]:
    """Compose stations: match intensities and blend linearly in the overlaps, float32.

    Parameters
    ----------
    slabs
        Images of each station, shape (n, ny, nx); the first image determines the intensity.
    slices
        Slices of each station, from head to feet.
    """
    ny, nx = slabs[0][0].shape[1:]
    n_slices = max(place.stop for place in slices)
    whole = [np.zeros((n_slices, ny, nx), np.float32) for _ in slabs[0]]
    for (images, place), gain, weight in zip(
        zip(slabs, slices, strict=True), _gains(slabs, slices), _weights(slices), strict=True
    ):
        for image, target in zip(images, whole, strict=True):
            target[place] += (gain * weight).astype(np.float32)[:, None, None] * image
    return whole


def _gains(slabs: list[list[np.ndarray]], slices: list[slice]) -> list[float]:
    """Return the factor on each station that matches its intensity to its neighbours'."""
    gains = [1.0]
    for upper in range(len(slabs) - 1):
        lower = upper + 1
        common = slices[lower].stop - slices[upper].start
        # only the middle of the overlap: its outer slices are dark in one of the stations
        inner = slice(common // 3, common - common // 3)
        above = slabs[upper][0][:common][inner].sum(dtype=np.float64)
        below = slabs[lower][0][-common:][inner].sum(dtype=np.float64)
        gains.append(gains[-1] * above / below)
    mean = np.mean(gains)
    return [gain / mean for gain in gains]


def _weights(slices: list[slice]) -> list[np.ndarray]:
    """Return the weights of each station's slices, which add up to 1 in every slice."""
    weights = []
    for index, place in enumerate(slices):
        weight = np.ones(place.stop - place.start)
        if index > 0:  # the station above
            common = place.stop - slices[index - 1].start
            weight[-common:] = 1 - (np.arange(common) + 0.5) / common
        if index < len(slices) - 1:  # the station below
            common = slices[index + 1].stop - place.start
            weight[:common] = (np.arange(common) + 0.5) / common
        weights.append(weight)
    return weights

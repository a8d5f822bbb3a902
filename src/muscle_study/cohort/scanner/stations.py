"""Stations: overlapping slabs that are scanned one after the other and joined to one volume."""

import numpy as np

#: Share of a station's slices that it has in common with each neighbour (our assumption).
OVERLAP = 0.12

#: Signal lost at a station's outermost slice, and the depth over which the loss fades (mm): coils
#: and gradients are worst there (our assumption).
EDGE_LOSS, EDGE_MM = 0.20, 12.0


def station_slices(n_slices: int, stations: int) -> list[slice]:
    """Return the slices of each station, counted from the feet; the stations from head to feet.

    Raises
    ------
    ValueError
        If there are too few slices for so many stations.
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
    """Return the sensitivity along a station, shape (n_slices,): one in the middle."""
    depth = spacing_z_mm * (np.arange(n_slices) + 0.5)
    return 1 - EDGE_LOSS * (
        np.exp(-((depth / EDGE_MM) ** 2)) + np.exp(-((depth[::-1] / EDGE_MM) ** 2))
    )


def compose(slabs: list[list[np.ndarray]], slices: list[slice]) -> list[np.ndarray]:
    """Join stations: intensities matched in the overlaps, which fade from one into the other.

    Parameters
    ----------
    slabs
        For each station its images, shape (n, ny, nx); the first image sets the intensity.
    slices
        Where each station lies; from head to feet.

    Returns
    -------
    list of numpy.ndarray
        The whole images, float32.
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
    """Return the factor on each station that makes it as bright as its neighbours' overlap."""
    gains = [1.0]
    for upper in range(len(slabs) - 1):
        lower = upper + 1
        common = slices[lower].stop - slices[upper].start
        # the outermost slices are the darkest in one of the two: their middle is fair to both
        inner = slice(common // 3, common - common // 3)
        above = slabs[upper][0][:common][inner].sum(dtype=np.float64)
        below = slabs[lower][0][-common:][inner].sum(dtype=np.float64)
        gains.append(gains[-1] * above / below)
    mean = np.mean(gains)
    return [gain / mean for gain in gains]


def _weights(slices: list[slice]) -> list[np.ndarray]:
    """Return the weight of each station's slices; they add up to one everywhere."""
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

"""Stations (overlapping slabs scanned one after the other) joined to one volume."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from muscle_study.imaging.volumes import Volume, resample, to_ras
from muscle_study.protocol.exclusions import Excluded, Reason

#: Contrast used to match brightness: it has signal in water and in fat.
REFERENCE = "in_phase"

#: Largest offset of slices from a common lattice, as a share of their distance.
LATTICE_TOLERANCE = 0.02

#: Share of an overlap ignored at both ends in matching brightness: stations fade there.
FADING = 1 / 3


def compose(slabs: Mapping[str, Sequence[Volume]]) -> dict[str, Volume]:
    """Join the stations of each contrast, with matched brightness and blended overlaps.

    Parameters
    ----------
    slabs
        Slabs by contrast, equally many of each, in any order and orientation.

    Returns
    -------
    dict
        By contrast: a single slab unchanged, or a volume in RAS order on the grid of the lowest
        slab, of the slabs' type (floats where they were interpolated).

    Raises
    ------
    Excluded
        ``grid_mismatch``: contrasts of a station, or stations, on incompatible grids;
        ``station_gap``: a gap between two stations.
    """
    contrasts = list(slabs)
    if len(slabs[contrasts[0]]) == 1:
        return {contrast: of_contrast[0] for contrast, of_contrast in slabs.items()}
    ordered = {
        contrast: sorted(map(to_ras, of_contrast), key=lambda slab: slab.affine[2, 3])
        for contrast, of_contrast in slabs.items()
    }
    stations = [
        dict(zip(contrasts, station, strict=True))
        for station in zip(*ordered.values(), strict=True)
    ]
    _check_stations(stations)
    stations = _on_one_lattice(stations)
    affine = stations[0][contrasts[0]].affine
    spacing = affine[2, 2]
    starts = [round((station[contrasts[0]].affine[2, 3] - affine[2, 3]) / spacing)
              for station in stations]  # fmt: skip
    places = [
        slice(start, start + station[contrasts[0]].data.shape[2])
        for start, station in zip(starts, stations, strict=True)
    ]
    _check_gaps(places, affine)
    reference = REFERENCE if REFERENCE in slabs else contrasts[0]
    gains = _gains([station[reference].data for station in stations], places)
    weights = _weights(places)
    return {
        contrast: Volume(
            _blend([s[contrast].data for s in stations], places, gains, weights), affine
        )
        for contrast in contrasts
    }


def _check_stations(stations: Sequence[Mapping[str, Volume]]) -> None:
    for number, station in enumerate(stations, start=1):
        (first_name, first), *others = station.items()
        for name, other in others:
            if not other.same_grid(first):
                raise Excluded(
                    Reason.GRID_MISMATCH,
                    f"station {number} from the feet: {name} and {first_name} differ",
                )
    lowest = next(iter(stations[0].values()))
    for number, station in enumerate(stations[1:], start=2):
        own = next(iter(station.values()))
        same = own.data.shape[:2] == lowest.data.shape[:2] and np.allclose(
            own.affine[:3, :3], lowest.affine[:3, :3], rtol=0, atol=1e-3
        )
        if not same:
            raise Excluded(
                Reason.GRID_MISMATCH,
                f"station {number} from the feet has another grid than the lowest",
            )


def _on_one_lattice(stations: Sequence[Mapping[str, Volume]]) -> list[Mapping[str, Volume]]:
    """Interpolate stations that lie off the lattice of the lowest station."""
    lowest = next(iter(stations[0].values()))
    to_lattice = np.linalg.inv(lowest.affine)
    aligned = []
    for station in stations:
        own = next(iter(station.values()))
        at = (to_lattice @ own.affine)[:3, 3]
        off = at - [0, 0, round(at[2])]
        if abs(off).max() <= LATTICE_TOLERANCE:
            aligned.append(station)
            continue
        affine = lowest.affine.copy()
        # from the first slice of the lattice within the station
        first = int(np.ceil(at[2] - LATTICE_TOLERANCE))
        affine[:3, 3] += first * lowest.affine[:3, 2]
        shape = (*lowest.data.shape[:2], own.data.shape[2] - (1 if first - at[2] > 1e-6 else 0))
        aligned.append(
            {
                name: resample(Volume(slab.data.astype(np.float32), slab.affine), shape, affine)
                for name, slab in station.items()
            }
        )
    return aligned


def _check_gaps(places: Sequence[slice], affine: np.ndarray) -> None:
    for lower, upper in pairwise(places):
        if upper.start > lower.stop:
            low, high = (affine[2, 3] + affine[2, 2] * z for z in (lower.stop, upper.start))
            raise Excluded(Reason.STATION_GAP, f"no station from z {low:.0f} to {high:.0f} mm")


def _gains(slabs: Sequence[np.ndarray], places: Sequence[slice]) -> np.ndarray:
    """Return a gain for each station that makes overlapping neighbours equally bright.

    The gains' geometric mean is one. A station that only touches has its neighbour's gain.
    """
    logs = [0.0]
    for lower, upper in pairwise(range(len(slabs))):
        shared = places[lower].stop - places[upper].start
        inner = slice(int(shared * FADING), shared - int(shared * FADING))
        below = slabs[lower][:, :, slabs[lower].shape[2] - shared :][:, :, inner]
        above = slabs[upper][:, :, :shared][:, :, inner]
        sums = below.sum(dtype=np.float64), above.sum(dtype=np.float64)
        logs.append(logs[-1] + (np.log(sums[0] / sums[1]) if min(sums) > 0 else 0.0))
    return np.exp(np.array(logs) - np.mean(logs))


def _weights(places: Sequence[slice]) -> list[np.ndarray]:
    """Return each station's weight by slice: linear in overlaps, summing to one."""
    total = np.zeros(max(place.stop for place in places))
    depths = []
    for place in places:
        index = np.arange(place.stop - place.start)
        depth = np.ones(len(index))
        for other in places:
            if other.start < place.start < other.stop:
                depth = np.minimum(depth, (index + 0.5) / (other.stop - place.start))
            if other.start < place.stop < other.stop:
                depth = np.minimum(depth, (index[::-1] + 0.5) / (place.stop - other.start))
        depths.append(depth)
        total[place] += depth
    return [depth / total[place] for depth, place in zip(depths, places, strict=True)]


def _blend(
    slabs: Sequence[np.ndarray],
    places: Sequence[slice],
    gains: np.ndarray,
    weights: Sequence[np.ndarray],
) -> np.ndarray:
    whole = np.zeros((*slabs[0].shape[:2], max(place.stop for place in places)), np.float32)
    for slab, place, gain, weight in zip(slabs, places, gains, weights, strict=True):
        whole[:, :, place] += slab * (gain * weight).astype(np.float32)
    kind = slabs[0].dtype
    if kind.kind == "f":
        return whole
    limits = np.iinfo(kind)
    return np.rint(whole, out=whole).clip(limits.min, limits.max).astype(kind)

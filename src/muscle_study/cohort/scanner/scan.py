"""Two-point Dixon scan of a body, station by station."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from muscle_study.cohort.anatomy.fields import FIELD_OF_VIEW_MM, SmoothField
from muscle_study.cohort.anatomy.muscle_fat import FatTexture
from muscle_study.cohort.anatomy.sampling import Body, Breath, sample
from muscle_study.cohort.scanner.artefacts import (
    chemical_shift,
    ghosts,
    motion_path_mm,
    move,
    rician,
)
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.parameters import ImagingParameters
from muscle_study.cohort.scanner.signal import echo_signals
from muscle_study.cohort.scanner.stations import compose, edge_profile, station_slices
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.muscles import STRUCTURES, Label

#: Stored value of pure muscle.
MUSCLE_SIGNAL = 250.0
#: Length over which the sensitivity of the coil varies (mm; our assumption).
BIAS_MM = 180.0
#: Length over which ghosts of breathing fade below the promontory (mm; our assumption).
GHOST_FADE_MM = 60.0

CONTRASTS = ("water", "fat", "in_phase", "opposed_phase")


@dataclass(frozen=True)
class Scan:
    """A participant's volumes, stored L, P, S as scanners do.

    Parameters
    ----------
    contrasts
        Composed volumes by the names of `CONTRASTS`, int16.
    stations
        The same volumes of each station, from head to feet.
    labels
        Label of the muscle that fills most of each voxel, uint8.
    fat_fraction
        True signal fat fraction of each muscle, without noise.
    """

    contrasts: dict[str, Volume]
    stations: list[dict[str, Volume]]
    labels: Volume
    fat_fraction: dict[Label, float]

    def with_images(self, change: Callable[[dict[str, Volume]], dict[str, Volume]]) -> "Scan":
        """Return the scan with `change` applied to the composed and to each station's contrasts."""
        stations = [change(station) for station in self.stations]
        return replace(self, contrasts=change(self.contrasts), stations=stations)


class Scanner:
    """State shared by one participant's stations; parameters as in `scan`."""

    def __init__(
        self,
        body: Body,
        muscle_fat: Mapping[Label, float],
        parameters: ImagingParameters,
        motion_mm: float,
        rng: np.random.Generator,
    ):
        self.body = body
        self.muscle_fat = muscle_fat
        self.parameters = parameters
        self.motion_mm = motion_mm
        self.rng = rng
        self.grid = Grid(tuple(parameters.spacing_mm))
        self.signals = echo_signals(muscle_fat)
        self.texture = FatTexture.draw(rng)
        self.bias = SmoothField.draw(FIELD_OF_VIEW_MM, BIAS_MM, rng)
        self.extra_fat = dict.fromkeys(STRUCTURES, 0.0)
        self.voxels = dict.fromkeys(STRUCTURES, 0.0)
        self.labels = np.zeros(tuple(reversed(self.grid.shape)), np.uint8)
        self.scanned = np.zeros(len(self.labels), bool)

    def station(self, slices: slice) -> list[np.ndarray]:
        """Scan one station: in-phase and signed opposed-phase images, shape (n, ny, nx)."""
        parameters, rng = self.parameters, self.rng
        breath = Breath(*rng.normal(0, parameters.breath_mm, 2))
        water, fat = self._echoes(slices, breath)
        sensitivity = self._sensitivity(slices)
        images = []
        for echo, sign in ((1, 1), (0, -1)):
            image = water[echo]
            image += sign * chemical_shift(fat[echo], parameters.spacing_mm[0])
            image *= sensitivity
            images.append(image)
        images = self._disturbed(images, slices)
        noisy = [rician(image, parameters.noise_sd, rng) for image in images]
        return [noisy[0], np.copysign(noisy[1], images[1])]

    def _echoes(self, slices: slice, breath: Breath) -> tuple[np.ndarray, np.ndarray]:
        """Return water and fat in both echoes, shape (2, n, ny, nx); keep labels and fat sums."""
        axes = self.grid.axes_mm(tuple(self.parameters.supersampling), slices)
        voxels = Voxels(sample(self.body, axes, breath), self.parameters.supersampling)
        water, fat = (
            np.stack([voxels.mean(table) for table in tables])
            for tables in (self.signals.water, self.signals.fat)
        )
        self.labels[slices] = voxels.majority()
        centres = self.grid.axes_mm(slices=slices)
        for label in STRUCTURES:
            share = voxels.share(label)
            inside = np.nonzero(share)
            x, y, z = (axis[index] for axis, index in zip(centres, reversed(inside), strict=True))
            uneven = self.texture.at(label, x, y, z) - 1
            filled = share[inside]
            extra = filled * np.float32(self.muscle_fat[label]) * uneven
            for echo in range(2):
                water[echo][inside] -= extra * np.float32(self.signals.muscle_water[echo])
                fat[echo][inside] += extra * np.float32(self.signals.muscle_fat[echo])
            # slices in an overlap count once
            new = ~self.scanned[slices][inside[0]]
            self.extra_fat[label] += float(extra[new].sum(dtype=np.float64))
            self.voxels[label] += float(filled[new].sum(dtype=np.float64))
        self.scanned[slices] = True
        return water, fat

    def _sensitivity(self, slices: slice) -> np.ndarray:
        gain = 1 + self.parameters.station_gain_sd * self.rng.standard_normal()
        sensitivity = self.bias.at(self.grid.axes_mm(slices=slices))
        sensitivity *= np.float32(self.parameters.bias_amplitude)
        np.exp(sensitivity, out=sensitivity)
        profile = gain * edge_profile(len(sensitivity), self.parameters.spacing_mm[2])
        sensitivity *= profile.astype(np.float32)[:, None, None]
        return sensitivity

    def _disturbed(self, images: list[np.ndarray], slices: slice) -> list[np.ndarray]:
        """Return the images with the ghosts of breathing and with motion."""
        parameters = self.parameters
        height = self.grid.axes_mm(slices=slices)[2]
        above = parameters.ghost_amplitude * np.clip(1 + height / GHOST_FADE_MM, 0, 1)
        if above.any():
            shift = int(self.rng.uniform(0.1, 0.25) * images[0].shape[1])
            # the phase of the ghosts is random, as the centre of k-space is acquired at a random
            # point of the breath: ghosts add as often as they subtract and shift no mean
            above = above * np.cos(self.rng.uniform(0, 2 * np.pi))
            images = [ghosts(image, above, shift) for image in images]
        path = motion_path_mm(self.motion_mm, self.rng)
        if abs(path).max() > 0:
            images = move(images, path, parameters.spacing_mm[1])
        return images

    def fat_fraction(self, label: Label) -> float:
        """Return the signal fat fraction of a muscle without noise.

        It is a sum over the supersampled points: if they are at most 2 mm apart, the relative error
        is below 0.2 %.
        """
        uneven = self.extra_fat[label] / self.voxels[label]
        return self.signals.fat_fraction(self.muscle_fat[label] + uneven)


class Voxels:
    """Supersampled points grouped by voxel.

    ``tissues`` has shape (nz · fz, ny · fy, nx · fx), with fx, fy and fz points per voxel edge.
    """

    def __init__(self, tissues: np.ndarray, supersampling: list[int]):
        fx, fy, fz = supersampling
        self._points = [
            np.ascontiguousarray(tissues[z::fz, y::fy, x::fx])
            for z in range(fz)
            for y in range(fy)
            for x in range(fx)
        ]

    def mean(self, value_of: np.ndarray) -> np.ndarray:
        """Return each voxel's mean of a value that is given by tissue, float32."""
        total = value_of[self._points[0]]
        for points in self._points[1:]:
            total += value_of[points]
        total /= len(self._points)
        return total

    def share(self, tissue: int) -> np.ndarray:
        """Return the share of each voxel filled by a tissue, float32."""
        return self._count(tissue).astype(np.float32) / len(self._points)

    def _count(self, tissue: int) -> np.ndarray:
        return sum((points == tissue).view(np.uint8) for points in self._points)

    def majority(self) -> np.ndarray:
        """Return the label that fills most of each voxel; one point decides about exactly half.

        Counting all ties in (or out) would make muscles too large (or too small).
        """
        labels = np.zeros(self._points[0].shape, np.uint8)
        half = len(self._points)
        for label in STRUCTURES:
            twice = 2 * self._count(label)
            labels[(twice > half) | ((twice == half) & (self._points[0] == label))] = label
        return labels


def scan(
    body: Body,
    muscle_fat: Mapping[Label, float],
    parameters: ImagingParameters,
    rng: np.random.Generator,
    motion_mm: float | None = None,
) -> Scan:
    """Scan a body.

    Parameters
    ----------
    body, muscle_fat
        Anatomy, and mean share of fat protons in each muscle.
    parameters
        Grid and imperfections, which `rng` draws.
    motion_mm
        Movement during a station, mm; None to draw it around the parameters' typical movement.
    """
    if motion_mm is None:
        motion_mm = parameters.motion_mm * abs(rng.standard_normal())
    scanner = Scanner(body, muscle_fat, parameters, motion_mm, rng)
    places = station_slices(scanner.grid.shape[2], parameters.stations)
    slabs = [scanner.station(place) for place in places]
    return Scan(
        _contrasts(scanner.grid, compose(slabs, places), 0),
        [
            _contrasts(scanner.grid, slab, place.start)
            for slab, place in zip(slabs, places, strict=True)
        ],
        scanner.grid.volume(scanner.labels),
        {label: scanner.fat_fraction(label) for label in STRUCTURES},
    )


def _contrasts(grid: Grid, images: list[np.ndarray], first_slice: int) -> dict[str, Volume]:
    """Return in and opposed phase, and water and fat derived from them, as stored integers."""
    in_phase, signed = images
    stored = {
        "water": (in_phase + signed) / 2,
        "fat": (in_phase - signed) / 2,
        "in_phase": in_phase,
        "opposed_phase": abs(signed),
    }
    return {name: grid.volume(_integers(stored[name]), first_slice) for name in CONTRASTS}


def _integers(image: np.ndarray) -> np.ndarray:
    scaled = image * np.float32(MUSCLE_SIGNAL)
    return np.rint(scaled, out=scaled).clip(0, np.iinfo(np.int16).max).astype(np.int16)

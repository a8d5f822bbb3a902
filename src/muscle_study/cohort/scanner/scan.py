"""From a body to the volumes that a two-point Dixon scan of it would give, station by station."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.fields import SmoothField
from muscle_study.cohort.anatomy.muscle_fat import FatTexture
from muscle_study.cohort.anatomy.sampling import Body, Breath, sample
from muscle_study.cohort.scanner.artefacts import (
    chemical_shift,
    ghosts,
    motion_path_mm,
    move,
    rician,
)
from muscle_study.cohort.scanner.grid import FIELD_OF_VIEW_MM, Grid
from muscle_study.cohort.scanner.parameters import ImagingParameters
from muscle_study.cohort.scanner.signal import echo_signals
from muscle_study.cohort.scanner.stations import compose, edge_profile, station_slices
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.muscles import STRUCTURES, Label

#: Pure muscle in the stored integers.
MUSCLE_SIGNAL = 250.0
#: The coil's sensitivity varies over about this length (our assumption).
BIAS_MM = 180.0
#: Ghosts of breathing fade over this length below the promontory, where nothing moves.
GHOST_FADE_MM = 60.0

CONTRASTS = ("water", "fat", "in_phase", "opposed_phase")


@dataclass(frozen=True)
class Scan:
    """A participant's volumes, stored L, P, S as scanners do.

    Parameters
    ----------
    contrasts
        ``water``, ``fat``, ``in_phase``, ``opposed_phase``, int16: the stations composed.
    stations
        The same of each station, from head to feet.
    labels
        The muscles that fill most of a voxel, uint8.
    fat_fraction
        True share of fat in each muscle's signal, without noise. T1 weighting makes it larger
        than the share of fat protons.
    """

    contrasts: dict[str, Volume]
    stations: list[dict[str, Volume]]
    labels: Volume
    fat_fraction: dict[Label, float]


class Scanner:
    """Everything that stays the same through one participant's stations.

    Parameters
    ----------
    body
        The anatomy.
    muscle_fat
        Mean share of fat protons in each muscle.
    parameters
        Grid and imperfections.
    motion_mm
        How far the participant moves during a station.
    rng
        Draws every imperfection.
    """

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
        """Scan one station: in phase, and opposed phase with its sign; shape (n, ny, nx) each."""
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
        """Return water and fat of both echoes, shape (2, n, ny, nx), and file the labels."""
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
            # a slice that two stations share counts once
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
        """Let the participant breathe and move while the station is taken."""
        parameters = self.parameters
        height = self.grid.axes_mm(slices=slices)[2]
        above = parameters.ghost_amplitude * np.clip(1 + height / GHOST_FADE_MM, 0, 1)
        if above.any():
            shift = int(self.rng.uniform(0.1, 0.25) * images[0].shape[1])
            # where in the breath k-space's centre was taken is chance, and with it the ghosts'
            # phase: in real images they add as often as they subtract, and no mean is shifted
            above = above * np.cos(self.rng.uniform(0, 2 * np.pi))
            images = [ghosts(image, above, shift) for image in images]
        path = motion_path_mm(self.motion_mm, self.rng)
        if abs(path).max() > 0:
            images = move(images, path, parameters.spacing_mm[1])
        return images

    def fat_fraction(self, label: Label) -> float:
        """Return the share of fat that images of a muscle show without noise.

        Summed over the supersampled points: at points 2 mm apart or nearer the error is below
        0.2 %, relative.
        """
        uneven = self.extra_fat[label] / self.voxels[label]
        return self.signals.fat_fraction(self.muscle_fat[label] + uneven)


class Voxels:
    """Supersampled points, grouped by the voxel that they lie in.

    Parameters
    ----------
    tissues
        Shape (nz · fz, ny · fy, nx · fx).
    supersampling
        fx, fy, fz.
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
        """Average a tissue's value (by index, float32) over each voxel."""
        total = value_of[self._points[0]]
        for points in self._points[1:]:
            total += value_of[points]
        total /= len(self._points)
        return total

    def share(self, tissue: int) -> np.ndarray:
        """Return the share of each voxel that a tissue fills, float32."""
        return self._count(tissue).astype(np.float32) / len(self._points)

    def _count(self, tissue: int) -> np.ndarray:
        return sum((points == tissue).view(np.uint8) for points in self._points)

    def majority(self) -> np.ndarray:
        """Return the label that fills most of each voxel; at exactly half, one point decides.

        Counting every tie in, or out, would make each muscle too large, or too small.
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
    """Image a body.

    Parameters
    ----------
    body
        The anatomy.
    muscle_fat
        Mean share of fat protons in each muscle.
    parameters
        Grid and imperfections.
    rng
        Draws every imperfection.
    motion_mm
        Movement during a station; None: drawn about the parameters' typical one.
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
    """Return in and opposed phase with water and fat derived from them, as stored integers."""
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

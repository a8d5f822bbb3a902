"""From a body to the volumes that a Dixon scan of it would give.

The model is thin on purpose: two echoes with perfect phase correction, a smooth coil
sensitivity, Rician noise, partial volume by supersampling.
"""

from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy import FIELD_OF_VIEW_MM
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.sampling import Body, sample
from muscle_study.cohort.tissues import signal_tables
from muscle_study.labels import STRUCTURES, Label
from muscle_study.volumes import Volume

#: Pure muscle in the stored integers.
MUSCLE_SIGNAL = 250.0
#: Fat inside a muscle varies smoothly over about this length, by this share (our assumption).
FAT_TEXTURE_MM, FAT_TEXTURE_SD = 12.0, 0.35
#: The coil's sensitivity varies over about this length (our assumption).
BIAS_MM = 180.0


@dataclass(frozen=True)
class Scan:
    """A participant's volumes on one grid, stored L, P, S as scanners do.

    Parameters
    ----------
    contrasts
        ``water``, ``fat``, ``in_phase``, ``opposed_phase``, int16.
    labels
        The muscles that fill at least half of a voxel, uint8.
    fat_fraction
        True share of fat in each muscle's signal, without noise.
    """

    contrasts: dict[str, Volume]
    labels: Volume
    fat_fraction: dict[Label, float]


def scan(
    body: Body,
    muscle_fat: dict[Label, float],
    parameters: CohortParameters,
    rng: np.random.Generator,
) -> Scan:
    """Image a body.

    Parameters
    ----------
    body
        The anatomy.
    muscle_fat
        Mean fat share of each muscle's signal.
    parameters
        Grid, supersampling, noise and bias.
    rng
        Draws texture, bias and noise.
    """
    spacing = np.array(parameters.spacing_mm)
    tissues = _sample(body, spacing, np.array(parameters.supersampling))
    blocks = _Blocks(tissues, parameters.supersampling)
    water_of, fat_of = signal_tables(muscle_fat)
    water, fat = blocks.mean(water_of), blocks.mean(fat_of)
    occupancy = {
        label: blocks.mean(np.eye(len(water_of), dtype=np.float32)[label]) for label in STRUCTURES
    }

    texture = 1 + FAT_TEXTURE_SD * _smooth_noise(water.shape, spacing, FAT_TEXTURE_MM, rng)
    fat_fraction = {}
    for label, share in occupancy.items():
        extra = share * muscle_fat[label] * (texture.clip(0.1, 2.5) - 1)
        water -= extra
        fat += extra
        fat_fraction[label] = muscle_fat[label] + float(extra.sum() / share.sum())

    bias = np.exp(parameters.bias_amplitude * _smooth_noise(water.shape, spacing, BIAS_MM, rng))
    water, fat = water * bias, fat * bias
    in_phase = _magnitude(water + fat, parameters.noise_sd, rng)
    opposed = _magnitude(np.abs(water - fat), parameters.noise_sd, rng)
    signed = np.where(water >= fat, opposed, -opposed)
    images = {
        "water": (in_phase + signed) / 2,
        "fat": (in_phase - signed) / 2,
        "in_phase": in_phase,
        "opposed_phase": opposed,
    }
    return Scan(
        {name: _stored(_integers(image), spacing) for name, image in images.items()},
        _stored(_majority(occupancy, blocks.first()), spacing),
        fat_fraction,
    )


def _sample(body: Body, spacing: np.ndarray, supersampling: np.ndarray) -> np.ndarray:
    """Return the tissue at every supersampled point, shape (nz, ny, nx)."""
    step = spacing / supersampling
    axes = tuple(
        low + pitch / 2 + pitch * np.arange(int((high - low) // edge) * factor)
        for (low, high), edge, pitch, factor in zip(
            FIELD_OF_VIEW_MM, spacing, step, supersampling, strict=True
        )
    )
    return sample(body, axes)


class _Blocks:
    """The supersampled points, grouped by the voxel that they lie in."""

    def __init__(self, tissues: np.ndarray, supersampling: list[int]):
        fx, fy, fz = supersampling
        self._offsets = [
            tissues[z::fz, y::fy, x::fx] for z in range(fz) for y in range(fy) for x in range(fx)
        ]

    def mean(self, value_of: np.ndarray) -> np.ndarray:
        """Average a tissue's value over each voxel."""
        total = np.zeros(self._offsets[0].shape, np.float32)
        for points in self._offsets:
            total += value_of[points]
        return total / len(self._offsets)

    def first(self) -> np.ndarray:
        """Return the tissue at one fixed point of each voxel."""
        return self._offsets[0]


def _majority(occupancy: dict[Label, np.ndarray], tie_break: np.ndarray) -> np.ndarray:
    """Return the label that fills most of a voxel; at exactly half, one point decides.

    Counting every tie in, or out, would make each muscle too large, or too small.
    """
    labels = np.zeros(tie_break.shape, np.uint8)
    for label, share in occupancy.items():
        labels[(share > 0.5) | ((share == 0.5) & (tie_break == label))] = label
    return labels


def _smooth_noise(
    shape: tuple[int, ...], spacing_xyz: np.ndarray, length_mm: float, rng: np.random.Generator
) -> np.ndarray:
    """Return a smooth random field of mean 0 and SD 1 that varies over `length_mm`.

    Gaussian bumps of random height on a grid `length_mm` apart, one axis after the other.
    """
    knots = [
        int(n * pitch / length_mm) + 4 for n, pitch in zip(shape, spacing_xyz[::-1], strict=True)
    ]
    field = rng.standard_normal(knots, np.float32)
    for n, pitch, count in zip(shape, spacing_xyz[::-1], knots, strict=True):
        place = np.arange(n, dtype=np.float32) * pitch / length_mm
        bumps = np.exp(-((place - np.arange(-1.5, count - 1.5)[:, None]) ** 2)).astype(np.float32)
        # contracting the first axis and appending the new one turns the axes round once in three
        field = np.tensordot(field, bumps, axes=(0, 0))
    return (field - field.mean()) / field.std()


def _magnitude(signal: np.ndarray, noise_sd: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise to both parts of the complex signal and take its magnitude."""
    real = signal + noise_sd * rng.standard_normal(signal.shape, np.float32)
    imaginary = noise_sd * rng.standard_normal(signal.shape, np.float32)
    return np.hypot(real, imaginary)


def _integers(image: np.ndarray) -> np.ndarray:
    return np.rint(MUSCLE_SIGNAL * image).clip(0, np.iinfo(np.int16).max).astype(np.int16)


def _stored(image_zyx: np.ndarray, spacing: np.ndarray) -> Volume:
    """Turn a (z, y, x) array with rising R, A, S into a volume stored L, P, S."""
    data = np.ascontiguousarray(image_zyx.transpose(2, 1, 0)[::-1, ::-1])
    affine = np.diag([-spacing[0], -spacing[1], spacing[2], 1.0])
    low = np.array([low for low, _ in FIELD_OF_VIEW_MM])
    first = low + spacing / 2
    last = first + (np.array(data.shape) - 1) * spacing
    affine[:3, 3] = [last[0], last[1], first[2]]
    return Volume(data, affine)

"""Images of random contrast, resolution, noise, position and field of view from a tissue map.

They keep a network from relying on one scanner's contrast or on the usual position of a muscle in
the field of view.
"""

from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from scipy import ndimage
from scipy.spatial.transform import Rotation

from muscle_study.cohort.anatomy.fields import SmoothField
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.randomised.contrasts import MUSCLES, draw_contrast
from muscle_study.cohort.randomised.parameters import RandomisedParameters
from muscle_study.protocol.muscles import STRUCTURES, Label, Psoas

#: Ranges of the lengths over which deformation, texture and bias field vary (mm).
DEFORMATION_MM, SMOOTH_TEXTURE_MM, BIAS_MM = (50.0, 150.0), (12.0, 40.0), (120.0, 300.0)

#: Patches of foreign tissue: ranges of the length over which their outlines vary (mm) and of the
#: threshold on a smooth field (SD), by which they fill at most a fifth of the body.
PATCH_MM, PATCH_SD = (10.0, 45.0), (0.8, 2.0)

#: SD of the logarithm of each axis' own scale.
STRETCH_SD = 0.04

#: Greatest share of the width that a narrow field of view loses at each end.
MOST_LOST = 0.3

Spacing = tuple[float, float, float]
Slices = tuple[slice, slice, slice]


class Randomised(NamedTuple):
    """A random image (float32, not negative), its labels (uint8), and its field of view.

    Both arrays have shape (x, y, z) and are 0 outside the field of view.
    """

    image: np.ndarray
    labels: np.ndarray
    field_of_view: Slices


def randomise(
    tissues: np.ndarray, spacing_mm: Spacing, parameters: RandomisedParameters, rng: Generator
) -> Randomised:
    """Draw an image from an upright map of `Tissue` values, shape (x, y, z), uint8."""
    placed = displaced(tissues, spacing_mm, parameters, rng)
    seen = draw_field_of_view(placed.shape, spacing_mm, parameters, rng)
    labels = np.zeros_like(placed)
    labels[seen] = label_values(parameters.psoas)[placed[seen]]
    image = np.zeros(placed.shape, np.float32)
    image[seen] = render(placed[seen], spacing_mm, parameters, rng)
    return Randomised(image, labels, seen)


def label_values(psoas: Psoas) -> np.ndarray:
    """Return the label of each tissue, for a psoas label that covers `psoas`."""
    values = np.zeros(len(Tissue), np.uint8)
    values[list(STRUCTURES)] = STRUCTURES
    if psoas == "iliopsoas":
        values[Tissue.ILIACUS_LEFT] = Label.PSOAS_LEFT
        values[Tissue.ILIACUS_RIGHT] = Label.PSOAS_RIGHT
    return values


def displaced(
    tissues: np.ndarray, spacing_mm: Spacing, parameters: RandomisedParameters, rng: Generator
) -> np.ndarray:
    """Rotate, scale, stretch, shift and deform the body; beyond the map is air."""
    spacing = np.asarray(spacing_mm)
    turn = Rotation.from_euler("xyz", rng.normal(0, parameters.rotation_deg, 3), degrees=True)
    limit = np.log(parameters.scale)
    scale = np.exp(rng.uniform(-limit, limit) + STRETCH_SD * rng.standard_normal(3))
    shift = rng.uniform(-parameters.shift_mm, parameters.shift_mm, 3)
    # from voxels of the image to voxels of the map, both relative to the middle
    to_map = (turn.as_matrix() / scale[:, None]) * spacing / spacing[:, None]
    middle = (np.array(tissues.shape) - 1) / 2
    start = middle - to_map @ (middle + shift / spacing)
    if parameters.deformation_mm == 0:
        return ndimage.affine_transform(tissues, to_map, start, order=0)
    places = np.indices(tissues.shape, dtype=np.float32)
    places = np.tensordot(to_map.astype(np.float32), places, axes=1)
    places += start.astype(np.float32)[:, None, None, None]
    for axis, edge_mm in enumerate(spacing_mm):
        strength_mm = rng.uniform(0, parameters.deformation_mm)
        field = _field(tissues.shape, spacing_mm, DEFORMATION_MM, rng)
        places[axis] += np.float32(strength_mm / edge_mm) * field
    return ndimage.map_coordinates(tissues, places, order=0)


def draw_field_of_view(
    shape: tuple[int, ...], spacing_mm: Spacing, parameters: RandomisedParameters, rng: Generator
) -> Slices:
    """Draw the field of view: the whole grid, a narrower box, or a slab."""
    ranges = [(0, n) for n in shape]
    if rng.random() < parameters.crop_probability:
        lost = rng.uniform(0, MOST_LOST, (2, 2))
        for axis in range(2):
            n = shape[axis]
            ranges[axis] = (int(lost[axis, 0] * n), n - int(lost[axis, 1] * n))
    if rng.random() < parameters.slab_probability:
        least = min(int(np.ceil(parameters.least_slab_mm / spacing_mm[2])), shape[2])
        height = int(rng.integers(least, shape[2] + 1))
        first = int(rng.integers(0, shape[2] - height + 1))
        ranges[2] = (first, first + height)
    x, y, z = (slice(first, last) for first, last in ranges)
    return x, y, z


def render(
    tissues: np.ndarray, spacing_mm: Spacing, parameters: RandomisedParameters, rng: Generator
) -> np.ndarray:
    """Return an image of the tissues: non-negative float32, about 1 at its brightest."""
    contrast = draw_contrast(rng, parameters.inversion_probability)
    image = contrast.values[tissues]
    image += _texture(tissues, spacing_mm, parameters.texture, rng)
    _add_patches(image, tissues, spacing_mm, parameters.most_patches, rng)
    blur = rng.uniform(0, parameters.blur_mm)
    image = ndimage.gaussian_filter(image, blur / np.asarray(spacing_mm), truncate=2.5)
    image = contrast.shown(image)
    image *= np.exp(rng.uniform(0, parameters.bias) * _field(image.shape, spacing_mm, BIAS_MM, rng))
    # noise before or after interpolation: interpolated noise is smoother
    if rng.integers(2):
        image = _coarser(_noisy(image, parameters.noise, rng), spacing_mm, parameters, rng)
    else:
        image = _noisy(_coarser(image, spacing_mm, parameters, rng), parameters.noise, rng)
    bright = max(float(np.percentile(image[::2, ::2, ::2], 99.5)), np.finfo(np.float32).tiny)
    image = (image / np.float32(bright)).clip(0, 1.5)
    return image ** np.float32(np.exp(parameters.gamma * rng.standard_normal()))


def _texture(tissues: np.ndarray, spacing_mm: Spacing, most: float, rng: Generator) -> np.ndarray:
    """Return smooth and fine texture with random SDs for each tissue."""
    smooth, fine = rng.uniform(0, most, (2, 256)).astype(np.float32)
    smooth[0] = fine[0] = 0  # air has no texture
    grain = ndimage.gaussian_filter(
        rng.standard_normal(tissues.shape, np.float32), rng.uniform(0.4, 1.2), truncate=2
    )
    grain /= grain.std()
    texture = smooth[tissues] * _field(tissues.shape, spacing_mm, SMOOTH_TEXTURE_MM, rng)
    return texture + fine[tissues] * grain


def _add_patches(
    image: np.ndarray, tissues: np.ndarray, spacing_mm: Spacing, most: int, rng: Generator
) -> None:
    """Paint patches of random brightness over all but air and muscle, in place.

    They stand for structures of real bodies that the synthetic body lacks.
    """
    free_to_paint = ~np.isin(tissues, [Tissue.AIR, *MUSCLES])
    for _ in range(rng.integers(most + 1)):
        field = _field(tissues.shape, spacing_mm, PATCH_MM, rng)
        image[free_to_paint & (field > rng.uniform(*PATCH_SD))] = rng.uniform(0, 1)


def _field(
    shape: tuple[int, ...], spacing_mm: Spacing, lengths_mm: tuple[float, float], rng: Generator
) -> np.ndarray:
    """Return a smooth field of random length and SD about 1, shape (x, y, z)."""
    axes = [edge * np.arange(n) for n, edge in zip(shape, spacing_mm, strict=True)]
    z_y_x = tuple(reversed(axes))  # the shape of a field is in reverse order of its axes
    box = tuple((0.0, float(axis[-1])) for axis in z_y_x)
    return SmoothField.draw(box, rng.uniform(*lengths_mm), rng).at(z_y_x)


def _noisy(image: np.ndarray, most: float, rng: Generator) -> np.ndarray:
    """Add Gaussian or Rician noise."""
    noise_sd = np.float32(rng.uniform(0, most))
    noisy = image + noise_sd * rng.standard_normal(image.shape, np.float32)
    if rng.integers(2):
        return np.hypot(noisy, noise_sd * rng.standard_normal(image.shape, np.float32))
    return noisy


def _coarser(
    image: np.ndarray, spacing_mm: Spacing, parameters: RandomisedParameters, rng: Generator
) -> np.ndarray:
    """Average the image to thicker slices along one axis and interpolate it back."""
    axis = int(rng.integers(3))
    most = max(parameters.thickest_slice_mm / spacing_mm[axis], 1.0)
    factor = float(np.exp(rng.uniform(0, np.log(most))))
    matrix = thick_slices(image.shape[axis], factor)
    return np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)


def thick_slices(n: int, factor: float) -> np.ndarray:
    """Return the matrix that averages n voxels to slices of `factor` voxels and interpolates back.

    The shape is (n, n), float32; each row adds up to 1.
    """
    count = max(int(n / factor), 1)
    middles = (n - count * factor) / 2 + factor * (np.arange(count) + 0.5) - 0.5
    low, high = middles[:, None] - factor / 2, middles[:, None] + factor / 2
    voxels = np.arange(n)
    overlap = np.minimum(high, voxels + 0.5) - np.maximum(low, voxels - 0.5)
    average = overlap.clip(0, None)
    average /= average.sum(axis=1, keepdims=True)
    # linear between the middles of slices, constant beyond the outermost
    back = np.array([np.interp(voxels, middles, unit) for unit in np.eye(count)]).T
    return (back @ average).astype(np.float32)

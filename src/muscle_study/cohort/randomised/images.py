"""Images of random contrast, resolution, noise, place and field of view, from a map of tissues.

A network trained on these as well cannot lean on one scanner's rendering, nor on where in the
field of view a muscle usually lies. Everything is made on the fly from the map.
"""

from typing import NamedTuple

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from muscle_study.cohort.anatomy.fields import SmoothField
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.randomised.contrasts import MUSCLES, draw_contrast
from muscle_study.cohort.randomised.parameters import RandomisedParameters
from muscle_study.protocol.muscles import STRUCTURES, Label, Psoas

#: Lengths over which deformation, texture and the bias field vary (mm).
DEFORMATION_MM, SMOOTH_TEXTURE_MM, BIAS_MM = (50.0, 150.0), (12.0, 40.0), (120.0, 300.0)

#: Patches of foreign tissue: lengths over which their outlines vary (mm), and above how many SD of
#: a smooth field they lie, which makes them a fifth of the body at most.
PATCH_MM, PATCH_SD = (10.0, 45.0), (0.8, 2.0)

#: SD of the factors by which the three axes differ in scale.
STRETCH_SD = 0.04

#: A field of view narrower than the body loses up to this share of its width at each end.
MOST_LOST = 0.3

Slices = tuple[slice, slice, slice]


class Randomised(NamedTuple):
    """A random image and its labels.

    Parameters
    ----------
    image
        Shape (x, y, z), float32, not negative; 0 outside the field of view.
    labels
        Of the same shape, uint8; background outside the field of view.
    field_of_view
        The part of both that was seen.
    """

    image: np.ndarray
    labels: np.ndarray
    field_of_view: Slices


def randomise(
    tissues: np.ndarray,
    spacing_mm: tuple[float, float, float],
    parameters: RandomisedParameters,
    rng: np.random.Generator,
) -> Randomised:
    """Make an image of random looks from a map of tissues.

    Parameters
    ----------
    tissues
        Values of `tissues.Tissue`, shape (x, y, z), uint8; upright.
    spacing_mm
        Edges of a voxel.
    parameters
        How far to stray.
    rng
        Draws everything.
    """
    placed = displaced(tissues, spacing_mm, parameters, rng)
    seen = draw_field_of_view(placed.shape, spacing_mm, parameters, rng)
    labels = np.zeros_like(placed)
    labels[seen] = label_values(parameters.psoas)[placed[seen]]
    image = np.zeros(placed.shape, np.float32)
    image[seen] = render(placed[seen], spacing_mm, parameters, rng)
    return Randomised(image, labels, seen)


def label_values(psoas: Psoas) -> np.ndarray:
    """Return the label of each tissue, where the psoas' label holds `psoas`."""
    values = np.zeros(len(Tissue), np.uint8)
    values[list(STRUCTURES)] = STRUCTURES
    if psoas == "iliopsoas":
        values[Tissue.ILIACUS_LEFT] = Label.PSOAS_LEFT
        values[Tissue.ILIACUS_RIGHT] = Label.PSOAS_RIGHT
    return values


def displaced(
    tissues: np.ndarray,
    spacing_mm: tuple[float, float, float],
    parameters: RandomisedParameters,
    rng: np.random.Generator,
) -> np.ndarray:
    """Rotate, scale, stretch, shift and deform the body; what comes in from outside is air."""
    spacing = np.asarray(spacing_mm)
    turn = Rotation.from_euler("xyz", rng.normal(0, parameters.rotation_deg, 3), degrees=True)
    limit = np.log(parameters.scale)
    scale = np.exp(rng.uniform(-limit, limit) + STRETCH_SD * rng.standard_normal(3))
    shift = rng.uniform(-parameters.shift_mm, parameters.shift_mm, 3)
    # from a voxel of the image to a voxel of the map, both about the middle
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
    shape: tuple[int, ...],
    spacing_mm: tuple[float, float, float],
    parameters: RandomisedParameters,
    rng: np.random.Generator,
) -> Slices:
    """Draw which part of the grid is seen: a slab of its height, a narrower box, or all."""
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
    tissues: np.ndarray,
    spacing_mm: tuple[float, float, float],
    parameters: RandomisedParameters,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return an image of the tissues, float32, not negative and about one at its brightest."""
    contrast = draw_contrast(rng, parameters.inversion_probability)
    image = contrast.values[tissues]
    image += _texture(tissues, spacing_mm, parameters.texture, rng)
    _add_patches(image, tissues, spacing_mm, parameters.most_patches, rng)
    blur = rng.uniform(0, parameters.blur_mm)
    image = ndimage.gaussian_filter(image, blur / np.asarray(spacing_mm), truncate=2.5)
    image = contrast.shown(image)
    image *= np.exp(rng.uniform(0, parameters.bias) * _field(image.shape, spacing_mm, BIAS_MM, rng))
    # thick slices are noisy like thin ones; one that was interpolated before is smoother
    if rng.integers(2):
        image = _coarser(_noisy(image, parameters.noise, rng), spacing_mm, parameters, rng)
    else:
        image = _noisy(_coarser(image, spacing_mm, parameters, rng), parameters.noise, rng)
    bright = max(float(np.percentile(image[::2, ::2, ::2], 99.5)), np.finfo(np.float32).tiny)
    image = (image / np.float32(bright)).clip(0, 1.5)
    return image ** np.float32(np.exp(parameters.gamma * rng.standard_normal()))


def _texture(
    tissues: np.ndarray,
    spacing_mm: tuple[float, float, float],
    most: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Return what makes each tissue uneven, to its own degree: smoothly, and finely."""
    smooth, fine = rng.uniform(0, most, (2, 256)).astype(np.float32)
    smooth[0] = fine[0] = 0  # air has none
    grain = ndimage.gaussian_filter(
        rng.standard_normal(tissues.shape, np.float32), rng.uniform(0.4, 1.2), truncate=2
    )
    grain /= grain.std()
    texture = smooth[tissues] * _field(tissues.shape, spacing_mm, SMOOTH_TEXTURE_MM, rng)
    return texture + fine[tissues] * grain


def _add_patches(
    image: np.ndarray,
    tissues: np.ndarray,
    spacing_mm: tuple[float, float, float],
    most: int,
    rng: np.random.Generator,
) -> None:
    """Paint patches of any brightness over all but air and muscle, in place.

    Real bodies hold more than the synthetic one, and hold it in other shapes.
    """
    free_to_paint = ~np.isin(tissues, [Tissue.AIR, *MUSCLES])
    for _ in range(rng.integers(most + 1)):
        field = _field(tissues.shape, spacing_mm, PATCH_MM, rng)
        image[free_to_paint & (field > rng.uniform(*PATCH_SD))] = rng.uniform(0, 1)


def _field(
    shape: tuple[int, ...],
    spacing_mm: tuple[float, float, float],
    lengths_mm: tuple[float, float],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return a smooth field of SD about one, shape (x, y, z), of a random length."""
    axes = [edge * np.arange(n) for n, edge in zip(shape, spacing_mm, strict=True)]
    z_y_x = tuple(reversed(axes))  # the field comes in the reverse order of its axes
    box = tuple((0.0, float(axis[-1])) for axis in z_y_x)
    return SmoothField.draw(box, rng.uniform(*lengths_mm), rng).at(z_y_x)


def _noisy(image: np.ndarray, most: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise, or Rician noise as magnitudes have it."""
    noise_sd = np.float32(rng.uniform(0, most))
    noisy = image + noise_sd * rng.standard_normal(image.shape, np.float32)
    if rng.integers(2):
        return np.hypot(noisy, noise_sd * rng.standard_normal(image.shape, np.float32))
    return noisy


def _coarser(
    image: np.ndarray,
    spacing_mm: tuple[float, float, float],
    parameters: RandomisedParameters,
    rng: np.random.Generator,
) -> np.ndarray:
    """Take the image in thicker slices along one axis, and interpolate between them."""
    axis = int(rng.integers(3))
    most = max(parameters.thickest_slice_mm / spacing_mm[axis], 1.0)
    factor = float(np.exp(rng.uniform(0, np.log(most))))
    matrix = thick_slices(image.shape[axis], factor)
    return np.moveaxis(np.tensordot(matrix, image, axes=(1, axis)), 0, axis)


def thick_slices(n: int, factor: float) -> np.ndarray:
    """Return the matrix that averages n voxels in slices `factor` thick and interpolates back.

    Returns
    -------
    numpy.ndarray
        Shape (n, n), float32; each row adds up to one.
    """
    count = max(int(n / factor), 1)
    middles = (n - count * factor) / 2 + factor * (np.arange(count) + 0.5) - 0.5
    low, high = middles[:, None] - factor / 2, middles[:, None] + factor / 2
    voxels = np.arange(n)
    overlap = np.minimum(high, voxels + 0.5) - np.maximum(low, voxels - 0.5)
    average = overlap.clip(0, None)
    average /= average.sum(axis=1, keepdims=True)
    # between two middles linearly, beyond the outermost ones level
    back = np.array([np.interp(voxels, middles, unit) for unit in np.eye(count)]).T
    return (back @ average).astype(np.float32)

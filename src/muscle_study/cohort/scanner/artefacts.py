"""Imperfections of a scanner: chemical shift, ghosts, motion and noise."""

import numpy as np

#: Displacement of fat along the readout (mm): it precesses about 440 Hz slower than water at 3 T;
#: the bandwidth is about 1100 Hz per voxel of 1.4 mm (our assumption).
CHEMICAL_SHIFT_MM = 0.57

#: Segments of the phase encoding between which the body moves (our assumption).
MOTION_SEGMENTS = 12


def chemical_shift(fat: np.ndarray, spacing_x_mm: float) -> np.ndarray:
    """Return fat, of shape (..., nx), displaced along the readout (x) by a fraction of a voxel."""
    share = np.float32(CHEMICAL_SHIFT_MM / spacing_x_mm)
    shifted = (1 - share) * fat
    shifted[..., 1:] += share * fat[..., :-1]
    return shifted


def ghosts(image: np.ndarray, strength: np.ndarray, shift: int) -> np.ndarray:
    """Add ghosts of breathing: copies shifted by `shift` voxels along the phase encoding (y).

    The copies wrap around; `strength` is the factor on them by slice of the image (z, y, x).
    """
    copies = np.roll(image, shift, axis=1)
    copies += np.roll(image, -shift, axis=1)
    return image + strength[:, None, None].astype(np.float32) * copies


def motion_path_mm(size_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Draw the body's position along y in each segment of the phase encoding: a random walk."""
    path = np.cumsum(rng.normal(0, 1, MOTION_SEGMENTS)) / np.sqrt(MOTION_SEGMENTS)
    return size_mm * (path - path[MOTION_SEGMENTS // 2])


def move(images: list[np.ndarray], path_mm: np.ndarray, spacing_y_mm: float) -> list[np.ndarray]:
    """Return real signals, each of shape (nz, ny, nx), of a body that moves along y.

    `path_mm` is the displacement in each segment of the phase encoding (y), in the order of the
    lines of k-space. Phase correction is perfect: the real part is returned.
    """
    ny = images[0].shape[1]
    frequency = np.fft.fftfreq(ny)
    order = np.argsort(np.argsort(frequency))
    displacement = path_mm[order * len(path_mm) // ny] / spacing_y_mm
    phase = np.exp(-2j * np.pi * frequency * displacement).astype(np.complex64)
    # the filter lacks conjugate symmetry: only its real part contributes to the real image
    kernel = np.fft.ifft(phase).real
    spectrum = np.fft.rfft(kernel).astype(np.complex64)[:, None]
    moved = []
    for image in images:
        result = np.empty_like(image)
        for index, plane in enumerate(image):
            result[index] = np.fft.irfft(np.fft.rfft(plane, axis=0) * spectrum, ny, axis=0)
        moved.append(result)
    return moved


def rician(signal: np.ndarray, noise_sd: float, rng: np.random.Generator) -> np.ndarray:
    """Return the magnitude of a signal with Gaussian noise in its real and imaginary part."""
    real = rng.standard_normal(signal.shape, np.float32)
    real *= noise_sd
    real += signal
    imaginary = rng.standard_normal(signal.shape, np.float32)
    imaginary *= noise_sd
    return np.hypot(real, imaginary, out=real)

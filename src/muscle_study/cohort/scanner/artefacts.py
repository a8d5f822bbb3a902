"""What a scanner adds to the signal: noise, ghosts, motion, fat in the wrong place."""

import numpy as np

#: Fat precesses about 440 Hz slower than water at 3 T; with some 1100 Hz a voxel of 1.4 mm along
#: the readout (our assumption) it is displaced by this much (mm).
CHEMICAL_SHIFT_MM = 0.57

#: Segments of the phase encoding between which a body that moves lies elsewhere (our assumption).
MOTION_SEGMENTS = 12


def chemical_shift(fat: np.ndarray, spacing_x_mm: float) -> np.ndarray:
    """Displace fat along the readout (x), by a part of a voxel.

    Parameters
    ----------
    fat
        Shape (..., nx).
    spacing_x_mm
        Edge of a voxel along x.
    """
    share = np.float32(CHEMICAL_SHIFT_MM / spacing_x_mm)
    shifted = (1 - share) * fat
    shifted[..., 1:] += share * fat[..., :-1]
    return shifted


def ghosts(image: np.ndarray, strength: np.ndarray, shift: int) -> np.ndarray:
    """Add a copy of the image to each side along the phase encoding (y), as breathing does.

    What leaves the field of view comes back on the other side.

    Parameters
    ----------
    image
        Shape (nz, ny, nx).
    strength
        Of a copy by slice, shape (nz,).
    shift
        Voxels.
    """
    copies = np.roll(image, shift, axis=1)
    copies += np.roll(image, -shift, axis=1)
    return image + strength[:, None, None].astype(np.float32) * copies


def motion_path_mm(size_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Draw where the body lies in each segment of the phase encoding: drift and jerks along y."""
    path = np.cumsum(rng.normal(0, 1, MOTION_SEGMENTS)) / np.sqrt(MOTION_SEGMENTS)
    return size_mm * (path - path[MOTION_SEGMENTS // 2])


def move(images: list[np.ndarray], path_mm: np.ndarray, spacing_y_mm: float) -> list[np.ndarray]:
    """Let the body move along the phase encoding (y) while the lines of k-space are taken.

    Parameters
    ----------
    images
        Real signals of shape (nz, ny, nx), taken together.
    path_mm
        Displacement in each segment, in the order of the lines; the middle ones hold the contrast.
    spacing_y_mm
        Edge of a voxel along y.

    Returns
    -------
    list of numpy.ndarray
        The real part: phase correction is perfect.
    """
    ny = images[0].shape[1]
    frequency = np.fft.fftfreq(ny)
    order = np.argsort(np.argsort(frequency))
    displacement = path_mm[order * len(path_mm) // ny] / spacing_y_mm
    phase = np.exp(-2j * np.pi * frequency * displacement).astype(np.complex64)
    # a filter along y, which conjugate symmetry does not hold for: its real part is kept
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
    """Add Gaussian noise to both parts of the complex signal and return its magnitude."""
    real = rng.standard_normal(signal.shape, np.float32)
    real *= noise_sd
    real += signal
    imaginary = rng.standard_normal(signal.shape, np.float32)
    imaginary *= noise_sd
    return np.hypot(real, imaginary, out=real)

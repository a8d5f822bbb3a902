"""Figure of the notebook, aggregated over participants."""

import random
from collections.abc import Iterable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from muscle_study.imaging.volumes import load
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import RunPaths

#: Spacing and half extent (x, z) of the picture, centred on each participant's grid, mm.
PICTURE_MM, PICTURE_HALF_MM = 4.0, (240.0, 280.0)

#: Participants in the picture; reading all label maps of a cohort would take an hour.
MOST = 200
SEED = 1


def drawn(participant_ids: Iterable[str]) -> list[str]:
    """Return all participants, or `MOST` of them drawn at random."""
    ids = sorted(participant_ids)
    return ids if len(ids) <= MOST else sorted(random.Random(SEED).sample(ids, MOST))


def show_mean_projection(paths: RunPaths, participant_ids: Iterable[str]) -> Figure:
    """Draw, for each structure, the share of `drawn` participants who have it at a point."""
    shape = tuple(int(2 * half / PICTURE_MM) for half in PICTURE_HALF_MM)
    share = np.zeros((len(STRUCTURES), *shape))
    ids = drawn(participant_ids)
    for participant_id in ids:
        labels = load(paths.segmentations / f"{participant_id}.nii.gz")
        nx, _, nz = labels.data.shape
        dx, _, dz = labels.spacing_mm
        columns = _nearest(shape[0], nx, dx)
        rows = _nearest(shape[1], nz, dz)
        for i, label in enumerate(STRUCTURES):
            seen = np.pad((labels.data == label).any(axis=1), 1)
            share[i] += seen[np.ix_(columns, rows)]
    figure, axes = plt.subplots(1, len(STRUCTURES), figsize=(12, 3.6), layout="constrained")
    for axis, picture, label in zip(axes, share / max(len(ids), 1), STRUCTURES, strict=True):
        shown = axis.imshow(picture[::-1].T, origin="lower", cmap="magma", vmin=0, vmax=1)
        axis.set_title(label.name.replace("_", " ").lower())
        axis.set_axis_off()
    figure.colorbar(shown, ax=axes, label="share of participants", shrink=0.8)
    plt.close(figure)
    return figure


def _nearest(points: int, n: int, spacing_mm: float) -> np.ndarray:
    """Return the index nearest to each of the picture's points, in an axis padded by one."""
    place = (np.arange(points) + 0.5) * PICTURE_MM - points * PICTURE_MM / 2
    index = np.rint(place / spacing_mm + (n - 1) / 2).astype(int)
    return np.clip(index + 1, 0, n + 1)

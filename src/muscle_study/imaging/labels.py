"""Merging of label files."""

from collections.abc import Iterable, Mapping

import numpy as np

from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.muscles import Label


def merge_labels(
    files: Iterable[tuple[str, Volume, Mapping[float, Label]]], image: Volume
) -> Volume:
    """Merge label files into one map of the study's labels.

    Parameters
    ----------
    files
        Name, volume and meaning of the values of each file; later files take precedence.
    image
        Image of the participant on the same grid, stored in the same order.

    Raises
    ------
    Excluded
        ``grid_mismatch``, or ``unknown_label`` for a value without meaning. Either excludes the
        participant, not only the labels, since other files may be mixed up too.
    """
    merged = np.zeros(image.data.shape, np.uint8)
    for name, volume, meanings in files:
        if not volume.same_grid(image):
            raise Excluded(
                Reason.GRID_MISMATCH,
                f"{name} {describe_grid(volume)}, image {describe_grid(image)}",
            )
        values = np.unique(volume.data).tolist()
        unknown = [value for value in values if value not in meanings]
        if unknown:
            text = ", ".join(f"{value:g}" for value in unknown[:5])
            raise Excluded(Reason.UNKNOWN_LABEL, f"{name}: {text}")
        for value in values:
            if meanings[value] is not Label.BACKGROUND:
                merged[volume.data == value] = meanings[value]
    return Volume(merged, image.affine)


def describe_grid(volume: Volume) -> str:
    """Return a short description of a grid for messages."""
    shape = "x".join(map(str, volume.data.shape))
    origin = ", ".join(f"{x:.1f}" for x in volume.affine[:3, 3])
    return f"{shape} at {spacing_text(volume)} mm {volume.orientation} from ({origin})"


def spacing_text(volume: Volume) -> str:
    """Return voxel edges along the stored axes as ``3x3x5``, mm."""
    return "x".join(f"{edge:.4g}" for edge in volume.spacing_mm)

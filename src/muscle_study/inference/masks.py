"""A label map on a participant's grid, from masks of another segmenter."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from nibabel.affines import apply_affine

from muscle_study.imaging.labels import describe_grid, merge_labels
from muscle_study.imaging.volumes import Volume, load, resample
from muscle_study.inference.parameters import MasksParameters
from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import ROOT

#: Share of the muscles' voxels that may lie outside the images, for rounding at a border.
OUTSIDE = 0.01


def mask_files(parameters: MasksParameters, participant_id: str) -> dict[Path, dict[int, Label]]:
    """Return a participant's expected mask files and the labels of their values.

    Other values are other structures.
    """
    folder = ROOT / Path(parameters.folder).expanduser()
    table = {Label[structure.upper()]: names for structure, names in parameters.label_table.items()}
    if parameters.a_file_a_structure:
        return {
            folder / parameters.file.format(participant=participant_id, structure=name): {1: label}
            for label, names in table.items()
            for name in names
        }
    numbers = {number: label for label, names in table.items() for number in names.values()}
    return {folder / parameters.file.format(participant=participant_id): numbers}


def label_map(files: Mapping[Path, Mapping[int, Label]], own: Volume, binary: bool) -> Volume:
    """Join a participant's masks on the grid of the participant's images.

    The masks may lie on one grid of any orientation. No component is removed.

    Parameters
    ----------
    files
        Mask files, from `mask_files`.
    own
        Image of the participant.
    binary
        Whether a file may hold only 0 and 1.

    Raises
    ------
    Excluded
        ``missing_mask``, ``grid_mismatch`` if the masks belong to other images, ``unknown_label``
        if a binary mask holds other values, or what reading a file raises.
    """
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise Excluded(Reason.MISSING_MASK, ", ".join(missing))
    loaded = []
    for path, known in files.items():
        volume = load(path)
        values = [0, 1] if binary else np.unique(volume.data).tolist()
        loaded.append((path.name, volume, dict.fromkeys(values, Label.BACKGROUND) | dict(known)))
    merged = merge_labels(loaded, loaded[0][1])
    check_place(merged, own)
    return resample(merged, own.data.shape, own.affine, order=0)


def check_place(masks: Volume, own: Volume) -> None:
    """Raise ``grid_mismatch`` if masks lie outside the images: they belong to another scan."""
    found = np.argwhere(masks.data)
    place = apply_affine(np.linalg.inv(own.affine) @ masks.affine, found)
    outside = ((place < -0.5) | (place > np.array(own.data.shape) - 0.5)).any(axis=1)
    if len(found) and outside.mean() > OUTSIDE:
        raise Excluded(
            Reason.GRID_MISMATCH,
            f"{100 * outside.mean():.0f} % of the masks, {describe_grid(masks)}, lie outside the "
            f"images, {describe_grid(own)}",
        )

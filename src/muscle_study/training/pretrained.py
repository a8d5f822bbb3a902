"""A finished model in place of a training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from muscle_study.networks.model import load_model, model_files
from muscle_study.protocol.files import read_table, whole_file, write_table
from muscle_study.training.used import used_earlier

#: What a training leaves beside weights and card.
CURVES = ("history.csv", "timing.csv")


def adopt(source: Path, channels: Sequence[str], folder: Path) -> pd.DataFrame:
    """Copy a model, with who is known to have trained it.

    Parameters
    ----------
    source
        Folder of the model.
    channels
        That this run gives the networks.
    folder
        Of this run's model.

    Returns
    -------
    pandas.DataFrame
        Learning curves of its training.

    Raises
    ------
    FileNotFoundError
        If there is no model.
    ValueError
        If it sees other channels.
    """
    seen = load_model(source).card.parameters.channels
    if seen != list(channels):
        raise ValueError(
            f"training.pretrained: {source} sees {seen}, this run has training.channels "
            f"{list(channels)}: make them equal (inference.channels names stand-ins)"
        )
    write_table(used_earlier(source, "pretrained"), folder / "used.csv")
    card, *weights = model_files(source)
    for file in (*(source / name for name in CURVES), *weights, card):  # the card says: complete
        with whole_file(folder / file.name) as beside:
            beside.write_bytes(file.read_bytes())
    return read_table(folder / "history.csv")

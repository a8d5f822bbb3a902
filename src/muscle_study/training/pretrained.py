"""Use of a pretrained model instead of a training."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from muscle_study.networks.model import load_model, model_files
from muscle_study.protocol.files import read_table, whole_file, write_table
from muscle_study.training.used import used_earlier

#: Files of a training beside weights and card.
CURVES = ("history.csv", "timing.csv")


def adopt(source: Path, channels: Sequence[str], folder: Path) -> pd.DataFrame:
    """Copy a model, with the participants known to have trained it.

    Parameters
    ----------
    source
        Folder of the model.
    channels
        Channels of this run.
    folder
        Folder of this run's model.

    Returns
    -------
    pandas.DataFrame
        Learning curves of its training.

    Raises
    ------
    FileNotFoundError
        There is no model.
    ValueError
        The model has other channels.
    """
    seen = load_model(source).card.parameters.channels
    if seen != list(channels):
        raise ValueError(
            f"training.pretrained: {source} sees {seen}, this run has training.channels "
            f"{list(channels)}: make them equal (inference.channels names stand-ins)"
        )
    write_table(used_earlier(source, "pretrained"), folder / "used.csv")
    card, *weights = model_files(source)
    for file in (*(source / name for name in CURVES), *weights, card):  # the card marks completion
        with whole_file(folder / file.name) as beside:
            beside.write_bytes(file.read_bytes())
    return read_table(folder / "history.csv")

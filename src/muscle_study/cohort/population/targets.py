"""The published figures that the synthetic population is calibrated to."""

from functools import cache

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import PUBLISHED

FILES = ("kiefer_2026.csv", "nako_population.csv")


@cache
def targets() -> pd.DataFrame:
    """Return ``value``, ``unit`` and ``source`` by ``quantity``, ``sex`` and ``statistic``."""
    tables = [read_table(PUBLISHED / name) for name in FILES]
    return pd.concat(tables).set_index(["quantity", "sex", "statistic"])


def target(quantity: str, statistic: str, sex: str = "both") -> float:
    """Return a published figure as printed.

    Raises
    ------
    KeyError
        If ``data/published`` lacks the figure.
    """
    try:
        return float(targets().loc[(quantity, sex, statistic), "value"])
    except KeyError:
        raise KeyError(
            f"no row quantity={quantity}, sex={sex}, statistic={statistic} in "
            f"{' or '.join(FILES)}: add it to data/published"
        ) from None

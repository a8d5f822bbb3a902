"""The paper's published values, from ``data/published/kiefer_2026.csv``."""

from functools import cache

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import PUBLISHED

KIEFER = PUBLISHED / "kiefer_2026.csv"


@cache
def _figures() -> pd.Series:
    return read_table(KIEFER).set_index(["quantity", "sex", "statistic"])["value"]


def published(quantity: str, statistic: str, sex: str = "both") -> float:
    """Return a published value of the paper.

    Raises
    ------
    KeyError
        If the file lacks it.
    """
    return float(_figures()[quantity, sex, statistic])

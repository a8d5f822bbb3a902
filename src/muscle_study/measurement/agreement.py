"""Agreement of measured values with the known truth of a synthetic cohort."""

from typing import NamedTuple

import numpy as np
import pandas as pd
import pingouin
from scipy import stats

from muscle_study.protocol.outcomes import MEASURES

#: Conventional for limits of agreement; pingouin's interval of the ICC has no other.
CONFIDENCE = 0.95
TAIL = (1 + CONFIDENCE) / 2

#: Smallest number of pairs with a meaningful spread or correlation; below it they are missing.
MIN_PAIRS = 3

COLUMNS = ["measure", "group", "n", "truth_mean", "bias", "bias_low", "bias_high", "loa_low",
           "loa_high", "icc", "icc_low", "icc_high"]  # fmt: skip


class Differences(NamedTuple):
    """Bias with its confidence interval, and limits of agreement."""

    bias: float
    bias_low: float
    bias_high: float
    loa_low: float
    loa_high: float


class Icc(NamedTuple):
    """Intraclass correlation with its confidence interval."""

    icc: float
    icc_low: float
    icc_high: float


def bland_altman(measured: np.ndarray, truth: np.ndarray) -> Differences:
    """Return bias and limits of agreement of ``measured - truth``, arrays (n,).

    The bias has Student's interval; the limits, ``bias ± 1.96 SD``, hold 95 % if normal.

    References
    ----------
    Bland JM, Altman DG. Statistical methods for assessing agreement between two methods of
    clinical measurement. Lancet 1986;327:307-310.
    """
    differences = measured - truth
    n = len(differences)
    bias, sd = differences.mean(), differences.std(ddof=1)
    margin = stats.t.ppf(TAIL, n - 1) * sd / np.sqrt(n)
    spread = stats.norm.ppf(TAIL) * sd
    return Differences(bias, bias - margin, bias + margin, bias - spread, bias + spread)


def icc_agreement(ratings: np.ndarray) -> Icc:
    """Return ICC(A,1): absolute agreement of single values in the two-way model.

    It is ICC(2,1) of Shrout and Fleiss (Psychol Bull 1979;86:420-428), with the interval of McGraw
    and Wong (Psychol Methods 1996;1:30-46).

    Parameters
    ----------
    ratings
        Values of n participants by k methods, shape (n, k).
    """
    if (ratings == ratings[:, :1]).all():  # no error to estimate an interval from
        return Icc(1.0, np.nan, np.nan)
    n, k = ratings.shape
    long = pd.DataFrame(
        {
            "participant": np.repeat(np.arange(n), k),
            "source": np.tile(np.arange(k), n),
            "value": ratings.ravel(),
        }
    )
    rounding = pingouin.options.pop("round.column.CI95")  # two decimals: 0.996 would become 1
    try:
        table = pingouin.intraclass_corr(long, "participant", "source", "value")
    finally:
        pingouin.options["round.column.CI95"] = rounding
    row = table.set_index("Type").loc["ICC(A,1)"]
    return Icc(row["ICC"], *row["CI95"])


def agreement_row(measured: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return a row of ``agreement.csv`` without measure and group, for arrays (n,)."""
    known = np.isfinite(measured) & np.isfinite(truth)
    measured, truth = measured[known], truth[known]
    row = {"n": len(truth), "truth_mean": truth.mean() if len(truth) else np.nan}
    if len(truth) >= MIN_PAIRS:
        row |= bland_altman(measured, truth)._asdict()
        row |= icc_agreement(np.column_stack([measured, truth]))._asdict()
    return row


def agreement_table(groups: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return ``agreement.csv``: every measure against its truth in each group of participants.

    Parameters
    ----------
    groups
        Participants by name of the group: true measures and, as ``<measure>_error``, errors.
    """
    rows = []
    for group, members in groups.items():
        for name in MEASURES:
            truth = members[name].to_numpy()
            measured = truth + members[f"{name}_error"].to_numpy()
            rows.append({"measure": name, "group": group} | agreement_row(measured, truth))
    return pd.DataFrame(rows, columns=COLUMNS)

"""Correlation of gluteus volume with body size."""

import numpy as np
import pandas as pd
from scipy import stats

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate
from muscle_study.statistics.study.measures import OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: What gluteus volume is correlated with.
SIZES = {"weight_kg": "Weight", "height_cm": "Height", "bmi_kg_m2": "BMI"}


def pearson(first: pd.Series, second: pd.Series, confidence: float) -> dict[str, float]:
    """Return Pearson's r with its interval on Fisher's z; NaN for fewer than four pairs.

    The standard error is that of any distribution with fourth moments: each pair moves r by
    ``zx zy - r (zx² + zy²) / 2``, with z in SDs from the mean (Steiger and Hakstian, Br J Math Stat
    Psychol 1982;35:208-215). For two normal variables it is Fisher's ``1 / √(n - 3)``; weight and
    BMI are skewed, and Fisher's error is too small or too large by how much their tails add.

    Returns
    -------
    dict
        ``r``, its standard error ``error``, ``low``, ``high``, and ``p`` of no correlation.
    """
    pairs = pd.DataFrame({"first": first, "second": second}).dropna()
    if len(pairs) < 4 or (pairs.nunique() < 2).any():
        return dict.fromkeys(("r", "error", "low", "high", "p"), np.nan)
    result = stats.pearsonr(pairs["first"], pairs["second"])
    r = result.statistic
    x, y = stats.zscore(pairs.to_numpy(float)).T
    influence = x * y - r * (x**2 + y**2) / 2
    error = float(np.sqrt((influence**2).mean() / (len(pairs) - 3)))
    low, high = fisher_interval(r, error, confidence)
    return {"r": r, "error": error, "low": low, "high": high, "p": result.pvalue}


def fisher_interval(r: float, error: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a correlation with a standard error, by Fisher's z = artanh r."""
    if abs(r) >= 1:  # a straight line leaves nothing to vary
        return r, r
    half = stats.norm.ppf((1 + confidence) / 2) * error / (1 - r**2)
    return float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half))


def correlations(study: Study) -> pd.DataFrame:
    """Correlate gluteus volume with weight, height and BMI in each sex."""
    rows = []
    for size in SIZES:
        for sex in SEXES:
            people = study.of_sex(sex)
            if sex in study.hidden_sexes:
                people = people.iloc[:0]
            found = pearson(
                OUTCOMES["gluteus"].values(people), people[size], study.parameters.confidence
            )
            rows.append({"with": size, "sex": sex, **found})
    return pd.DataFrame(rows)


def correlation_table(study: Study, found: pd.DataFrame) -> Table:
    """Return the correlations as a table of the manuscript."""
    text = [
        {
            "Gluteus volume with": SIZES[row["with"]],
            "Sex": SEXES[row["sex"]],
            "r (CI)": estimate(row["r"], row["low"], row["high"], 2),
            "r²": MARK if pd.isna(row["r"]) else format_number(row["r"] ** 2, 2),
            "p": MARK if pd.isna(row["p"]) else format_p(row["p"]),
        }
        for row in found.to_dict("records")
    ]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Pearson correlation of total gluteus volume with body size by sex ({study.sizes}), with "
        f"{percent} % confidence interval (CI) on Fisher's z, with errors that need no normal "
        f"distribution. {MARK}: not estimable." + study.origin
    )
    return Table(found, pd.DataFrame(text), caption, name="correlation")

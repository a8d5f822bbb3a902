"""Correlation of gluteus volume with body size."""

import numpy as np
import pandas as pd
from scipy import stats

from muscle_study.disclosure import MARK
from muscle_study.numbers import format_number, format_p
from muscle_study.statistics.measures import OUTCOMES, SEXES
from muscle_study.statistics.study import Study
from muscle_study.statistics.table import Table, estimate

#: What gluteus volume is correlated with.
SIZES = {"weight_kg": "Weight", "height_cm": "Height", "bmi_kg_m2": "BMI"}


def pearson(first: pd.Series, second: pd.Series, confidence: float) -> dict[str, float]:
    """Return Pearson's r with its interval by Fisher's z; NaN for fewer than four pairs.

    Fisher's z has variance 1 / (n - 3), so that four pairs are the fewest. A variable that does
    not vary has no correlation either.
    """
    pairs = pd.DataFrame({"first": first, "second": second}).dropna()
    if len(pairs) < 4 or (pairs.nunique() < 2).any():
        return dict.fromkeys(("r", "low", "high", "p"), np.nan)
    result = stats.pearsonr(pairs["first"], pairs["second"])
    limits = result.confidence_interval(confidence)
    return {"r": result.statistic, "low": limits.low, "high": limits.high, "p": result.pvalue}


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
        f"{percent} % confidence interval (CI) by Fisher's z. {MARK}: not estimable." + study.origin
    )
    return Table("correlation", found, pd.DataFrame(text), caption)

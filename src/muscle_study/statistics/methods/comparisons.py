"""Welch's tests between groups, with effect sizes, and Holm's correction."""

import pandas as pd
import pingouin
from scipy import stats

from muscle_study.statistics.methods.effect_sizes import cohen_d, eta_squared_interval


def two_groups(first: pd.Series, second: pd.Series, confidence: float) -> dict[str, float]:
    """Compare two means by Welch's t-test.

    Returns
    -------
    dict
        t (``statistic``), its degrees of freedom ``df2``, ``p``, the difference of means
        (first - second) and Cohen's d (pooled SD) with their intervals, and Hedges' g.
    """
    d, d_low, d_high = cohen_d(first, second, confidence)
    test = stats.ttest_ind(first, second, equal_var=False)
    limits = test.confidence_interval(confidence)  # pingouin's is rounded
    return {
        "statistic": test.statistic,
        "df2": test.df,
        "p": test.pvalue,
        "difference": first.mean() - second.mean(),
        "difference_low": limits.low,
        "difference_high": limits.high,
        "cohen_d": d,
        "cohen_d_low": d_low,
        "cohen_d_high": d_high,
        "hedges_g": pingouin.compute_effsize(first, second, eftype="hedges"),
    }


def several_groups(values: pd.Series, groups: pd.Series, confidence: float) -> dict[str, float]:
    """Compare the means of two or more groups by Welch's analysis of variance.

    Returns
    -------
    dict
        F (``statistic``), its degrees of freedom ``df1`` and ``df2``, ``p``, and η² =
        between-group / total sum of squares with its interval.
    """
    data = pd.DataFrame({"value": values.to_numpy(float), "group": groups.astype(str).to_numpy()})
    test = pingouin.welch_anova(data=data, dv="value", between="group").iloc[0]
    total = ((data["value"] - data["value"].mean()) ** 2).sum()
    means = data.groupby("group")["value"].transform("mean")
    between = ((means - data["value"].mean()) ** 2).sum()
    eta_squared = between / total
    classical = data["group"].nunique() - 1, len(data) - data["group"].nunique()
    f = eta_squared / (1 - eta_squared) * classical[1] / classical[0]
    low, high = eta_squared_interval(f, *classical, confidence)
    return {
        "statistic": test["F"],
        "df1": test["ddof1"],
        "df2": test["ddof2"],
        "p": test["p_unc"],
        "eta_squared": eta_squared,
        "eta_squared_low": low,
        "eta_squared_high": high,
    }


def comparable(values: pd.Series, groups: pd.Series, min_count: int) -> list[str]:
    """Return the groups that can be compared: enough members, and not all alike."""
    by_group = values.groupby(groups, observed=True)
    usable = (by_group.count() >= max(2, min_count)) & (by_group.var() > 0)
    return list(usable.index[usable])


def holm(p: pd.Series) -> pd.Series:
    """Return p-values adjusted by Holm's method; NaN, a test that was not made, does not count."""
    adjusted = p.astype(float).copy()
    made = p.notna()
    if made.any():
        adjusted[made] = pingouin.multicomp(p[made].to_numpy(float), method="holm")[1]
    return adjusted

"""Mean, SD and centiles that disclose no single person."""

import pandas as pd


def describe(values: pd.Series, min_count: int) -> dict[str, float]:
    """Return mean, SD (n - 1), median and quartiles; NaN for fewer than `min_count` values.

    A centile of a few people is the value of one of them: at least `min_count` values must lie
    beyond it, so that the median needs twice and the quartiles need four times `min_count` values.
    """
    values = values.dropna()
    found = dict.fromkeys(("mean", "sd", "median", "q1", "q3"), float("nan"))
    if len(values) >= min_count:
        found |= {"mean": values.mean(), "sd": values.std()}
    for name, centile in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
        if len(values) * min(centile, 1 - centile) >= min_count:
            found[name] = values.quantile(centile)
    return found

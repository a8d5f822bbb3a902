"""Multiple imputation."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.methods.imputation import impute, imputed, pool


def test_rubins_rules_by_hand():
    """Three estimates 1, 2, 3 of variance 1: within 1, between 1, total 1 + 4/3 · 1 = 7/3.

    Share lost 4/7; Rubin's degrees 2 / (4/7)² = 6.125, against 100 · 101/103 · 3/7 of the data.
    """
    found = pool(np.array([[1.0], [2.0], [3.0]]), np.ones((3, 1)), 100, 0.95).iloc[0]
    assert found["value"] == 2
    assert found["lost"] == pytest.approx(4 / 7)
    degrees = 1 / (1 / 6.125 + 1 / (100 * 101 / 103 * 3 / 7))
    assert degrees == pytest.approx(5.346, abs=1e-3)
    # Student's 97.5 % point on 5.346 degrees is 2.522
    assert found["high"] - 2 == pytest.approx(2.522 * np.sqrt(7 / 3), abs=2e-3)


def test_nothing_missing_changes_nothing():
    data = pd.DataFrame({"x": [1.0, 2, 3], "y": [2.0, 4, 5]})
    assert impute(data, np.random.default_rng(0)).equals(data)
    found = pool(np.full((5, 1), 2.0), np.ones((5, 1)), 1e6, 0.95).iloc[0]
    assert found["high"] - 2 == pytest.approx(1.96, abs=1e-3)


def test_imputation_undoes_what_complete_cases_get_wrong():
    """x is missing where y is large: complete cases give too small a slope, imputed ones do not."""
    rng = np.random.default_rng(3)
    x = rng.normal(0, 1, 4000)
    y = x + rng.normal(0, 1, 4000)
    data = pd.DataFrame({"x": np.where(rng.random(4000) < (y > 0.5) * 0.7, np.nan, x), "y": y})

    def slope(table):
        design = np.column_stack([np.ones(len(table)), table["x"]])
        value, rss, _, _ = np.linalg.lstsq(design, table["y"], rcond=None)
        variance = rss[0] / (len(table) - 2) * np.linalg.inv(design.T @ design)[1, 1]
        return value[1:], np.array([variance]), len(table) - 2

    complete = slope(data.dropna())[0][0]
    found = imputed(data, slope, 0.95, seed=1).iloc[0]
    assert complete < 0.93
    assert found["low"] < 1 < found["high"]
    assert 0.05 < found["lost"] < 0.5


def test_missing_levels_are_imputed_by_similar_people():
    """The level depends on x; a third of the levels is missing where x is large."""
    rng = np.random.default_rng(5)
    x = rng.normal(0, 1, 3000)
    level = pd.Series(np.where(x + rng.normal(0, 0.5, 3000) > 0, "high", "low"))
    gone = (x > 0) & (rng.random(3000) < 0.6)
    levels = ["low", "high", "never seen"]
    data = pd.DataFrame({"x": x, "level": pd.Categorical(level.mask(gone), levels)})
    filled = impute(data, rng)
    assert filled["level"].notna().all()
    assert (filled["level"] == level)[~gone].all()
    # complete cases alone have too few high ones
    assert (data["level"] == "high").sum() / (~gone).sum() < 0.42
    assert (filled["level"] == "high").mean() == pytest.approx((level == "high").mean(), abs=0.02)

"""Comparisons verified with R's results for its data sets."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.methods.comparisons import (
    comparable,
    holm,
    several_groups,
    two_groups,
)

# Student's sleep data (Biometrika 1908;6:1-25), R's data set `sleep`
SLEEP = (
    pd.Series([0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]),
    pd.Series([1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]),
)

# Dobson (1983), R's data set `PlantGrowth`: control, treatment 1, treatment 2
PLANT_GROWTH = pd.Series(
    np.array(
        [
            [4.17, 5.58, 5.18, 6.11, 4.50, 4.61, 5.17, 4.53, 5.33, 5.14],
            [4.81, 4.17, 4.41, 3.59, 5.87, 3.83, 6.03, 4.89, 4.32, 4.69],
            [6.31, 5.12, 5.54, 5.50, 5.37, 5.29, 4.92, 6.15, 5.80, 5.26],
        ]
    ).ravel()
)
PLANT_GROUPS = pd.Series(np.repeat(["ctrl", "trt1", "trt2"], 10))


def test_welch_t_as_r_has_it():
    # R 4: t.test(extra ~ group, data = sleep)
    found = two_groups(*SLEEP, confidence=0.95)
    assert found["statistic"] == pytest.approx(-1.8608, abs=5e-5)
    assert found["df2"] == pytest.approx(17.776, abs=5e-4)
    assert found["p"] == pytest.approx(0.07939, abs=5e-6)
    assert found["difference_low"] == pytest.approx(-3.3654832, abs=1e-6)
    assert found["difference_high"] == pytest.approx(0.2054832, abs=1e-6)


def test_effect_sizes_by_their_formulas():
    found = two_groups(*SLEEP, confidence=0.95)
    pooled = np.sqrt((SLEEP[0].var() + SLEEP[1].var()) / 2)
    assert found["cohen_d"] == pytest.approx((0.75 - 2.33) / pooled)
    # Hedges' correction for 18 degrees of freedom
    assert found["hedges_g"] == pytest.approx(found["cohen_d"] * (1 - 3 / (4 * 20 - 9)))


def test_welch_anova_as_r_has_it():
    # R 4: oneway.test(weight ~ group, data = PlantGrowth); aov gives 3.76634 and 10.49209
    found = several_groups(PLANT_GROWTH, PLANT_GROUPS, confidence=0.95)
    assert found["statistic"] == pytest.approx(5.181, abs=5e-4)
    assert found["df1"] == 2
    assert found["df2"] == pytest.approx(17.128, abs=5e-4)
    assert found["p"] == pytest.approx(0.01739, abs=5e-6)
    assert found["eta_squared"] == pytest.approx(3.76634 / (3.76634 + 10.49209), abs=1e-5)


def test_holm_leaves_out_what_was_not_made():
    # Holm 1979: sorted p times 4, 3, 2, 1, never falling
    adjusted = holm(pd.Series([0.01, np.nan, 0.04, 0.03, 0.005]))
    assert adjusted.tolist() == pytest.approx([0.03, np.nan, 0.06, 0.06, 0.02], nan_ok=True)
    assert holm(pd.Series([np.nan])).isna().all()


@pytest.mark.parametrize(
    ("values", "min_count", "usable"),
    [
        ([1, 2, 3, 4, 5, 6], 2, ["a", "b"]),
        # one member is no group, whatever the threshold
        ([1, 2, 3, 4, 5, np.nan], 1, ["a", "b"]),
        ([1, 2, np.nan, np.nan, 5, np.nan], 1, ["a"]),
        # no variation: Welch's weights would be infinite
        ([1, 2, 3, 4, 4, 4], 2, ["a"]),
        ([1, 2, 3, 4, 5, 6], 4, []),
    ],
)
def test_groups_that_can_be_compared(values, min_count, usable):
    groups = pd.Series(["a", "a", "a", "b", "b", "b"])
    assert comparable(pd.Series(values, dtype=float), groups, min_count) == usable

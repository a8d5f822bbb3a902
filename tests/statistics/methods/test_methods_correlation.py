import numpy as np
import pandas as pd
import pytest
from scipy import stats

from muscle_study.statistics.methods.correlation import fisher_interval, pearson


def pair_with(r, n):
    """Return two series whose correlation is exactly `r`."""
    generator = np.random.default_rng(0)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), generator.normal(size=(n, 2))]))
    x, rest = basis[:, 1], basis[:, 2]
    return pd.Series(x), pd.Series(r * x + np.sqrt(1 - r**2) * rest)


def test_interval_by_fishers_z():
    # r = 0.5, n = 28: z = 0.5493, standard error 1 / √25 = 0.2, z ± 0.3920, and back by tanh
    low, high = fisher_interval(0.5, (1 - 0.25) / np.sqrt(25), confidence=0.95)
    assert low == pytest.approx(0.156, abs=5e-4)
    assert high == pytest.approx(0.736, abs=5e-4)


def test_normal_variables_have_fishers_error():
    # quantiles of a normal distribution in all combinations: nothing is left to chance
    quantiles = stats.norm.ppf((np.arange(300) + 0.5) / 300)
    x, rest = (axis.ravel() for axis in np.meshgrid(quantiles, quantiles))
    found = pearson(pd.Series(x), pd.Series(0.6 * x + 0.8 * rest), 0.95)
    assert found["r"] == pytest.approx(0.6, abs=1e-3)
    assert found["error"] == pytest.approx((1 - 0.36) / np.sqrt(90_000 - 3), rel=0.01)


def test_law_schools_as_efron_has_them():
    """LSAT and GPA of 15 law schools: r = 0.776, normal theory 0.115, the influence function 0.124.

    Efron, The Jackknife, the Bootstrap and Other Resampling Plans (SIAM 1982), chapters 5 and 6;
    his error divides by n, ours by n - 3.
    """
    lsat = [576, 635, 558, 578, 666, 580, 555, 661, 651, 605, 653, 575, 545, 572, 594]
    gpa = [
        3.39, 3.30, 2.81, 3.03, 3.44, 3.07, 3.00, 3.43, 3.36, 3.13, 3.12, 2.74, 2.76, 2.88, 2.96,
    ]  # fmt: skip
    found = pearson(pd.Series(lsat), pd.Series(gpa), 0.95)
    assert found["r"] == pytest.approx(0.776, abs=5e-4)
    assert found["error"] * np.sqrt(12 / 15) == pytest.approx(0.124, abs=1e-3)


def test_skewed_variables_have_the_jackknifes_error():
    generator = np.random.default_rng(1)
    x = generator.lognormal(0, 0.4, 2000)
    y = x + generator.normal(0, 0.3, 2000) * x
    found = pearson(pd.Series(x), pd.Series(y), 0.95)
    leave_one = [np.corrcoef(np.delete(x, i), np.delete(y, i))[0, 1] for i in range(2000)]
    assert found["error"] == pytest.approx(np.std(leave_one) * np.sqrt(1999), rel=0.02)
    fisher = (1 - found["r"] ** 2) / np.sqrt(1997)
    assert found["error"] > 1.2 * fisher


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2, 3], [1, 2, 4]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]), ([], [])],
    ids=["three", "constant", "nobody"],
)
def test_what_cannot_be_estimated(first, second):
    found = pearson(pd.Series(first, dtype=float), pd.Series(second, dtype=float), 0.95)
    assert found.pop("n") == len(first)
    assert np.isnan(list(found.values())).all()


def test_incomplete_pairs_are_left_out():
    x, y = pair_with(0.5, 28)
    x[28], y[29] = 100.0, -100.0
    found = pearson(x, y, 0.95)
    assert (found["n"], found["r"]) == (28, pytest.approx(0.5))

import numpy as np
import pingouin
import pytest
from scipy import stats

from muscle_study.statistics.methods.effect_sizes import cohen_d, eta_squared_interval


def test_d_is_the_usual_one():
    generator = np.random.default_rng(0)
    first, second = generator.normal(1, 2, 30), generator.normal(0, 1, 20)
    d, low, high = cohen_d(first, second, 0.95)
    assert d == pytest.approx(pingouin.compute_effsize(first, second, eftype="cohen"))
    assert low < d < high


def test_variance_of_d_as_hedges_and_olkin_give_it():
    """Statistical Methods for Meta-Analysis (1985), chapter 5: for normal values, equal variances.

    The values are a normal distribution's quantiles, so that nothing is left to chance.
    """
    quantiles = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    d, low, high = cohen_d(quantiles + 0.8, quantiles, 0.95)
    n = len(quantiles)
    error = np.sqrt(2 / n + d**2 / (4 * n))
    assert (high - low) / 2 == pytest.approx(1.96 * error, rel=2e-3)


def test_interval_of_d_with_unequal_variances_is_the_jackknifes():
    generator = np.random.default_rng(1)
    first, second = generator.gamma(4, 1, 1500), generator.normal(0, 1, 800)
    d, low, high = cohen_d(first, second, 0.95)
    leave_one = [cohen_d(np.delete(first, i), second, 0.95)[0] for i in range(1500)]
    leave_two = [cohen_d(first, np.delete(second, i), 0.95)[0] for i in range(800)]
    variance = sum(np.var(values) * (len(values) - 1) for values in (leave_one, leave_two))
    half = stats.t.ppf(0.975, 2298) * np.sqrt(variance)
    assert (high - low) / 2 == pytest.approx(half, rel=0.02)
    assert d == pytest.approx((low + high) / 2)


@pytest.mark.parametrize(("f", "df1", "df2"), [(5.0, 3, 40), (100.0, 5, 15_000)])
def test_the_limits_of_eta_squared_make_the_observed_f_a_tail(f, df1, df2):
    low, high = eta_squared_interval(f, df1, df2, 0.9)
    # Steiger (2004): λ = η² / (1 - η²) · N with N = df1 + df2 + 1
    noncentrality = [limit / (1 - limit) * (df1 + df2 + 1) for limit in (low, high)]
    assert stats.ncf.sf(f, df1, df2, noncentrality[0]) == pytest.approx(0.05, abs=1e-6)
    assert stats.ncf.cdf(f, df1, df2, noncentrality[1]) == pytest.approx(0.05, abs=1e-6)
    assert low < f * df1 / (f * df1 + df2) < high


@pytest.mark.parametrize(
    ("groups", "n", "effect"),
    [(3, 322, 0.10), (3, 52, 0.25), (3, 21, 0.40), (4, 274, 0.10), (4, 45, 0.25), (5, 39, 0.25)],
)
def test_noncentrality_as_in_cohens_table(groups, n, effect):
    """Cohen, A power primer, Psychol Bull 1992;112:155-159, table 2: power 0.80 at α = 0.05.

    With n people in each of the groups and effect size f, the F that is just significant lies above
    20 % of those that occur: f is the upper limit of its one-sided 80 % interval, 60 % two-sided.
    η² = f² / (1 + f²). Cohen's n is rounded up to a whole person.
    """
    df1, df2 = groups - 1, groups * (n - 1)
    high = eta_squared_interval(stats.f.isf(0.05, df1, df2), df1, df2, 0.6)[1]
    fewer = eta_squared_interval(stats.f.isf(0.05, df1, df2 - groups), df1, df2 - groups, 0.6)[1]
    step = abs(fewer - high)  # what one person in each group makes
    assert high == pytest.approx(effect**2 / (1 + effect**2), abs=step)


def test_the_interval_of_eta_squared_begins_at_zero_where_p_says_so():
    # p of this F is 0.05: on the edge of a two-sided 90 % interval that leaves zero out
    edge = stats.f.isf(0.05, 2, 30)
    assert eta_squared_interval(edge - 0.01, 2, 30, 0.9)[0] == 0
    assert eta_squared_interval(edge + 0.01, 2, 30, 0.9)[0] > 0

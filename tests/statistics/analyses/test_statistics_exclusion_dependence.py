import numpy as np
import pytest

from muscle_study.statistics.analyses.sample.exclusion_dependence import dependence_p, odds_ratio_of


def test_fishers_tea_tasting():
    """Agresti, Categorical Data Analysis (2nd ed., 2002), section 3.5: 3 of 4 cups identified."""
    milk, tea = odds_ratio_of(np.array([3, 1]), np.array([1, 3]), 0.95)
    assert milk.value == pytest.approx(6.408, abs=0.001)
    assert tea.value == pytest.approx(1 / milk.value)

    def probabilities(odds: float) -> np.ndarray:
        """Of 0 to 4 cups, by hand: C(4, k)² odds^k over their sum."""
        weights = np.array([1, 16, 36, 16, 1]) * odds ** np.arange(5)
        return weights / weights.sum()

    assert probabilities(milk.low)[3:].sum() == pytest.approx(0.025, rel=1e-4)
    assert probabilities(milk.high)[:4].sum() == pytest.approx(0.025, rel=1e-4)


def test_a_group_that_lost_nobody_has_an_upper_limit():
    none, _ = odds_ratio_of(np.array([0, 9]), np.array([40, 60]), 0.95)
    assert none.value == none.low == 0 and 0 < none.high < 1


def test_pearsons_test_on_a_table_worked_by_hand():
    # expected 15 and 85 in each group: (5² / 15 + 5² / 85) · 2 = 3.922, 1 degree of freedom
    assert dependence_p(np.array([20, 10]), np.array([80, 90]), 1) == pytest.approx(
        0.0477, abs=5e-5
    )


def test_few_are_tested_by_random_tables():
    # Fisher's exact test of (3, 1; 1, 3) has p = 0.486, and Pearson's statistic the same order
    assert dependence_p(np.array([3, 1]), np.array([1, 3]), 1) == pytest.approx(0.486, abs=0.02)


def test_the_lean_and_the_heavy_lost_together_are_found():
    assert dependence_p(np.array([30, 10, 30]), np.array([300, 900, 300]), 1) < 1e-6


@pytest.mark.parametrize(
    ("excluded", "measured"), [([3, 0], [9, 0]), ([0, 0], [9, 9]), ([3, 4], [0, 0])]
)
def test_nothing_to_compare(excluded, measured):
    assert np.isnan(dependence_p(np.array(excluded), np.array(measured), 1))

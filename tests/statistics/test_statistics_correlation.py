import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.correlation import correlations, pearson


def pair_with(r, n):
    """Return two series whose correlation is exactly `r`."""
    generator = np.random.default_rng(0)
    basis, _ = np.linalg.qr(np.column_stack([np.ones(n), generator.normal(size=(n, 2))]))
    x, rest = basis[:, 1], basis[:, 2]
    return pd.Series(x), pd.Series(r * x + np.sqrt(1 - r**2) * rest)


def test_interval_by_fishers_z():
    # r = 0.5, n = 28: z = 0.5493, standard error 1 / √25 = 0.2, z ± 0.3920, and back by tanh
    found = pearson(*pair_with(0.5, 28), confidence=0.95)
    assert found["r"] == pytest.approx(0.5)
    assert found["low"] == pytest.approx(0.156, abs=5e-4)
    assert found["high"] == pytest.approx(0.736, abs=5e-4)


@pytest.mark.parametrize(
    ("first", "second"),
    [([1, 2, 3], [1, 2, 4]), ([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]), ([], [])],
    ids=["three", "constant", "nobody"],
)
def test_what_cannot_be_estimated(first, second):
    found = pearson(pd.Series(first, dtype=float), pd.Series(second, dtype=float), 0.95)
    assert np.isnan(list(found.values())).all()


def test_incomplete_pairs_are_left_out():
    x, y = pair_with(0.5, 28)
    x[28], y[29] = 100.0, -100.0
    assert pearson(x, y, 0.95)["r"] == pytest.approx(0.5)


def test_correlations_of_a_run(study):
    found = correlations(study)
    assert found[["with", "sex"]].drop_duplicates().shape[0] == len(found) == 6
    men = study.of_sex("male")
    expected = men["gluteus_volume_total_ml"].corr(men["weight_kg"])
    assert found.set_index(["with", "sex"]).loc[("weight_kg", "male"), "r"] == pytest.approx(
        expected
    )

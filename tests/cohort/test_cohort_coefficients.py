"""The coefficients form a valid model, and their targets are in the data folder."""

import numpy as np
import pytest

from muscle_study.cohort.population.coefficients import (
    BMI_LIMITS_KG_M2,
    CENTRES,
    MUSCLES,
    RESIDUAL_CORRELATION,
    RESIDUALS,
    SEXES,
    WASTING_AGE_YEARS,
)
from muscle_study.cohort.population.targets import target, targets


def test_residual_correlation_is_a_correlation_matrix():
    matrix = np.array(RESIDUAL_CORRELATION)
    assert matrix.shape == (len(RESIDUALS), len(RESIDUALS))
    np.testing.assert_array_equal(matrix, matrix.T)
    np.testing.assert_array_equal(np.diag(matrix), 1)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_shares_of_centres_add_up_to_1():
    assert list(CENTRES) == list("ABCDE")
    assert sum(CENTRES.values()) == pytest.approx(1)


@pytest.mark.parametrize("measure", MUSCLES)
@pytest.mark.parametrize("sex", SEXES)
def test_muscle_loss_is_half_a_percent_a_year_at_most(measure, sex):
    slopes = MUSCLES[measure][sex]
    mean = target(measure, "mean", sex) * (1000 if measure == "gluteus" else 1)
    yearly = (slopes.age_years + slopes.years_after_45) / mean
    assert -0.005 < yearly < -0.003
    assert WASTING_AGE_YEARS == 45  # the name of the term says so


def test_limits_of_bmi_include_the_groups():
    assert BMI_LIMITS_KG_M2[0] < 25 < 30 < BMI_LIMITS_KG_M2[1]


def test_every_target_names_its_source():
    assert targets()["source"].str.len().gt(0).all()
    assert targets().index.is_unique


def test_unknown_target_is_named():
    with pytest.raises(KeyError, match="quantity=shoe, sex=both, statistic=mean"):
        target("shoe", "mean")

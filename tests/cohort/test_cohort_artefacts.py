"""Each artefact has its effect, in the requested amount."""

import numpy as np
import pytest

from muscle_study.cohort.scanner.artefacts import (
    CHEMICAL_SHIFT_MM,
    chemical_shift,
    ghosts,
    motion_path_mm,
    move,
    rician,
)


@pytest.fixture
def line():
    image = np.zeros((2, 20, 10), np.float32)
    image[:, 10, 4] = 100.0
    return image


def test_fat_moves_by_its_chemical_shift(line):
    shifted = chemical_shift(line, 1.0)
    centre = (shifted[0, 10] * np.arange(10)).sum() / shifted[0, 10].sum()
    assert centre - 4 == pytest.approx(CHEMICAL_SHIFT_MM, rel=1e-5)
    assert shifted.sum() == pytest.approx(line.sum())


def test_ghosts_lie_to_both_sides_and_wrap_round(line):
    ghosted = ghosts(line, np.array([0.1, 0.0]), 12)
    np.testing.assert_array_equal(ghosted[1], line[1])
    assert ghosted[0, 10, 4] == 100
    # 10 + 12 and 10 − 12, both of 20
    assert ghosted[0, 2, 4] == pytest.approx(10)
    assert ghosted[0, 18, 4] == pytest.approx(10)
    assert ghosted[0].sum() == pytest.approx(120)


def test_a_body_that_lies_elsewhere_all_the_time_is_seen_there(line):
    (moved,) = move([line], np.full(4, 6.0), spacing_y_mm=2.0)
    np.testing.assert_allclose(moved, np.roll(line, 3, axis=1), atol=1e-3)


def test_no_motion_changes_nothing(line):
    (moved,) = move([line], np.zeros(4), spacing_y_mm=2.0)
    np.testing.assert_allclose(moved, line, atol=1e-3)
    assert not motion_path_mm(0.0, np.random.default_rng(0)).any()


def test_motion_spreads_along_the_phase_encoding_alone(line):
    path = motion_path_mm(8.0, np.random.default_rng(1))
    (moved,) = move([line], path, spacing_y_mm=2.0)
    assert abs(np.delete(moved, 4, axis=2)).max() < 1e-3
    assert (abs(moved[0, :, 4]) > 1).sum() > 4


def test_noise_is_rayleigh_in_air_and_normal_on_signal():
    rng = np.random.default_rng(2)
    air = rician(np.zeros(200_000, np.float32), 0.05, rng)
    assert air.mean() == pytest.approx(0.05 * np.sqrt(np.pi / 2), rel=0.01)
    body = rician(np.full(200_000, 1.0, np.float32), 0.05, rng)
    assert body.std() == pytest.approx(0.05, rel=0.01)

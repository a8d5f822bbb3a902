"""Signals follow the textbook's formula."""

import numpy as np
import pytest

from muscle_study.cohort.anatomy.tissues import RELAXATION, Tissue
from muscle_study.cohort.scanner.signal import echo_signals, spoiled_echo
from muscle_study.protocol.muscles import STRUCTURES, Label


def test_spoiled_echo_by_hand():
    """TR 4.4 ms, 9°, T1 = 382 ms: E1 = 0.988548; 0.156434 · 0.011452 / (1 − 0.976377)."""
    assert spoiled_echo(382.0, 1e9, 0.0) == pytest.approx(0.156434 * 0.011452 / 0.023623, rel=1e-3)
    assert spoiled_echo(382.0, 20.0, 20.0) == pytest.approx(
        spoiled_echo(382.0, 1e9, 0.0) / np.e, rel=1e-6
    )


def test_shorter_t1_is_brighter():
    signals = [spoiled_echo(t1, 30, 2.46) for t1 in (300, 800, 1400, 4000)]
    assert signals == sorted(signals, reverse=True)


def test_every_tissue_has_its_signal_and_muscle_is_the_unit():
    signals = echo_signals(dict.fromkeys(STRUCTURES, 0.0))
    assert RELAXATION.keys() | {Tissue(label) for label in STRUCTURES} == set(Tissue)
    assert signals.water[1, Label.PSOAS_LEFT] == pytest.approx(1.0)
    assert signals.fat[1, Label.PSOAS_LEFT] == 0
    assert signals.fat[1, Tissue.FAT] > 1.5
    assert signals.water[1, Tissue.LIVER] > 1 > signals.water[1, Tissue.FLUID]
    assert signals.water[:, [Tissue.AIR, Tissue.IMPLANT]].max() == 0


def test_images_show_more_fat_than_there_are_fat_protons():
    signals = echo_signals(dict.fromkeys(STRUCTURES, 0.1))
    assert signals.fat_fraction(0.0) == pytest.approx(0.0, abs=0.03)  # T2* alone
    assert 0.15 < signals.fat_fraction(0.1) < 0.3
    water, fat = signals.water[:, Label.PSOAS_LEFT], signals.fat[:, Label.PSOAS_LEFT]
    in_phase, opposed = water[1] + fat[1], water[0] - fat[0]
    assert signals.fat_fraction(0.1) == pytest.approx((in_phase - opposed) / 2 / in_phase, rel=1e-5)

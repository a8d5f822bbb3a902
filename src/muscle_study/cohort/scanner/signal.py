"""Signals of water and fat in a spoiled gradient echo."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.tissues import (
    FAT_T1_MS,
    FAT_T2STAR_MS,
    RELAXATION,
    Relaxation,
    Tissue,
)
from muscle_study.protocol.muscles import Label

#: Echo times of the NAKO's two-point Dixon VIBE at 3 T: opposed phase, in phase.
TE_OPPOSED_MS, TE_IN_MS = 1.23, 2.46
ECHOES_MS = (TE_OPPOSED_MS, TE_IN_MS)

#: Repetition time and flip angle (our assumptions).
TR_MS, FLIP_DEG = 4.4, 9.0


def spoiled_echo(t1_ms: float, t2star_ms: float, te_ms: float) -> float:
    """Return the steady-state signal of a spoiled gradient echo at a proton density of 1.

    ``sin a (1 − E1) / (1 − E1 cos a) · exp(−TE / T2*)`` with ``E1 = exp(−TR / T1)`` (Ernst and
    Anderson, Rev Sci Instrum 1966;37:93-102).
    """
    flip = np.deg2rad(FLIP_DEG)
    e1 = np.exp(-TR_MS / t1_ms)
    return float(np.sin(flip) * (1 - e1) / (1 - e1 * np.cos(flip)) * np.exp(-te_ms / t2star_ms))


@dataclass(frozen=True)
class EchoSignals:
    """Signals in the opposed-phase and the in-phase echo, relative to pure muscle's water in phase.

    ``water`` and ``fat`` are unsigned, of shape (2, number of tissues); ``muscle_water`` and
    ``muscle_fat``, of shape (2,), are those of muscle with all protons in water or in fat.
    """

    water: np.ndarray
    fat: np.ndarray
    muscle_water: np.ndarray
    muscle_fat: np.ndarray

    def fat_fraction(self, proton_fraction: float) -> float:
        """Return the signal fat fraction of muscle with a given share of fat protons.

        Fat recovers faster than muscle, so T1 weighting makes the signal fraction larger.
        """
        opposed, in_phase = (
            sign * proton_fraction * fat + (1 - proton_fraction) * water
            for sign, fat, water in zip((-1, 1), self.muscle_fat, self.muscle_water, strict=True)
        )
        return float((in_phase - opposed) / 2 / in_phase)


def echo_signals(muscle_fat: Mapping[Label, float]) -> EchoSignals:
    """Return the signals for a participant with this share of fat protons by labelled muscle."""
    muscle = RELAXATION[Tissue.MUSCLE]
    unit = muscle.density * spoiled_echo(muscle.t1_ms, muscle.t2star_ms, TE_IN_MS)
    properties = RELAXATION | {
        Tissue(label): muscle._replace(fat=share) for label, share in muscle_fat.items()
    }
    water, fat = np.zeros((2, len(ECHOES_MS), len(Tissue)), np.float32)
    for tissue, of_tissue in properties.items():
        water[:, tissue], fat[:, tissue] = _parts(of_tissue) / unit
    muscle_water, all_fat = (_parts(muscle._replace(fat=share))[part] / unit
                             for part, share in enumerate((0.0, 1.0)))  # fmt: skip
    return EchoSignals(water, fat, muscle_water, all_fat)


def _parts(tissue: Relaxation) -> np.ndarray:
    """Return the signals of water and fat in both echoes, shape (2, 2)."""
    water = [spoiled_echo(tissue.t1_ms, tissue.t2star_ms, te) for te in ECHOES_MS]
    fat = [spoiled_echo(FAT_T1_MS, FAT_T2STAR_MS, te) for te in ECHOES_MS]
    return tissue.density * np.array(
        [(1 - tissue.fat) * np.array(water), tissue.fat * np.array(fat)]
    )

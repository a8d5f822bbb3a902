"""The signal of a spoiled gradient echo, for water and fat apart."""

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

#: Repetition time and flip angle of such a sequence; our assumption.
TR_MS, FLIP_DEG = 4.4, 9.0


def spoiled_echo(t1_ms: float, t2star_ms: float, te_ms: float) -> float:
    """Return the steady-state signal of a spoiled gradient echo, for a proton density of one.

    ``sin a (1 − E1) / (1 − E1 cos a) · exp(−TE / T2*)`` with ``E1 = exp(−TR / T1)`` (Ernst and
    Anderson, Rev Sci Instrum 1966;37:93-102).
    """
    flip = np.deg2rad(FLIP_DEG)
    e1 = np.exp(-TR_MS / t1_ms)
    return float(np.sin(flip) * (1 - e1) / (1 - e1 * np.cos(flip)) * np.exp(-te_ms / t2star_ms))


@dataclass(frozen=True)
class EchoSignals:
    """Signal of every tissue in the two echoes, in units of pure muscle's water in phase.

    Parameters
    ----------
    water, fat
        Shape (2, number of tissues): opposed phase, in phase; fat's sign is not in it.
    muscle_water, muscle_fat
        Shape (2,): of muscle's density, all water and all fat.
    """

    water: np.ndarray
    fat: np.ndarray
    muscle_water: np.ndarray
    muscle_fat: np.ndarray

    def fat_fraction(self, proton_fraction: float) -> float:
        """Return the share of fat that the images show for a share of fat protons.

        Fat recovers faster than muscle, so T1 weighting shows more of it than there is.
        """
        opposed, in_phase = (
            sign * proton_fraction * fat + (1 - proton_fraction) * water
            for sign, fat, water in zip((-1, 1), self.muscle_fat, self.muscle_water, strict=True)
        )
        return float((in_phase - opposed) / 2 / in_phase)


def echo_signals(muscle_fat: Mapping[Label, float]) -> EchoSignals:
    """Compute the tables for a participant.

    Parameters
    ----------
    muscle_fat
        Share of fat protons in each labelled muscle.
    """
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
    """Return the water's and the fat's signal in both echoes, shape (2, 2)."""
    water = [spoiled_echo(tissue.t1_ms, tissue.t2star_ms, te) for te in ECHOES_MS]
    fat = [spoiled_echo(FAT_T1_MS, FAT_T2STAR_MS, te) for te in ECHOES_MS]
    return tissue.density * np.array(
        [(1 - tissue.fat) * np.array(water), tissue.fat * np.array(fat)]
    )

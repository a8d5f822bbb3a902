"""The tissues of the synthetic body and the signal that each gives."""

from enum import IntEnum

import numpy as np

from muscle_study.labels import Label


class Tissue(IntEnum):
    """What a point of the body is made of. The four muscles come first, with their labels."""

    AIR = 0
    PSOAS_LEFT = Label.PSOAS_LEFT
    PSOAS_RIGHT = Label.PSOAS_RIGHT
    GLUTEUS_LEFT = Label.GLUTEUS_LEFT
    GLUTEUS_RIGHT = Label.GLUTEUS_RIGHT
    MUSCLE = 5
    FAT = 6
    VISCERAL_FAT = 7
    MARROW = 8
    CORTEX = 9
    DISC = 10
    FLUID = 11
    VESSEL = 12
    LIVER = 13
    KIDNEY = 14
    SPLEEN = 15
    BOWEL_WALL = 16
    GAS = 17


#: Signal of water and of fat, relative to pure muscle, as a T1-weighted gradient echo at 3 T
#: orders them: fat brightest, fluid dark. The order is common knowledge, the figures are our
#: assumption. The four muscles are filled in per participant.
SIGNAL: dict[Tissue, tuple[float, float]] = {
    Tissue.AIR: (0.0, 0.0),
    Tissue.MUSCLE: (0.92, 0.08),
    Tissue.FAT: (0.10, 1.80),
    Tissue.VISCERAL_FAT: (0.14, 1.70),
    Tissue.MARROW: (0.42, 0.62),
    Tissue.CORTEX: (0.10, 0.08),
    Tissue.DISC: (0.75, 0.03),
    Tissue.FLUID: (0.38, 0.0),
    Tissue.VESSEL: (0.55, 0.0),
    Tissue.LIVER: (1.25, 0.06),
    Tissue.KIDNEY: (1.05, 0.03),
    Tissue.SPLEEN: (0.95, 0.0),
    Tissue.BOWEL_WALL: (0.85, 0.05),
    Tissue.GAS: (0.02, 0.0),
}


def signal_tables(muscle_fat: dict[Label, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return the water and the fat signal of each tissue, indexed by its value.

    Parameters
    ----------
    muscle_fat
        Fat as a share of each labelled muscle's signal.
    """
    water, fat = np.zeros((2, len(Tissue)), np.float32)
    for tissue, signal in SIGNAL.items():
        water[tissue], fat[tissue] = signal
    for label, share in muscle_fat.items():
        water[label], fat[label] = 1 - share, share
    return water, fat

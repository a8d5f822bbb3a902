"""The tissues of the synthetic body and their magnetic resonance properties."""

from enum import IntEnum
from typing import NamedTuple

from muscle_study.protocol.muscles import Label


class Tissue(IntEnum):
    """Tissue at a point of the body. The four measured muscles have the values of their labels."""

    AIR = 0
    PSOAS_LEFT = Label.PSOAS_LEFT
    PSOAS_RIGHT = Label.PSOAS_RIGHT
    GLUTEUS_LEFT = Label.GLUTEUS_LEFT
    GLUTEUS_RIGHT = Label.GLUTEUS_RIGHT
    MUSCLE = 5
    SKIN = 6
    FAT = 7
    VISCERAL_FAT = 8
    INTERMUSCULAR_FAT = 9
    RED_MARROW = 10
    YELLOW_MARROW = 11
    CORTEX = 12
    CARTILAGE = 13
    DISC = 14
    FASCIA = 15
    FLUID = 16
    URINE = 17
    VESSEL = 18
    LIVER = 19
    SPLEEN = 20
    KIDNEY_CORTEX = 21
    KIDNEY_MEDULLA = 22
    BOWEL_WALL = 23
    BOWEL_CONTENT = 24
    GAS = 25
    GLAND = 26
    NERVE = 27
    LUNG = 28
    IMPLANT = 29
    ILIACUS_LEFT = 30
    ILIACUS_RIGHT = 31


class Relaxation(NamedTuple):
    """Properties of a tissue at 3 T.

    Density of the protons that give signal, relative to water; share of them in fat; relaxation
    times of the water part.
    """

    density: float
    fat: float
    t1_ms: float
    t2star_ms: float


#: Longitudinal relaxation of fat at 3 T: 382 ms (de Bazelaire et al., Radiology 2004;230:652-659).
FAT_T1_MS = 382.0
#: T2* of fat in every tissue (our assumption).
FAT_T2STAR_MS = 20.0

#: T1 of muscle, blood, cartilage and cord: Stanisz et al., Magn Reson Med 2005;54:507-512. T1 of
#: liver, spleen, kidney and prostate: de Bazelaire et al. 2004 (see above). The others, densities,
#: fat shares and T2* are our assumptions; blood has a shorter T1 for the inflow of fresh spins, and
#: tissues with hardly any signal (bone, tendon, lung, gas) a short T2*.
RELAXATION: dict[Tissue, Relaxation] = {
    Tissue.AIR: Relaxation(0.0, 0.0, 1000, 1.0),
    **dict.fromkeys(
        (Tissue.MUSCLE, Tissue.ILIACUS_LEFT, Tissue.ILIACUS_RIGHT), Relaxation(0.80, 0.04, 1412, 24)
    ),
    Tissue.SKIN: Relaxation(0.55, 0.05, 1000, 8),
    Tissue.FAT: Relaxation(0.95, 0.93, 900, 20),
    Tissue.VISCERAL_FAT: Relaxation(0.95, 0.90, 900, 20),
    Tissue.INTERMUSCULAR_FAT: Relaxation(0.95, 0.85, 1200, 20),
    Tissue.RED_MARROW: Relaxation(0.75, 0.42, 1100, 10),
    Tissue.YELLOW_MARROW: Relaxation(0.85, 0.85, 1100, 15),
    Tissue.CORTEX: Relaxation(0.20, 0.05, 300, 0.7),
    Tissue.CARTILAGE: Relaxation(0.70, 0.0, 1168, 14),
    Tissue.DISC: Relaxation(0.80, 0.02, 1200, 25),
    Tissue.FASCIA: Relaxation(0.35, 0.10, 900, 3),
    Tissue.FLUID: Relaxation(1.00, 0.0, 4000, 300),
    Tissue.URINE: Relaxation(1.00, 0.0, 3500, 300),
    Tissue.VESSEL: Relaxation(0.85, 0.0, 1000, 30),
    Tissue.LIVER: Relaxation(0.78, 0.05, 809, 20),
    Tissue.SPLEEN: Relaxation(0.82, 0.0, 1328, 28),
    Tissue.KIDNEY_CORTEX: Relaxation(0.85, 0.01, 1142, 40),
    Tissue.KIDNEY_MEDULLA: Relaxation(0.88, 0.01, 1545, 40),
    Tissue.BOWEL_WALL: Relaxation(0.80, 0.03, 1200, 25),
    Tissue.BOWEL_CONTENT: Relaxation(0.75, 0.05, 1000, 15),
    Tissue.GAS: Relaxation(0.02, 0.0, 1000, 1.0),
    Tissue.GLAND: Relaxation(0.85, 0.02, 1597, 35),
    Tissue.NERVE: Relaxation(0.75, 0.08, 993, 30),
    Tissue.LUNG: Relaxation(0.15, 0.0, 1200, 1.0),
    Tissue.IMPLANT: Relaxation(0.0, 0.0, 1000, 1.0),
}

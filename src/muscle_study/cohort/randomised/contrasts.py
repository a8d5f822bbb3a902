"""Random contrasts: the brightness of each tissue in various kinds of scans."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.anatomy.tissues import FAT_T1_MS, FAT_T2STAR_MS, RELAXATION, Tissue

#: Tissues that look alike in most scans; in a free contrast they have similar brightness.
MUSCLES = (
    Tissue.PSOAS_LEFT, Tissue.PSOAS_RIGHT, Tissue.GLUTEUS_LEFT, Tissue.GLUTEUS_RIGHT, Tissue.MUSCLE,
    Tissue.ILIACUS_LEFT, Tissue.ILIACUS_RIGHT,
)  # fmt: skip
FATS = (Tissue.FAT, Tissue.VISCERAL_FAT, Tissue.INTERMUSCULAR_FAT, Tissue.YELLOW_MARROW)
DARK = (Tissue.AIR, Tissue.GAS, Tissue.LUNG, Tissue.IMPLANT)
GROUPS = (
    MUSCLES,
    FATS,
    (Tissue.CORTEX, Tissue.FASCIA),
    (Tissue.FLUID, Tissue.URINE),
    (Tissue.KIDNEY_CORTEX, Tissue.KIDNEY_MEDULLA),
)

#: Least difference of brightness between muscle and fat, in a range of about 1: invisible muscles
#: teach nothing.
LEAST_DIFFERENCE = 0.15

#: SD of a tissue's brightness around that of its group, and of its logarithm around the model's.
WITHIN_GROUP, ABOUT_TABLE = 0.03, 0.08

#: T2 at 3 T (ms) of muscle, blood, cartilage and cord: Stanisz et al., Magn Reson Med
#: 2005;54:507-512; of liver, spleen, kidney, prostate, marrow and fat: de Bazelaire et al.,
#: Radiology 2004;230:652-659; both rounded. The others are our assumptions.
T2_MS: dict[Tissue, float] = {
    **dict.fromkeys(DARK, 1.0),
    **dict.fromkeys(MUSCLES, 40),
    **dict.fromkeys(FATS, 68),
    Tissue.SKIN: 25, Tissue.RED_MARROW: 49, Tissue.CORTEX: 2, Tissue.CARTILAGE: 30,
    Tissue.DISC: 90, Tissue.FASCIA: 4, Tissue.FLUID: 1500, Tissue.URINE: 1500, Tissue.VESSEL: 200,
    Tissue.LIVER: 34, Tissue.SPLEEN: 61, Tissue.KIDNEY_CORTEX: 76, Tissue.KIDNEY_MEDULLA: 81,
    Tissue.BOWEL_WALL: 55, Tissue.BOWEL_CONTENT: 150, Tissue.GLAND: 80, Tissue.NERVE: 78,
}  # fmt: skip

#: Radiodensity without contrast agent (HU), rounded (common knowledge).
HU: dict[Tissue, float] = {
    **dict.fromkeys(MUSCLES, 55),
    **dict.fromkeys(FATS, -100),
    Tissue.AIR: -1000, Tissue.GAS: -900, Tissue.LUNG: -750, Tissue.IMPLANT: 3000,
    Tissue.SKIN: 20, Tissue.RED_MARROW: 180, Tissue.CORTEX: 900, Tissue.CARTILAGE: 90,
    Tissue.DISC: 80, Tissue.FASCIA: 60, Tissue.FLUID: 8, Tissue.URINE: 5, Tissue.VESSEL: 42,
    Tissue.LIVER: 58, Tissue.SPLEEN: 48, Tissue.KIDNEY_CORTEX: 34, Tissue.KIDNEY_MEDULLA: 30,
    Tissue.BOWEL_WALL: 40, Tissue.BOWEL_CONTENT: 20, Tissue.GLAND: 42, Tissue.NERVE: 30,
}  # fmt: skip
#: Greatest enhancement of vessels and kidneys by contrast agent; other organs gain a third of it.
MOST_AGENT_HU = 250.0


@dataclass(frozen=True)
class Contrast:
    """Brightness by tissue, float32; visible values lie between 0 and about 1.

    If ``signed``, negative values appear as bright as positive ones, as in opposed-phase magnitude
    images; otherwise they are clipped, as by a window.
    """

    values: np.ndarray
    signed: bool = False

    def shown(self, image: np.ndarray) -> np.ndarray:
        """Return an image of these values as displayed: magnitude, or clipped at 0."""
        return abs(image) if self.signed else image.clip(0, None)


def free(rng: np.random.Generator) -> Contrast:
    """Draw a uniform brightness for each group of tissues."""
    values = rng.uniform(0, 1, len(Tissue))
    for group in GROUPS:
        values[list(group)] = rng.uniform(0, 1) + WITHIN_GROUP * rng.standard_normal(len(group))
    values[list(DARK)] = 0
    return Contrast(values.clip(0, 1).astype(np.float32))


def dixon(rng: np.random.Generator) -> Contrast:
    """Draw one of the four Dixon images, with proton-density to T1 weighting.

    Saturation recovery at a random repetition time represents all sequences.
    """
    tr_ms, te_ms = np.exp(rng.uniform(np.log(100), np.log(2000))), rng.uniform(1, 8)
    water, fat = np.zeros((2, len(Tissue)))
    for tissue in Tissue:
        of_tissue = RELAXATION[Tissue.MUSCLE if tissue in MUSCLES else tissue]
        recovered = 1 - np.exp(-tr_ms / of_tissue.t1_ms)
        decayed = np.exp(-te_ms / of_tissue.t2star_ms)
        water[tissue] = of_tissue.density * (1 - of_tissue.fat) * recovered * decayed
        fat_recovered = (1 - np.exp(-tr_ms / FAT_T1_MS)) * np.exp(-te_ms / FAT_T2STAR_MS)
        fat[tissue] = of_tissue.density * of_tissue.fat * fat_recovered
    of_water, of_fat = ((1, 0), (0, 1), (1, 1), (1, -1))[rng.integers(4)]
    return _about(of_water * water + of_fat * fat, rng, signed=True)


def t2_weighted(rng: np.random.Generator) -> Contrast:
    """Draw a spin echo of long repetition time with random suppression of fat."""
    te_ms = rng.uniform(20, 120)
    values = np.array([np.exp(-te_ms / T2_MS[tissue]) for tissue in Tissue])
    values *= [RELAXATION[t if t not in MUSCLES else Tissue.MUSCLE].density for t in Tissue]
    values[list(FATS)] *= rng.uniform(0, 1.5)
    # a window in which fluid is saturated, as readers set it
    return _about(values / rng.uniform(0.3, 1), rng)


def computed_tomography(rng: np.random.Generator) -> Contrast:
    """Draw a windowed CT, with or without contrast agent."""
    hu = np.array([HU[tissue] for tissue in Tissue], dtype=float)
    agent = rng.uniform(0, MOST_AGENT_HU) * rng.integers(2)
    hu[[Tissue.VESSEL, Tissue.KIDNEY_CORTEX, Tissue.KIDNEY_MEDULLA]] += agent
    hu[[Tissue.LIVER, Tissue.SPLEEN, Tissue.BOWEL_WALL, Tissue.GLAND]] += agent / 3
    hu[list(MUSCLES)] += rng.normal(0, 10)
    width = np.exp(rng.uniform(np.log(250), np.log(900)))
    low = rng.uniform(-20, 80) - width / 2
    values = ((hu - low) / width).clip(-0.5, 1)
    return Contrast(values.astype(np.float32))


def _about(values: np.ndarray, rng: np.random.Generator, signed: bool = False) -> Contrast:
    """Scale modelled values to a maximum of 1 and draw the brightness around them."""
    values = values / abs(values).max()
    values = (values * np.exp(ABOUT_TABLE * rng.standard_normal(len(values)))).clip(-1, 1)
    for group in (MUSCLES, FATS):
        about = np.exp(WITHIN_GROUP * rng.standard_normal(len(group)))
        values[list(group)] = values[group[-1]] * about
    return Contrast(values.astype(np.float32), signed)


#: Kinds of scans with their probabilities.
FAMILIES: dict[Callable[[np.random.Generator], Contrast], float] = {
    free: 0.4, dixon: 0.25, t2_weighted: 0.15, computed_tomography: 0.2,
}  # fmt: skip


def draw_contrast(rng: np.random.Generator, inversion_probability: float) -> Contrast:
    """Draw a kind of scan and its contrast, perhaps inverted within the body."""
    families, shares = list(FAMILIES), list(FAMILIES.values())
    family = families[rng.choice(len(families), p=shares)]
    contrast = family(rng)
    while _muscle_against_fat(contrast) < LEAST_DIFFERENCE:
        contrast = family(rng)
    if rng.random() >= inversion_probability:
        return contrast
    inverted = 1 - contrast.shown(contrast.values).clip(0, 1)
    inverted[list(DARK)] = 0
    return Contrast(inverted)


def _muscle_against_fat(contrast: Contrast) -> float:
    muscle, fat = contrast.shown(contrast.values[[Tissue.MUSCLE, Tissue.FAT]]).clip(0, 1)
    return float(abs(muscle - fat))

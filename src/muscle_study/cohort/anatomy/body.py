"""The body of a synthetic participant: parametric anatomy from T10 to mid-thigh.

Coordinates are RAS millimetres with the origin between the promontory and the belly, measured on
a body of 175 cm; a participant's is scaled by height. Muscle sizes are solved to meet the drawn
truth.
"""

import numpy as np

from muscle_study.cohort.anatomy.deformation import Deformation, Waves
from muscle_study.cohort.anatomy.habitus import Habitus, habitus
from muscle_study.cohort.anatomy.muscles import gluteus, psoas
from muscle_study.cohort.anatomy.organs import organs
from muscle_study.cohort.anatomy.pelvis import pelvis
from muscle_study.cohort.anatomy.sampling import Body
from muscle_study.cohort.anatomy.shapes import Part, Stack
from muscle_study.cohort.anatomy.spine import spine
from muscle_study.cohort.anatomy.thighs import thighs
from muscle_study.cohort.anatomy.tissues import Tissue
from muscle_study.cohort.anatomy.trunk import abdominal_wall, arms, back, outline, ribs
from muscle_study.protocol.muscles import Label, label_of

#: SD and lengths of the waves that make each body a little irregular (our assumption).
WAVES_SD_MM, WAVES_LENGTH_MM = 2.0, (120.0, 400.0)


def draw_deformation(body: Habitus, rng: np.random.Generator) -> Deformation:
    """Draw offset, rotation, lordosis, a slight scoliosis and irregularity."""
    z = np.array([-300.0, -80.0, 0.0, 60.0, 130.0, 300.0]) * body.scale
    lordosis = rng.normal(8, 4) * np.array([0.0, -0.4, 0.2, 1.0, 0.5, -0.6])
    scoliosis = rng.normal(0, 3) * np.array([0.0, 0.0, 0.2, 1.0, 0.3, -0.8])
    return Deformation(
        z,
        scoliosis + rng.normal(0, 5),
        lordosis + rng.normal(0, 5),
        rng.normal(0, 0.02),
        Waves.draw(rng, WAVES_SD_MM, WAVES_LENGTH_MM),
        Waves.draw(rng, WAVES_SD_MM, WAVES_LENGTH_MM),
    )


def build_body(participant: dict, muscles: dict, rng: np.random.Generator) -> Body:
    """Assemble a participant's body.

    Parameters
    ----------
    participant
        ``sex``, ``age_years``, ``height_cm``, ``bmi_kg_m2``.
    muscles
        Drawn sizes, as from `population.draw_muscles`.
    rng
        Draws posture and organs.
    """
    body = habitus(
        participant["sex"],
        participant["age_years"],
        participant["height_cm"],
        participant["bmi_kg_m2"],
        rng,
    )
    stacks: dict[Label, list[Stack]] = {}
    for side in ("right", "left"):
        size = {name: 1000 * muscles[f"{name}_volume_{side}_ml"] for name in ("psoas", "gluteus")}
        csa = 100 * muscles[f"psoas_csa_{side}_cm2"]
        for muscle, parts in (
            ("psoas", [psoas(csa, size["psoas"], body)]),
            ("gluteus", gluteus(size["gluteus"], body)),
        ):
            stacks[label_of(muscle, side)] = (
                parts if side == "right" else [part.mirrored() for part in parts]
            )
    gluteus_maximus = [stacks[label_of("gluteus", side)][0] for side in ("right", "left")]
    covered = [parts[1] for parts in stacks.values() if len(parts) > 1] + gluteus_maximus
    parts = [
        *arms(body),
        *outline(body, covered),
        *abdominal_wall(body),
        *organs(body, rng),
        *ribs(body),
        *back(body),
        *spine(body),
        *pelvis(body),
        *thighs(body),
        *fat_planes(stacks, body),
    ]
    return Body(
        parts,
        {
            label: [Part(Tissue(label), stack) for stack in of_label]
            for label, of_label in stacks.items()
        },
        draw_deformation(body, rng),
    )


def fat_planes(stacks: dict[Label, list[Stack]], body: Habitus) -> list[Part]:
    """Return the fat round the gluteus muscles, which sets each apart from its neighbours."""
    return [
        Part(Tissue.INTERMUSCULAR_FAT, stack.inflated(body.intermuscular_mm))
        for parts in stacks.values()
        if len(parts) > 1
        for stack in parts
    ]

"""The body of a synthetic participant: parametric anatomy from T10 to mid-thigh.

Coordinates are RAS millimetres with z = 0 at the promontory, in a reference body of 175 cm that is
scaled by height. Muscle shapes are solved for the drawn sizes.
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

#: SD and range of lengths of the waves that make each body irregular (our assumption).
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

    `participant` has ``sex``, ``age_years``, ``height_cm`` and ``bmi_kg_m2``; `muscles` has the
    columns of `population.draw.draw_muscles`; `rng` draws habitus, organs and posture.
    """
    body = habitus(
        participant["sex"],
        participant["age_years"],
        participant["height_cm"],
        participant["bmi_kg_m2"],
        rng,
    )
    stacks = muscle_stacks(muscles, body)
    glutei = [stacks[label_of("gluteus", side)] for side in ("right", "left")]
    # medius, then maximus: the outermost muscles
    covered = [sheets[1] for sheets in glutei] + [sheets[0] for sheets in glutei]
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
        # fat planes around the gluteus muscles
        *(
            Part(Tissue.INTERMUSCULAR_FAT, sheet.inflated(body.intermuscular_mm))
            for sheets in glutei
            for sheet in sheets
        ),
    ]
    labelled = {
        label: [Part(Tissue(label), stack) for stack in of_label]
        for label, of_label in stacks.items()
    }
    return Body(parts, labelled, draw_deformation(body, rng))


def muscle_stacks(muscles: dict, body: Habitus) -> dict[Label, list[Stack]]:
    """Return the shapes of each labelled muscle: one of the psoas, three of the gluteus."""
    stacks = {}
    for side in ("right", "left"):
        size = {name: 1000 * muscles[f"{name}_volume_{side}_ml"] for name in ("psoas", "gluteus")}
        csa = 100 * muscles[f"psoas_csa_{side}_cm2"]
        for muscle, right in (
            ("psoas", [psoas(csa, size["psoas"], body)]),
            ("gluteus", gluteus(size["gluteus"], body)),
        ):
            shapes = right if side == "right" else [stack.mirrored() for stack in right]
            stacks[label_of(muscle, side)] = shapes
    return stacks

"""One synthetic participant from the study's generator."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.participant import Task, make_participant
from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.imaging.volumes import load, save, to_ras
from muscle_study.protocol.paths import RunPaths, image_file
from muscle_study.running.parameters import load as load_parameters

#: Voxel edges of the NAKO's volumes: 320 x 260 x 160 voxels.
NAKO_MM = (1.40625, 1.40625, 3.0)


@dataclass(frozen=True)
class Participant:
    """Folder of a participant's images, one per contrast, and file of the reference labels."""

    images: Path
    labels: Path


def cohort_parameters(spacing_mm: tuple[float, ...]) -> CohortParameters:
    """Return the demo's cohort on another grid."""
    cohort = load_parameters("demo").cohort
    imaging = cohort.imaging.model_copy(update={"spacing_mm": list(spacing_mm)})
    return cohort.model_copy(update={"imaging": imaging})


def draw_task(parameters: CohortParameters) -> Task:
    """Draw an annotated participant without faults."""
    rng = np.random.default_rng(parameters.seed)
    people = draw_participants(1, rng)
    muscles = draw_muscles(people, rng)
    (person,), (sizes,) = people.to_dict("records"), muscles.to_dict("records")
    return Task(person, sizes, True, False, None, (parameters.seed, 0))


def make_nako_participant(paths: RunPaths) -> Participant:
    """Make a participant on the NAKO's grid, stored R, A, S as by curation."""
    parameters = cohort_parameters(NAKO_MM)
    task = draw_task(parameters)
    make_participant(task, paths.raw, parameters)
    raw_labels = paths.raw / "labels" / f"{task.participant_id}.nii.gz"
    made = Participant(
        paths.curated / "images" / task.participant_id, paths.curated / "labels" / raw_labels.name
    )
    for file in (paths.raw / "images" / task.participant_id).iterdir():
        save(to_ras(load(file)), image_file(made.images, file.name.removesuffix(".nii.gz")))
    save(to_ras(load(raw_labels)), made.labels)
    return made

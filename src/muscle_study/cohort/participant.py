"""One synthetic participant: scans, reference labels and true measures."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muscle_study.cohort.anatomy.body import build_body
from muscle_study.cohort.anatomy.habitus import REFERENCE_HEIGHT_CM
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.faults.files import break_files, entries_of, remove
from muscle_study.cohort.faults.scans import take_scans
from muscle_study.cohort.nako import export_scan
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.cohort.randomised.images import randomise
from muscle_study.cohort.randomised.parameters import RANDOMISED_CHANNEL
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.scan import Scan, scan
from muscle_study.cohort.truth import MUSCLES, counted_measures, true_measures
from muscle_study.imaging.volumes import Volume, save, to_ras
from muscle_study.protocol.faults import Problem
from muscle_study.protocol.muscles import SIDES, Label, label_of
from muscle_study.protocol.paths import image_file

#: Stored value of the brightness 1 in an image of random contrast.
BRIGHT = 1000


@dataclass(frozen=True)
class Task:
    """Input for making one participant: drawn covariates and muscle sizes, fault and seed.

    ``annotated`` participants have reference labels; ``checked`` ones compare counted voxels with
    true sizes.
    """

    participant: dict
    muscles: dict
    annotated: bool
    checked: bool
    problem: Problem | None
    seed: tuple[int, int]

    @property
    def participant_id(self) -> str:
        """Identifier of the participant."""
        return self.participant["participant_id"]

    @property
    def muscle_fat(self) -> dict[Label, float]:
        """Share of fat protons in each muscle."""
        return {
            label_of(muscle, side): self.muscles[f"{muscle}_fat_fraction"]
            for muscle in MUSCLES
            for side in SIDES
        }


def make_participant(task: Task, raw: Path, parameters: CohortParameters) -> dict:
    """Write a participant's images and labels; return ``truth`` and, by grid, ``counted`` sizes."""
    rng = np.random.default_rng(task.seed)
    body = build_body(task.participant, task.muscles, rng)
    scans = take_scans(
        body,
        task.problem,
        task.participant["height_cm"] / REFERENCE_HEIGHT_CM,
        lambda scanned, motion_mm: scan(
            scanned, task.muscle_fat, parameters.imaging, rng, motion_mm
        ),
    )
    write_participant(task, body, scans, raw, parameters)
    *_, last = scans.values()
    return {
        "truth": true_measures(body, last.fat_fraction),
        "counted": {
            spacing_name(spacing): counted_measures(
                body, Grid(tuple(spacing)), parameters.imaging.supersampling
            )
            for spacing in (parameters.check_grids_mm if task.checked else ())
        },
    }


def spacing_name(spacing_mm: list[float]) -> str:
    """Return voxel edges as ``3.5x3.5x5``."""
    return "x".join(f"{edge:g}" for edge in spacing_mm)


def write_participant(
    task: Task, body: Body, scans: dict[str, Scan], raw: Path, parameters: CohortParameters
) -> None:
    """Write a participant's scans, by suffix of the identifier, labels and random images."""
    folder = raw / "images"
    for earlier in entries_of(folder, task.participant_id):
        remove(earlier)
    for suffix, images in scans.items():
        files = write_images(images, task, suffix, folder, parameters)
        if task.problem is not None:
            break_files(files, task.problem)
    if task.annotated:
        *_, last = scans.values()
        save(last.labels, raw / "labels" / f"{task.participant_id}.nii.gz")
    if parameters.randomised.n_images:
        write_randomised(task, body, raw / "randomised" / task.participant_id, parameters)


def write_randomised(task: Task, body: Body, folder: Path, parameters: CohortParameters) -> None:
    """Write images of random contrast with labels, one folder each.

    Each image has its own generator, so that their number does not change the scans.
    """
    grid = Grid(tuple(parameters.randomised.spacing_mm))
    tissues = to_ras(grid.volume(sample(body, grid.axes_mm())))
    for number in range(parameters.randomised.n_images):
        rng = np.random.default_rng((*task.seed, number))
        made = randomise(tissues.data, grid.spacing_mm, parameters.randomised, rng)
        image = np.rint(made.image * BRIGHT).astype(np.int16)
        save(Volume(image, tissues.affine), image_file(folder / str(number), RANDOMISED_CHANNEL))
        save(Volume(made.labels, tissues.affine), folder / str(number) / "label.nii.gz")


def write_images(
    images: Scan, task: Task, suffix: str, folder: Path, parameters: CohortParameters
) -> dict[str, Path]:
    """Write a scan in the export's format; return the composed contrasts' files."""
    if parameters.format == "dicom":
        return export_scan(
            images, task.participant, suffix, folder, with_stations=parameters.export_stations
        )
    own = folder / f"{task.participant_id}{suffix}"
    composed = {name: own / f"{name}.nii.gz" for name in images.contrasts}
    volumes = {path: images.contrasts[name] for name, path in composed.items()}
    if parameters.export_stations:
        volumes |= {
            own / f"station_{number}" / f"{name}.nii.gz": volume
            for number, station in enumerate(images.stations, start=1)
            for name, volume in station.items()
        }
    for path, volume in volumes.items():
        save(volume, path)
    return composed

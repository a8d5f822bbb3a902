"""Where a run keeps its files. No other module joins path strings.

``MUSCLE_STUDY_OUTPUT`` moves ``data/`` and ``reports/`` elsewhere (a scratch disk, a test's
temporary folder); by default they lie in the repository.
"""

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
PARAMS = ROOT / "params"
PUBLISHED = ROOT / "data" / "published"
REFERENCE = ROOT / "data" / "reference"
#: What the map over participants costs by itself; `python -m benchmarks cluster` measures it.
SCHEDULER = REFERENCE / "scheduler.csv"
MANUSCRIPT = ROOT / "reports"

#: The stages that are notebooks, in the order in which they run.
STAGES = {
    "cohort": "00_cohort",
    "curation": "01_curation",
    "training": "02_training",
    "inference": "03_inference",
    "measurement": "04_measurement",
    "statistics": "05_statistics",
}


#: Curated images are not compressed: a stage maps them and reads the part that it needs.
IMAGE_ENDING = ".nii"


def image_file(folder: Path, contrast: str) -> Path:
    """Return the file of a contrast in a participant's folder of curated images."""
    return folder / f"{contrast}{IMAGE_ENDING}"


@dataclass(frozen=True)
class RunPaths:
    """The folders of one run.

    Parameters
    ----------
    run
        Name of the run: the parameter file's name without its ending.
    """

    run: str

    @property
    def output(self) -> Path:
        """Folder that holds ``data/`` and ``reports/``."""
        return Path(os.environ.get("MUSCLE_STUDY_OUTPUT") or ROOT).resolve()

    @property
    def data(self) -> Path:
        """Everything individual of this run."""
        return self.output / "data" / self.run

    @property
    def reports(self) -> Path:
        """Aggregates only: what may leave the project."""
        return self.output / "reports" / self.run

    @property
    def parameters(self) -> Path:
        """What Make goes by: a slice of the parameters for each stage, and marks (`again`)."""
        return self.data / "parameters"

    def again(self, stage: str) -> Path:
        """Mark of a stage that Make is to run again though nothing is newer."""
        return self.parameters / f"{stage}.again"

    @property
    def progress(self) -> Path:
        """How far the stage is that runs, or that was stopped."""
        return self.data / "progress.json"

    @property
    def raw(self) -> Path:
        """Participant table, images and reference labels as an export brings them."""
        return self.data / "raw"

    @property
    def about_cohort(self) -> Path:
        """Pictures and tables of the synthetic cohort as a whole, for the report."""
        return self.data / "raw" / "about"

    @property
    def truth(self) -> Path:
        """The synthetic cohort's known truth; read by the last comparisons alone."""
        return self.data / "truth"

    @property
    def curated(self) -> Path:
        """Volumes in RAS on the run's grid, and the tables of who is in and out."""
        return self.data / "curated"

    @property
    def model(self) -> Path:
        """Weights, card and learning curves."""
        return self.data / "model"

    @property
    def learning_curve(self) -> Path:
        """Trainings with fewer participants, and their scores; where these were asked for."""
        return self.data / "learning_curve"

    @property
    def segmentations(self) -> Path:
        """One label map a participant."""
        return self.data / "segmentations"

    @property
    def compared(self) -> Path:
        """One label map a participant of the segmenter that is compared with."""
        return self.segmentations / "compared"

    @property
    def measurements(self) -> Path:
        """Tables of the measures and of the segmentation's quality."""
        return self.data / "measurements"

    @property
    def verification(self) -> Path:
        """Tables that are derived again, while a run is verified; here all workers can see them."""
        return self.data / "verification"

    @property
    def tables(self) -> Path:
        """Tables for the manuscript."""
        return self.reports / "tables"

    @property
    def figures(self) -> Path:
        """Figures for the manuscript."""
        return self.reports / "figures"

    @property
    def numbers(self) -> Path:
        """Numbers for the manuscript's text."""
        return self.reports / "numbers"

    def published(self, stage: str) -> Path:
        """Index of the results that a stage has published, and of those absent."""
        return self.reports / "published" / f"{stage}.json"

    @property
    def notebooks(self) -> Path:
        """Executed copies of the notebooks."""
        return self.reports / "notebooks"

    def results_of(self, stage: str) -> list[Path]:
        """Return the folders that hold what `stage` writes, manifests and notebooks aside."""
        return {
            "cohort": [self.raw, self.about_cohort, self.truth],
            "curation": [self.curated],
            "training": [self.model],
            "inference": [self.segmentations, self.compared],
            "measurement": [self.measurements],
            "statistics": [self.tables, self.figures, self.numbers],
        }[stage]

    def written_by(self, stage: str) -> Path:
        """Return the folder that `stage` writes its manifest to."""
        return {
            "cohort": self.raw,
            "curation": self.curated,
            "training": self.model,
            "inference": self.segmentations,
            "measurement": self.measurements,
            "statistics": self.reports,
        }[stage]

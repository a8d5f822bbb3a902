"""Paths of a run's files. No other module joins path strings.

``MUSCLE_STUDY_OUTPUT`` moves ``data/`` and ``reports/`` elsewhere (a scratch disk, a test's
temporary folder); by default they lie in the repository.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from muscle_study.protocol.stages import STAGES

ROOT = Path(__file__).resolve().parents[3]
NOTEBOOKS = ROOT / "notebooks"
PARAMS = ROOT / "params"
PUBLISHED = ROOT / "data" / "published"
REFERENCE = ROOT / "data" / "reference"
#: What the map over participants costs by itself; `python -m benchmarks cluster` measures it.
SCHEDULER = REFERENCE / "scheduler.csv"
MANUSCRIPT = ROOT / "reports"

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
    scratch
        Name of a stage that runs by hand: its results lie in the scratch run, ``<run>-scratch``.
    """

    run: str
    scratch: str | None = None

    @property
    def output(self) -> Path:
        """Folder that holds ``data/`` and ``reports/``."""
        return Path(os.environ.get("MUSCLE_STUDY_OUTPUT") or ROOT).resolve()

    @property
    def data(self) -> Path:
        """Individual data of the run."""
        return self.output / "data" / self.run

    @property
    def reports(self) -> Path:
        """Publishable aggregates."""
        publishes = self.scratch is not None and not STAGES[self.scratch].writes
        return self.output / "reports" / (self.scratch_run if publishes else self.run)

    @property
    def scratch_run(self) -> str:
        """Name of the scratch run, for stages run by hand."""
        return f"{self.run}-scratch"

    def _data_of(self, stage: str) -> Path:
        """Return the data folder of `stage`."""
        return self.output / "data" / (self.scratch_run if stage == self.scratch else self.run)

    @property
    def parameters(self) -> Path:
        """Inputs of Make: facts on the stages, slices of the parameters, and marks (`again`)."""
        return self.data / "parameters"

    def slice(self, section: str) -> Path:
        """One section of the parameters."""
        return self.parameters / f"{section}.json"

    @property
    def facts(self) -> Path:
        """The run's stages and what each depends on, for Make."""
        return self.parameters / "stages.mk"

    def again(self, stage: str) -> Path:
        """Mark of a stage that Make runs again although nothing is newer."""
        return self.parameters / f"{stage}.again"

    @property
    def progress(self) -> Path:
        """Progress of the running or interrupted stage."""
        return self.data / "progress.json"

    @property
    def raw(self) -> Path:
        """Participant table, images and reference labels of the export."""
        return self._data_of("cohort") / "raw"

    @property
    def about_cohort(self) -> Path:
        """Pictures and tables of the synthetic cohort as a whole, for the report."""
        return self.raw / "about"

    @property
    def truth(self) -> Path:
        """Known truth of the synthetic cohort; read only by final comparisons."""
        return self._data_of("cohort") / "truth"

    @property
    def curated(self) -> Path:
        """Volumes in RAS on the run's grid, and the tables of participants and exclusions."""
        return self._data_of("curation") / "curated"

    @property
    def model(self) -> Path:
        """Weights, card and learning curves."""
        return self._data_of("training") / "model"

    @property
    def learning_curve(self) -> Path:
        """Trainings with fewer participants, and their scores, if requested."""
        return self.data / "learning_curve"

    @property
    def segmentations(self) -> Path:
        """One label map per participant."""
        return self._data_of("inference") / "segmentations"

    @property
    def compared(self) -> Path:
        """One label map per participant from the segmenter for comparison."""
        return self.segmentations / "compared"

    @property
    def measurements(self) -> Path:
        """Tables of the measures and of the segmentation's quality."""
        return self._data_of("measurement") / "measurements"

    @property
    def analysis(self) -> Path:
        """The analysis table for other programs, and its codebook; individual."""
        return self._data_of("statistics") / "analysis"

    @property
    def verification(self) -> Path:
        """Recomputed tables during verification, in a place that all workers share."""
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

    def target(self, stage: str) -> Path:
        """Return a stage's target for Make: its executed notebook, or the page."""
        if not STAGES[stage].notebook:
            return self.reports / "manuscript.html"
        return self.notebooks / f"{STAGES[stage].notebook}.ipynb"

    def folders_of(self, stage: str) -> list[Path]:
        """Return the data folders that `stage` writes; none for one that publishes."""
        return [getattr(self, folder) for folder in STAGES[stage].writes]

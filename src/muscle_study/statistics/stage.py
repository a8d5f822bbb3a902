"""The stage's last step: everything that the manuscript needs is there."""

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.numbers import read_numbers
from muscle_study.statistics.analyses.extensions import measurement_error
from muscle_study.statistics.analyses.names import expected_names
from muscle_study.statistics.analyses.segmentation.quality import has_truth
from muscle_study.statistics.study.study import Study

TABLES = (
    "population",
    "measures",
    "measures_by_age",
    "measures_by_bmi",
    "sides_by_age",
    "sides_by_bmi",
    "tests",
    "regression",
    "diagnostics",
    "interactions",
    "correlation",
    "claims",
    "nonlinearity",
    "body_size",
    "secondary",
    "sensitivity",
    "centiles",
    "centile_calibration",
    "published",
    "dice",
    "strata",
    "exclusions",
    "curation",
)

FIGURES = (
    "flow",
    "example",
    "rendering",
    "learning",
    "dice",
    "cases",
    "age",
    "bmi",
    "age_bmi",
    "regression",
    "weight",
    "splines",
    "surfaces",
    "centiles",
)

#: What a run with known truth has besides, and one with simulated measurements.
TRUTH_TABLES = ("agreement", "recovery")
TRUTH_FIGURES = ("agreement",)
SIMULATED_TABLES = ("imaged",)

#: What a run has that knows true or reference sizes of enough participants.
ERROR_TABLES = ("error_model", "measurement_error")


def write_numbers(study: Study, numbers: CellNumbers) -> None:
    """Write the numbers and check that tables, figures and numbers are complete.

    Raises
    ------
    RuntimeError
        Naming what is missing.
    """
    path = study.paths.numbers / "statistics.json"
    numbers.write(path)
    missing = missing_outputs(study)
    if missing:
        path.unlink()
        raise RuntimeError(f"the manuscript needs what the notebook did not write: {missing}")


def missing_outputs(study: Study) -> list[str]:
    """Return the files and numbers that the manuscript needs and the run lacks."""
    tables, figures = [*TABLES], [*FIGURES]
    if has_truth(study):
        tables += TRUTH_TABLES
        figures += TRUTH_FIGURES
    if measurement_error.is_here(study):
        tables += ERROR_TABLES
    if study.has_simulated:
        tables += SIMULATED_TABLES
    files = [
        study.paths.tables / f"{name}{ending}"
        for name in tables
        for ending in (".csv", ".md", ".caption.md")
    ]
    files += [
        study.paths.figures / f"{name}{ending}" for name in figures for ending in (".svg", ".md")
    ]
    written = read_numbers(study.paths.numbers)
    return [f"{file.parent.name}/{file.name}" for file in files if not file.exists()] + sorted(
        expected_names(study) - set(written)
    )

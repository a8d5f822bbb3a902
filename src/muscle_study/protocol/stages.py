"""The stages of the study, each declared once.

Make, the runner, manifests, `make status` and `make verify` use this declaration.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """One stage.

    Parameters
    ----------
    name
        Name in commands, messages and manifests.
    notebook
        Name of its notebook in ``notebooks/``, without ending; empty for the report.
    package
        Package of `muscle_study` that holds its code.
    section
        Its section of the parameter file. A run without that section has no such stage.
    reads
        Stages whose results it reads.
    writes
        Data folders that it writes, as attributes of `RunPaths`; the first holds its manifest.
        Empty for a stage that publishes into the run's report folder.
    files
        Other files that it depends on: patterns relative to the repository.
    run_files
        Likewise, relative to the run's data folder.
    """

    name: str
    notebook: str
    package: str
    section: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    run_files: tuple[str, ...] = ()


#: What the statistics are made from.
_MEASURED = ("cohort", "curation", "training", "inference", "measurement")

#: The stages in the order in which they run.
STAGES = {
    stage.name: stage
    for stage in (
        Stage("cohort", "00_cohort", "cohort", "cohort", (), ("raw", "about_cohort", "truth")),
        Stage("curation", "01_curation", "curation", "curation", ("cohort",), ("curated",)),
        Stage(
            "training", "02_training", "training", "training", ("cohort", "curation"), ("model",)
        ),
        Stage(
            "inference",
            "03_inference",
            "inference",
            "inference",
            reads=("curation", "training"),
            writes=("segmentations", "compared"),
        ),
        Stage(
            "measurement",
            "04_measurement",
            "measurement",
            "measurement",
            reads=("cohort", "curation", "inference"),
            writes=("measurements",),
        ),
        *(
            Stage(
                name,
                notebook,
                "statistics",
                "statistics",
                reads=_MEASURED,
                files=("data/published/*",),
                run_files=("learning_curve/scores.csv",),
            )
            for name, notebook in (("statistics", "05_statistics"), ("extensions", "06_extensions"))
        ),
        Stage(
            "report",
            "",
            "report",
            "report",
            reads=("statistics", "extensions"),
            files=(
                "reports/*.qmd",
                "reports/*.yml",
                "reports/*.bib",
                "reports/filters/*",
                "reports/style/*",
                "reports/parts/**/*.md",
            ),
        ),
    )
}

#: The stages that are notebooks.
NOTEBOOK_STAGES = {name: stage for name, stage in STAGES.items() if stage.notebook}

"""A run's reports folder with placeholders, as the statistics stage leaves it."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from muscle_study.protocol.files import write_json, write_text
from muscle_study.protocol.paths import RunPaths
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.report.parameters import ReportParameters
from muscle_study.statistics.analyses.names import NAMES, TRUTH_NAMES
from muscle_study.statistics.stage import FIGURES, TABLES

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 300" width="600" height="300">
<rect width="600" height="300" fill="#fff"/>
<path d="M40 260 L200 120 L360 180 L560 50" fill="none" stroke="#0b5c78" stroke-width="3"/>
<text x="40" y="30" font-size="16">{name}</text></svg>
"""

TABLE = """| Measure | Men | Women |
|:---|---:|---:|
| CSA (cm²) | 37.9 ± 5.8 | 24.5 ± 3.7 |
| Volume (L) | 3.38 ± 0.53 | 2.39 ± 0.41 |
"""


def names_of_numbers(kind: str) -> list[str]:
    """Return the names of all numbers that the manuscript may use, but for those of the run."""
    names = [*NAMES, *(TRUTH_NAMES if kind == "synthetic" else [])]
    return [name for name in names if not name.startswith("study.")]


def write_numbers(paths: RunPaths, kind: str) -> None:
    """Write placeholders for all numbers: their values mean nothing."""
    numbers = CellNumbers()
    numbers.add_text("study.run", paths.run, "numbers")
    numbers.add_text("study.kind", kind, "numbers")
    numbers.add_text(
        "study.psoas", "psoas major" if kind == "synthetic" else "iliopsoas", "numbers"
    )
    numbers.add_text("study.segmentation", "network", "numbers")
    numbers.add_text("study.segmenter", "the network", "numbers")
    for i, name in enumerate(names_of_numbers(kind)):
        numbers.add(name, 10 + i / 10, "tbl-measures", digits=1)
    numbers.write(paths.numbers / "statistics.json")


def write_notebooks(paths: RunPaths) -> None:
    """Write an executed notebook a stage; the statistics' one has labelled cells."""
    paths.notebooks.mkdir(parents=True)
    labels = [f"fig-{name}" for name in FIGURES] + [f"tbl-{name}" for name in TABLES]
    for stage in NOTEBOOK_STAGES:
        cells = [
            new_markdown_cell(f"# {stage}\n\nWhat this stage does."),
            new_code_cell('run = "demo"', metadata={"tags": ["parameters"]}),
        ]
        if stage == "statistics":
            cells += [
                new_code_cell(
                    f"#| label: {label}\nprint(1)",
                    execution_count=1,
                    outputs=[new_output("stream", name="stdout", text="1\n")],
                )
                for label in labels
            ]
        nbformat.write(new_notebook(cells=cells), paths.target(stage))


def write_run(paths: RunPaths, kind: str) -> None:
    """Write the whole folder, and the participants whose identifiers must not be in it."""
    truth = ["agreement"] if kind == "synthetic" else []
    tag = " Synthetic cohort." if truth else ""
    for name in [*TABLES, *truth]:
        write_text(TABLE, paths.tables / f"{name}.md")
        write_text(f"Placeholder for {name}.{tag}", paths.tables / f"{name}.caption.md")
    for name in [*FIGURES, *truth]:
        write_text(SVG.format(name=name), paths.figures / f"{name}.svg")
        write_text(f"Placeholder for {name}.{tag}", paths.figures / f"{name}.md")
    write_numbers(paths, kind)
    write_notebooks(paths)
    write_text("participant_id\n100129\n100131\n", paths.curated / "participants.csv")
    write_json(
        {"stage": "curation", "seconds": 12.3, "peak_mb": 456}, paths.curated / "manifest.json"
    )


@pytest.fixture
def parameters() -> ReportParameters:
    return ReportParameters(
        title="Muscles", authors=["A. Author", "B. Author"], formats=["html", "pdf"]
    )


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    """Return a function that writes a run of a kind and returns its paths."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))

    def make(kind: str = "synthetic") -> RunPaths:
        paths = RunPaths("tiny")
        write_run(paths, kind)
        return paths

    return make

"""A report folder with placeholders for all results in the manuscript."""

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from example_parameters import section
from muscle_study.protocol.files import read_json, write_json, write_text
from muscle_study.protocol.paths import MANUSCRIPT, RunPaths
from muscle_study.protocol.provenance import manifest_of
from muscle_study.protocol.stages import NOTEBOOK_STAGES
from muscle_study.publishing.result import anchor
from muscle_study.report.parameters import ReportParameters
from muscle_study.report.project import NEEDS

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

#: What only the run in a terminal's summary tells.
SUMMARY = [f"published.{name}_{part}_{sex}" for name in ("csa", "gluteus")
           for part in ("mean", "sd") for sex in ("men", "women")]  # fmt: skip

#: Results that the synthetic placeholder run has beyond those of every run.
SYNTHETIC = {"agreement", "recovery", "measurement_error"}


def sources(kind: str) -> str:
    """Return all text of the manuscript that a run of a kind shows."""
    parts = MANUSCRIPT / "parts"
    folders = (parts, parts / kind, parts / "network", parts / "described")
    files = [MANUSCRIPT / "manuscript.qmd", *(file for one in folders for file in one.glob("*.md"))]
    texts = [file.read_text(encoding="utf-8") for file in files]
    present = SYNTHETIC if kind == "synthetic" else set()
    needs = [NEEDS.match(text) for text in texts]
    return "".join(
        text
        for text, need in zip(texts, needs, strict=True)
        if need is None or need["name"] in present
    )


def references(pattern: str, text: str) -> list[str]:
    """Return what a pattern's group finds, each once, in order."""
    return list(dict.fromkeys(re.findall(pattern, text)))


def write_numbers(paths: RunPaths, kind: str, text: str) -> None:
    """Write placeholders for all numbers: their values mean nothing."""
    words = {
        "study.run": paths.run,
        "study.kind": kind,
        "study.psoas": "psoas major" if kind == "synthetic" else "iliopsoas",
        "study.segmentation": "network",
        "study.segmenter": "the network",
    }
    names = [*references(r"\{\{< var ([\w.]+) >\}\}", text), *SUMMARY]
    numbers = {name: {"text": word, "value": None, "cell": "flow"} for name, word in words.items()}
    for i, name in enumerate(name for name in names if name not in {*words, "report.renderer"}):
        value = 10 + i / 10
        numbers[name] = {"text": f"{value:.1f}", "value": value, "cell": "measures"}
    write_json(numbers, paths.numbers / "statistics.json")


def write_notebooks(paths: RunPaths, results: list[str]) -> None:
    """Write an executed notebook per stage; the statistics' one publishes all results."""
    paths.notebooks.mkdir(parents=True)
    for stage in NOTEBOOK_STAGES.values():
        cells = [
            new_markdown_cell(f"# {stage.name}\n\nWhat this stage does."),
            new_code_cell('run = "demo"', metadata={"tags": ["parameters"]}),
        ]
        if stage.name == "statistics":
            cells += [
                new_code_cell(
                    f"publish({name}(study))",
                    execution_count=1,
                    outputs=[
                        new_output(
                            "display_data", {"text/html": f'<span id="{anchor(name)}"></span>'}
                        )
                    ],
                )
                for name in results
            ]
        nbformat.write(new_notebook(cells=cells), paths.notebooks / f"{stage.notebook}.ipynb")


def write_run(paths: RunPaths, kind: str) -> None:
    """Write the whole folder, and the participants whose identifiers must not be in it."""
    text = sources(kind)
    tag = " Synthetic cohort." if kind == "synthetic" else ""
    index: dict[str, dict] = {}
    for folder, content, caption, pattern in (
        ("tables", TABLE, ".caption.md", r"tables/(\w+)\.(md)"),
        ("figures", SVG, ".md", r"figures/(\w+)\.(svg)"),
    ):
        for name, ending in references(pattern, text):
            files = [f"{folder}/{name}.{ending}", f"{folder}/{name}{caption}"]
            write_text(content.format(name=name), paths.reports / files[0])
            write_text(f"Placeholder for {name}.{tag}", paths.reports / files[1])
            index.setdefault(name, {"files": []})["files"] += files
    needed = [NEEDS.match(part.read_text()) for part in (MANUSCRIPT / "parts").glob("*.md")]
    for need in filter(None, needed):
        if not need["command"]:
            index.setdefault(need["name"], {"absent": "a placeholder"})
    write_json(index, paths.published("statistics"))
    write_numbers(paths, kind, text)
    write_notebooks(paths, [name for name, entry in index.items() if "files" in entry])
    write_text("participant_id\n100129\n100131\n", paths.curated / "participants.csv")
    write_json(
        {"stage": "curation", "seconds": 12.3, "peak_mb": 456}, manifest_of("curation", paths)
    )


@pytest.fixture
def parameters() -> ReportParameters:
    return section("report", title="Muscles", authors=["A. Author", "B. Author"])


@pytest.fixture
def make_run(tmp_path, monkeypatch):
    """Return a function that writes a run of a kind and returns its paths."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))

    def make(kind: str = "synthetic") -> RunPaths:
        paths = RunPaths("tiny")
        write_run(paths, kind)
        return paths

    return make


@pytest.fixture
def publish_file():
    """Return a function that writes a file and lists it among those of a result."""

    def publish(paths: RunPaths, name: str, file: str, text: str) -> None:
        write_text(text, paths.reports / file)
        index = read_json(paths.published("statistics"))
        files = index.setdefault(name, {}).setdefault("files", [])
        index[name]["files"] = list(dict.fromkeys([*files, file]))
        write_json(index, paths.published("statistics"))

    return publish

"""The run's folder as a Quarto project: manuscript, variables, captions, parts."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from muscle_study.protocol.files import write_text
from muscle_study.protocol.paths import MANUSCRIPT, RunPaths
from muscle_study.publishing.numbers import Number
from muscle_study.report.errors import ReportError
from muscle_study.report.lookup import lookup
from muscle_study.report.notebooks import Notebook, anchor, source_link
from muscle_study.report.parameters import ReportParameters

#: Parts of the manuscript that stand only where a run has what they show.
OPTIONAL_PARTS = {
    "learning-curve": Path("tables", "learning_curve.md"),
    "predicted": Path("figures", "predicted.svg"),
    "agreement": Path("tables", "agreement.md"),
    "agreement-abstract": Path("tables", "agreement.md"),
    "comparison": Path("tables", "comparison.md"),
    "recovery": Path("tables", "recovery.md"),
    "measurement-error": Path("tables", "measurement_error.md"),
    "replicates": Path("tables", "replicates.md"),
    "imaged": Path("tables", "imaged.md"),
    "simulated": Path("tables", "imaged.md"),
    "simulated-abstract": Path("tables", "imaged.md"),
    "checklists": Path("tables", "population.md"),
    "cohort": Path("tables", "cohort.md"),
    "faults": Path("tables", "faults.md"),
    "curation-check": Path("tables", "curation_check.md"),
    "scale": Path("tables", "cost.md"),
}

#: Tables that hold what a figure draws, where it has no file of its own.
FIGURE_DATA = {"flow": "exclusions", "regression": "regression", "centiles": "centiles"}

#: What synthetic runs say on every page and beneath their title.
RIBBON = "Synthetic demonstration: no real participant"
SUBTITLE = (
    "A synthetic demonstration run (“{run}”): no participant is real, "
    "and no number describes a person"
)


def is_synthetic(numbers: Mapping[str, Number]) -> bool:
    """Tell whether the numbers are those of a synthetic run.

    Raises
    ------
    ReportError
        If ``study.kind`` is missing or neither ``synthetic`` nor ``real``.
    """
    return _is_first(numbers, "study.kind", "synthetic", "real")


def is_of_network(numbers: Mapping[str, Number]) -> bool:
    """Tell whether our network made the label maps that are measured, or another segmenter.

    Raises
    ------
    ReportError
        If ``study.segmentation`` is missing or neither ``network`` nor ``masks``.
    """
    return _is_first(numbers, "study.segmentation", "network", "masks")


def _is_first(numbers: Mapping[str, Number], name: str, first: str, second: str) -> bool:
    kind = numbers[name].text if name in numbers else "missing"
    if kind not in (first, second):
        raise ReportError(f"the number {name} is {kind}; it must be {first} or {second}")
    return kind == first


def is_described(numbers: Mapping[str, Number]) -> bool:
    """Tell whether the run has means by sex; where demographic data lack, they are words."""
    return any(
        name in numbers and numbers[name].value is not None
        for name in ("csa.mean_men", "csa.mean_women")
    )


def nest(variables: Mapping[str, str]) -> dict:
    """Turn dotted names into the nested mapping that ``_variables.yml`` holds.

    Examples
    --------
    >>> nest({"a.b": "1", "a.c": "2"})
    {'a': {'b': '1', 'c': '2'}}
    """
    tree: dict = {}
    for name, text in variables.items():
        *branches, leaf = name.split(".")
        node = tree
        for branch in branches:
            node = node.setdefault(branch, {})
            if not isinstance(node, dict):
                raise ReportError(f"the number {name!r} lies beneath another number")
        if leaf in node:
            raise ReportError(f"the number {name!r} has others beneath it")
        node[leaf] = text
    return tree


def lay_out(
    paths: RunPaths,
    parameters: ReportParameters,
    numbers: Mapping[str, Number],
    variables: Mapping[str, str],
    notebooks: list[Notebook],
    project: Path,
) -> None:
    """Make `project` a Quarto project that can be rendered where it stands.

    Parameters
    ----------
    paths
        The run, whose tables, figures and captions are copied.
    parameters
        Title and authors.
    numbers
        The numbers, for the list of where each comes from.
    variables
        The numbers as the text prints them, and what else it refers to.
    notebooks
        The executed notebooks, for the links to their cells.
    project
        An empty folder.
    """
    for name in ("_quarto.yml", "references.bib"):
        shutil.copy(MANUSCRIPT / name, project / name)
    for folder in ("style", "filters"):
        shutil.copytree(MANUSCRIPT / folder, project / folder)
    for folder in (paths.tables, paths.figures):
        shutil.copytree(folder, project / folder.name)
    write_text(_yaml(nest(variables)), project / "_variables.yml")
    _write_manuscript(parameters, paths.run, numbers, project)
    _write_parts(numbers, project)
    _write_captions(notebooks, project)
    write_text(lookup(project / "tables" / "centile_model.json"), project / "_lookup.md")
    write_text(numbers_table(numbers, notebooks), project / "_numbers.md")
    write_text(
        "".join(f"- [{notebook.path.stem}](notebooks/{notebook.page})\n" for notebook in notebooks),
        project / "_notebooks.md",
    )


def _yaml(value: object) -> str:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False, width=10_000)


def _write_manuscript(
    parameters: ReportParameters, run: str, numbers: Mapping[str, Number], project: Path
) -> None:
    head = {"title": parameters.title}
    if is_synthetic(numbers):
        head["subtitle"] = SUBTITLE.format(run=run)
    head["author"] = parameters.authors
    body = (MANUSCRIPT / "manuscript.qmd").read_text(encoding="utf-8")
    write_text(f"---\n{_yaml(head)}---\n\n{body}", project / "manuscript.qmd")


def _write_parts(numbers: Mapping[str, Number], project: Path) -> None:
    """Write the parts that fit the run as ``_<name>.md``."""
    folders = (
        "synthetic" if is_synthetic(numbers) else "real",
        "network" if is_of_network(numbers) else "masks",
        "described" if is_described(numbers) else "undescribed",
    )
    for folder in folders:
        for part in (MANUSCRIPT / "parts" / folder).glob("*.md"):
            shutil.copy(part, project / f"_{part.name}")
    for name, needed in OPTIONAL_PARTS.items():
        part = MANUSCRIPT / "parts" / f"{name}.md"
        there = (project / needed).is_file()
        text = part.read_text(encoding="utf-8") if there else f"<!-- no {needed} -->\n"
        write_text(text, project / f"_{name}.md")


def _write_captions(notebooks: list[Notebook], project: Path) -> None:
    """Write each caption with links to the cell that made the float and to its data as CSV."""
    captions = {f"fig-{path.stem}": path for path in sorted((project / "figures").glob("*.md"))} | {
        f"tbl-{path.name.removesuffix('.caption.md')}": path
        for path in sorted((project / "tables").glob("*.caption.md"))
    }
    for label, path in captions.items():
        link = source_link(label, notebooks)
        page = Path(link.partition("#")[0]).stem
        text = path.read_text(encoding="utf-8").strip()
        links = [f"[{page}]({link})"]
        data = _data_of(label, project)
        if data.is_file():
            links.append(f"[data]({data.relative_to(project)})")
        text = f"{text} [{', '.join(links)}]\n"
        write_text(text, project / "_captions" / f"{anchor(label)}.md")


def _data_of(label: str, project: Path) -> Path:
    """Return where a float's data would be: a table's own CSV, a figure's own or its table's."""
    kind, _, name = label.partition("-")
    own = project / "figures" / f"{name}.csv"
    if kind == "fig" and own.is_file():
        return own
    return project / "tables" / f"{FIGURE_DATA.get(name, name) if kind == 'fig' else name}.csv"


def numbers_table(numbers: Mapping[str, Number], notebooks: list[Notebook]) -> str:
    """Return a pipe table of every number with a link to the cell that computed it."""
    rows = ["| Number | As printed | Computed in |", "|:---------|:---------|:---------|"]
    for name, number in numbers.items():
        link = source_link(number.cell, notebooks)
        rows.append(f"| `{name}` | {number.text} | [{number.cell}]({link}) |")
    return "\n".join(rows) + "\n"

"""The run's folder as a Quarto project: manuscript, variables, captions, parts."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import yaml

from muscle_study.protocol.files import write_text
from muscle_study.protocol.paths import MANUSCRIPT, RunPaths
from muscle_study.publishing.numbers import Number
from muscle_study.publishing.result import read_indexes
from muscle_study.report.errors import ReportError
from muscle_study.report.lookup import lookup
from muscle_study.report.notebooks import Notebook, source_link
from muscle_study.report.parameters import ReportParameters

#: First line of a part of the manuscript that stands only in runs with a result, and the command
#: that makes the result where no notebook does.
NEEDS = re.compile(r"<!-- needs: (?P<name>\w+)(?: \((?P<command>make [\w-]+)\))? -->")

_YAML = {"allow_unicode": True, "sort_keys": False, "width": 10_000}

#: Words of synthetic runs on every page and beneath the title.
RIBBON = "Synthetic demonstration: no real participant"
SUBTITLE = (
    "A synthetic demonstration run (“{run}”): no participant is real, "
    "and no number describes a person"
)


def is_synthetic(numbers: Mapping[str, Number]) -> bool:
    """Return whether the numbers are those of a synthetic run."""
    return parts_of(numbers, "study.kind") == "synthetic"


def parts_of(numbers: Mapping[str, Number], name: str) -> str:
    """Return a word in the numbers, which is a folder of the manuscript's parts.

    Raises
    ------
    ReportError
        If there is no such word or no such folder.
    """
    word = numbers[name].text if name in numbers else "missing"
    if not (MANUSCRIPT / "parts" / word).is_dir():
        raise ReportError(f"the number {name} is {word}; it must name a folder of parts/")
    return word


def is_described(numbers: Mapping[str, Number]) -> bool:
    """Return whether the run has means by sex; without demographic data they are words."""
    return any(
        name in numbers and numbers[name].value is not None
        for name in ("csa.mean_men", "csa.mean_women")
    )


def nest(variables: Mapping[str, str]) -> dict:
    """Turn dotted names into the nested mapping of ``_variables.yml``.

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
    """Make `project` a complete Quarto project.

    Parameters
    ----------
    paths
        The run, whose published tables, figures and captions are copied.
    parameters
        Title and authors.
    numbers
        The run's numbers.
    variables
        The text's variables as printed: numbers and the renderer.
    notebooks
        The executed notebooks, for links to results.
    project
        An empty folder.
    """
    for name in ("_quarto.yml", "references.bib"):
        shutil.copy(MANUSCRIPT / name, project / name)
    for folder in ("style", "filters"):
        shutil.copytree(MANUSCRIPT / folder, project / folder)
    index = read_indexes(paths)
    for file in (file for entry in index.values() for file in entry.get("files", ())):
        (project / file).parent.mkdir(exist_ok=True)
        shutil.copy(paths.reports / file, project / file)
    write_text(yaml.safe_dump(nest(variables), **_YAML), project / "_variables.yml")
    _write_manuscript(parameters, paths.run, numbers, project)
    _write_parts(numbers, index, project)
    _write_captions(notebooks, project)
    write_text(lookup(project / "tables" / "centile_model.json"), project / "_lookup.md")
    write_text(numbers_table(numbers, notebooks), project / "_numbers.md")
    write_text(
        "".join(f"- [{notebook.path.stem}](notebooks/{notebook.page})\n" for notebook in notebooks),
        project / "_notebooks.md",
    )


def _write_manuscript(
    parameters: ReportParameters, run: str, numbers: Mapping[str, Number], project: Path
) -> None:
    head = {"title": parameters.title}
    if is_synthetic(numbers):
        head["subtitle"] = SUBTITLE.format(run=run)
    head["author"] = parameters.authors
    body = (MANUSCRIPT / "manuscript.qmd").read_text(encoding="utf-8")
    write_text(f"---\n{yaml.safe_dump(head, **_YAML)}---\n\n{body}", project / "manuscript.qmd")


def _write_parts(numbers: Mapping[str, Number], index: Mapping[str, dict], project: Path) -> None:
    """Write the parts that fit the run as ``_<name>.md``."""
    parts = MANUSCRIPT / "parts"
    folders = (
        parts,
        parts / parts_of(numbers, "study.kind"),
        parts / parts_of(numbers, "study.segmentation"),
        parts / ("described" if is_described(numbers) else "undescribed"),
    )
    for part in (part for folder in folders for part in folder.glob("*.md")):
        text = part.read_text(encoding="utf-8")
        needs = NEEDS.match(text)
        reason = needs and _missing(part, needs, index)
        write_text(f"<!-- {reason} -->\n" if reason else text, project / f"_{part.name}")


def _missing(part: Path, needs: re.Match, index: Mapping[str, dict]) -> str:
    """Return the reason why the result that a part needs is absent; empty if it is present.

    Raises
    ------
    ReportError
        If the result is neither published nor absent.
    """
    name, command = needs["name"], needs["command"]
    entry = index.get(name)
    if entry is None and command is None:
        raise ReportError(
            f"parts/{part.name}, line 1: the result {name!r} is neither published nor said to be "
            "absent; run the stages that publish (make all)"
        )
    return f"{name}: not made; {command} makes it" if entry is None else entry.get("absent", "")


def _write_captions(notebooks: list[Notebook], project: Path) -> None:
    """Write each caption with links to its result in the notebook's page and to its data."""
    for kind, folder, ending in (("fig", "figures", ".md"), ("tbl", "tables", ".caption.md")):
        for path in sorted((project / folder).glob(f"*{ending}")):
            name = path.name.removesuffix(ending)
            link = source_link(name, notebooks)
            links = [f"[{Path(link.partition('#')[0]).stem}]({link})"]
            # a figure without data of its own draws its table
            data = [Path(place, f"{name}.csv") for place in (folder, "tables")]
            links += [f"[data]({file})" for file in data if (project / file).is_file()][:1]
            text = path.read_text(encoding="utf-8").strip()
            caption = project / "_captions" / f"{kind}-{name.replace('_', '-')}.md"
            write_text(f"{text} [{', '.join(links)}]\n", caption)


def numbers_table(numbers: Mapping[str, Number], notebooks: list[Notebook]) -> str:
    """Return a pipe table of every number with a link to its result."""
    rows = ["| Number | As printed | Computed for |", "|:---------|:---------|:---------|"]
    for name, number in numbers.items():
        link = source_link(number.cell, notebooks)
        rows.append(f"| `{name}` | {number.text} | [{number.cell}]({link}) |")
    return "\n".join(rows) + "\n"

"""Executed notebooks as offline HTML pages, with an anchor at each result."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from pathlib import Path
from string import Template

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from muscle_study.protocol.files import write_text
from muscle_study.protocol.stages import NOTEBOOK_STAGES, STAGES
from muscle_study.publishing.numbers import Number
from muscle_study.publishing.result import anchor
from muscle_study.report.errors import ReportError

#: Anchor that a published result leaves in its cell's output.
ANCHOR = re.compile(r'<span id="(result-[^"]+)">')


@dataclass(frozen=True)
class Notebook:
    """An executed notebook.

    Parameters
    ----------
    path
        The ``.ipynb``.
    node
        Its content.
    """

    path: Path
    node: nbformat.NotebookNode = field(repr=False)

    @property
    def page(self) -> str:
        """Name of the notebook's HTML page."""
        return f"{self.path.stem}.html"

    @cached_property
    def sources(self) -> dict[str, str]:
        """Source of the cell that published each result, by the result's anchor."""
        return {
            name: cell.source
            for cell in self.node.cells
            for output in cell.get("outputs", [])
            for name in ANCHOR.findall(output.get("data", {}).get("text/html", ""))
        }


def read_notebooks(folder: Path) -> list[Notebook]:
    """Read the run's executed notebooks in the order of the stages.

    Raises
    ------
    ReportError
        If there is none.
    """
    paths = [folder / f"{stage.notebook}.ipynb" for stage in NOTEBOOK_STAGES.values()]
    notebooks = [Notebook(path, nbformat.read(path, 4)) for path in paths if path.exists()]
    if not notebooks:
        raise ReportError(f"{folder} holds no executed notebook: run the stages first (make all)")
    return notebooks


def source_link(name: str, notebooks: list[Notebook]) -> str:
    """Return the address of a result in its notebook's page, relative to the manuscript.

    For a result that no notebook published, the page of stage statistics.
    """
    for notebook in notebooks:
        if anchor(name) in notebook.sources:
            return f"notebooks/{notebook.page}#{anchor(name)}"
    return f"notebooks/{STAGES['statistics'].notebook}.html"


def linked(name: str, number: Number, notebooks: list[Notebook]) -> str:
    """Return a number as printed, in Markdown, with a link to its result in the notebook's page.

    Without a link: words, numbers of a check, and the run's name and kind (``study.``), which
    stand in code and file names.
    """
    link = source_link(number.cell, notebooks)
    if name.startswith("study.") or not any(map(str.isdigit, number.text)) or "#" not in link:
        return number.text
    return f'[{number.text}]({link} "Computed for {number.cell}"){{.number}}'


def write_pages(
    notebooks: list[Notebook],
    template: Path,
    styles: list[Path],
    notice: str,
    machine_folders: list[str],
    folder: Path,
) -> list[Path]:
    """Write a page for each notebook.

    Parameters
    ----------
    notebooks
        In the order in which the pages link to each other.
    template
        HTML with ``$title``, ``$style``, ``$notice``, ``$links`` and ``$body``.
    styles
        Style sheets to put into each page.
    notice
        Text at the top of every page; empty for none.
    machine_folders
        Folders to cut from paths, as in a library's warning: a page that names this machine's
        folders could not be published, and a warning must not cost a run of days.
    folder
        Folder for the pages.
    """
    page = Template(template.read_text(encoding="utf-8"))
    style = "\n".join(
        [
            *(path.read_text(encoding="utf-8") for path in styles),
            HtmlFormatter(style="default").get_style_defs(".highlight"),
            "@media (prefers-color-scheme: dark) {",
            HtmlFormatter(style="github-dark").get_style_defs(".highlight"),
            "}",
        ]
    )
    exporter = HTMLExporter(template_name="basic", exclude_anchor_links=True)
    made = []
    for notebook in notebooks:
        body, _resources = exporter.from_notebook_node(notebook.node)
        for outer in machine_folders:
            body = body.replace(outer + "/", "")
        path = folder / notebook.page
        write_text(
            page.substitute(
                title=escape(notebook.path.stem),
                style=style,
                notice=f'<p class="ribbon">{escape(notice)}</p>' if notice else "",
                links="\n".join(_link(other, notebook) for other in notebooks),
                body=body,
            ),
            path,
        )
        made.append(path)
    return made


def _link(other: Notebook, current: Notebook) -> str:
    mark = ' aria-current="page"' if other is current else ""
    return f'<a href="{other.page}"{mark}>{escape(other.path.stem)}</a>'

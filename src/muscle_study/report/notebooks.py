"""Executed notebooks as HTML pages that need no network, with an anchor on each labelled cell."""

import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from string import Template

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

from muscle_study.protocol.files import write_text
from muscle_study.protocol.stages import NOTEBOOK_STAGES, STAGES
from muscle_study.publishing.numbers import Number
from muscle_study.report.errors import ReportError

LABEL = re.compile(r"#\|\s*label:\s*(\S+)")


def anchor(label: str) -> str:
    """Return a cell's label as cross-references write it: ``tbl-measures-by-age``."""
    return label.replace("_", "-")


@dataclass(frozen=True)
class Notebook:
    """An executed notebook.

    Parameters
    ----------
    path
        The ``.ipynb``.
    node
        Its content; labelled cells carry their label as identifier.
    anchors
        The labels in it, as anchors.
    """

    path: Path
    node: nbformat.NotebookNode = field(repr=False)
    anchors: frozenset[str]

    @property
    def page(self) -> str:
        """Name of its HTML page."""
        return f"{self.path.stem}.html"


def read_notebook(path: Path) -> Notebook:
    """Read an executed notebook and name its labelled cells."""
    node = nbformat.read(path, as_version=4)
    anchors = set()
    for cell in node.cells:
        label = LABEL.match(cell.source)
        if cell.cell_type == "code" and label:
            cell.id = anchor(label[1])
            anchors.add(cell.id)
    return Notebook(path, node, frozenset(anchors))


def read_notebooks(folder: Path) -> list[Notebook]:
    """Read the run's executed notebooks in the order of the stages.

    Raises
    ------
    ReportError
        If there is none.
    """
    paths = [folder / f"{stage.notebook}.ipynb" for stage in NOTEBOOK_STAGES.values()]
    notebooks = [read_notebook(path) for path in paths if path.exists()]
    if not notebooks:
        raise ReportError(f"{folder} holds no executed notebook: run the stages first (make all)")
    return notebooks


def source_link(label: str, notebooks: list[Notebook], default: str = "statistics") -> str:
    """Return where the cell called `label` can be read, relative to the manuscript.

    Where no cell has that label, the link leads to the page of the `default` stage.
    """
    for notebook in notebooks:
        if anchor(label) in notebook.anchors:
            return f"notebooks/{notebook.page}#{anchor(label)}"
    return f"notebooks/{STAGES[default].notebook}.html"


def linked(name: str, number: Number, notebooks: list[Notebook]) -> str:
    """Return a number as the text prints it, in Markdown, with a link to the cell that computed it.

    What the run is called and what kind it is (``study.``) stands in code and file names, where
    no link can; these, words and what no cell computed stay as they are.
    """
    link = source_link(number.cell, notebooks)
    if name.startswith("study.") or not any(map(str.isdigit, number.text)) or "#" not in link:
        return number.text
    return f'[{number.text}]({link} "Computed in {anchor(number.cell)}"){{.number}}'


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
        What every page says at its top; empty for none.
    machine_folders
        Folders to cut from paths, as a library's warning names them: a page that names this
        machine's folders could not be published, and a run of days must not be lost to a warning.
    folder
        Where the pages go.
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
                body=body.replace('id="cell-id=', 'id="'),
            ),
            path,
        )
        made.append(path)
    return made


def _link(other: Notebook, current: Notebook) -> str:
    mark = ' aria-current="page"' if other is current else ""
    return f'<a href="{other.page}"{mark}>{escape(other.path.stem)}</a>'

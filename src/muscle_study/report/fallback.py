"""Rendering without Quarto: Pandoc for HTML, Pandoc and Typst for PDF."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pypandoc
import typst

from muscle_study.protocol.files import write_text
from muscle_study.protocol.paths import MANUSCRIPT
from muscle_study.report.errors import ReportError
from muscle_study.report.shortcodes import expand

FILTER = MANUSCRIPT / "filters" / "quarto.lua"
PAPER_FILTER = MANUSCRIPT / "filters" / "paper.lua"

#: ``task_lists`` and the like are on by default, as they are in Quarto.
READER = "markdown"


def description() -> str:
    """Return the renderer's name for the colophon."""
    return f"Pandoc {pypandoc.get_pandoc_version()} and Typst {version('typst')}"


def render(project: Path, variables: dict[str, str], ribbon: str, formats: list[str]) -> list[Path]:
    """Render ``manuscript.qmd`` of a Quarto project.

    Parameters
    ----------
    project
        The project's folder: ``_quarto.yml``, the manuscript and all it shows.
    variables
        Values of the ``var`` shortcodes.
    ribbon
        Text above every page; empty for none.
    formats
        ``"html"``, ``"pdf"``.

    Returns
    -------
    list of Path
        Rendered files; with a PDF also its Typst source, which can be searched.
    """
    text = expand(project / "manuscript.qmd", variables)
    made: list[Path] = []
    if "html" in formats:
        made.append(_html(text, project, ribbon))
    if "pdf" in formats:
        made += _pdf(text, project, ribbon)
    return made


def _html(text: str, project: Path, ribbon: str) -> Path:
    path = project / "manuscript.html"
    options = [
        "--to=html5",
        "--template=style/page.html",
        "--css=style/page.css",
        "--include-after-body=style/sort.html",
        "--toc",
        "--toc-depth=2",
        "--embed-resources",
        "--mathml",
    ]
    write_text(pandoc(text, project, ribbon, options), path)
    return path


def _pdf(text: str, project: Path, ribbon: str) -> list[Path]:
    source, path = project / "manuscript.typ", project / "manuscript.pdf"
    options = [
        "--to=typst",
        "--template=style/paper.typ",
        "--variable=section-numbering:1.1",
        f"--lua-filter={PAPER_FILTER}",
    ]
    write_text(pandoc(text, project, ribbon, options), source)
    try:
        typst.compile(str(source), output=str(path), root=str(project))
    except typst.TypstError as error:
        raise ReportError(f"Typst cannot set {source.name}: {error}") from error
    return [path, source]


def pandoc(text: str, project: Path, ribbon: str, options: list[str]) -> str:
    """Run Pandoc in the project's folder with the filter and the project's metadata.

    Raises
    ------
    ReportError
        With Pandoc's message, also for warnings (an unknown citation, a missing picture).
    """
    command = [
        pypandoc.get_pandoc_path(), f"--from={READER}", "--standalone", "--number-sections",
        "--metadata-file=_quarto.yml", f"--variable=ribbon:{ribbon}", f"--lua-filter={FILTER}",
        "--citeproc", "--fail-if-warnings", *options,
    ]  # fmt: skip
    done = subprocess.run(
        command, input=text, cwd=project, capture_output=True, text=True, check=False,
        encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise ReportError(f"Pandoc cannot render the manuscript:\n{done.stderr.strip()}")
    return done.stdout

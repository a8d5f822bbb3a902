"""Rendering of the manuscript as HTML and PDF."""

import resource
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from muscle_study.protocol.files import sha256
from muscle_study.protocol.paths import MANUSCRIPT, RunPaths
from muscle_study.protocol.provenance import (
    Hashes,
    manifest_of,
    published_hashes,
    write_manifest,
)
from muscle_study.publishing.numbers import Number, read_numbers
from muscle_study.report import fallback, quarto
from muscle_study.report.check import check, machine_folders
from muscle_study.report.errors import ReportError
from muscle_study.report.notebooks import linked, read_notebooks, write_pages
from muscle_study.report.parameters import ReportParameters
from muscle_study.report.project import RIBBON, is_synthetic, lay_out
from muscle_study.report.shortcodes import expand


def render(run: str, parameters: ReportParameters) -> list[Path]:
    """Render the manuscript and the pages of the executed notebooks.

    Everything is made in a folder beside the run's, checked, and only then moved into it: a failed
    render leaves the earlier one in place.

    Parameters
    ----------
    run
        Name of a run whose stages have been run.
    parameters
        Title, authors, formats.

    Returns
    -------
    list of Path
        The manuscript's files, then the notebooks' pages.

    Raises
    ------
    ReportError
        If the manuscript refers to a missing result or shows what it must not.
    """
    paths = RunPaths(run)
    begun = time.monotonic()
    inputs = _read(paths)
    numbers = _numbers(paths)
    notebooks = read_notebooks(paths.notebooks)
    renderer = quarto.description() if quarto.available() else fallback.description()
    ribbon = RIBBON if is_synthetic(numbers) else ""
    variables = {name: linked(name, number, notebooks) for name, number in numbers.items()}
    variables["report.renderer"] = renderer

    with _beside(paths.reports) as project:
        lay_out(paths, parameters, numbers, variables, notebooks, project)
        expand(project / "manuscript.qmd", variables)  # names what is missing before any work
        pages = write_pages(
            notebooks,
            MANUSCRIPT / "style" / "notebook.html",
            [MANUSCRIPT / "style" / "page.css"],
            ribbon,
            machine_folders(paths),
            project / "notebooks",
        )
        if quarto.available():
            made = quarto.render(project, parameters.formats)
        else:
            made = fallback.render(project, variables, ribbon, parameters.formats)
        check(
            [path for path in made if path.suffix != ".pdf"],
            [*pages, *_shown(project, paths)],
            paths,
            [*paths.notebooks.glob("*.ipynb"), *paths.reports.glob("manifests/*.json")],
        )
        manuscripts = [path for path in made if path.suffix != ".typ"]
        for source in set(made) - set(manuscripts):
            source.unlink()
        write_manifest(
            project / manifest_of("report", paths).relative_to(paths.reports),
            "report",
            parameters.model_dump(mode="json"),
            inputs,
            _written([*manuscripts, *pages], project, paths),
            seconds=time.monotonic() - begun,
            peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        )
        _move(project, paths.reports)
    for name in {"html", "pdf"} - set(parameters.formats):  # of an earlier render
        (paths.reports / f"manuscript.{name}").unlink(missing_ok=True)
    return [paths.reports / path.relative_to(project) for path in [*manuscripts, *pages]]


def _numbers(paths: RunPaths) -> Mapping[str, Number]:
    numbers = read_numbers(paths.numbers)
    if not numbers:
        raise ReportError(f"{paths.numbers} holds no numbers: run the statistics stage first")
    return numbers


def _read(paths: RunPaths) -> Hashes:
    """Return the hashes of the report's inputs."""
    found: Hashes = {}
    for index in sorted(paths.published("").parent.glob("*.json")):
        for folder, files in published_hashes(index.stem, paths).items():
            found.setdefault(folder, {}).update(files)
    executed = sorted(paths.notebooks.glob("*.ipynb"))
    found[paths.notebooks.relative_to(paths.output).as_posix()] = {
        path.name: sha256(path) for path in executed if not path.name.endswith(".failed.ipynb")
    }
    return found


def _written(made: list[Path], project: Path, paths: RunPaths) -> Hashes:
    """Return the hashes of the manuscript and of the notebooks' pages, by their final folder."""
    found: Hashes = {}
    for path in made:
        folder = (paths.reports / path.relative_to(project)).parent
        name = folder.relative_to(paths.output).as_posix()
        found.setdefault(name, {})[path.name] = sha256(path)
    return found


def _shown(project: Path, paths: RunPaths) -> list[Path]:
    """Return the tables, captions, figures and numbers published with the manuscript."""
    folders = (project / "tables", project / "figures", project / "_captions", paths.numbers)
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix in (".csv", ".md", ".svg", ".json")
    )


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`, on the same disk; remove it at the end."""
    beside = folder.with_name(f"{folder.name}.rendering")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _move(project: Path, reports: Path) -> None:
    """Move the project's files into place, each by a rename, the manuscript last."""
    for folder in (".quarto", "tables", "figures"):  # a cache, and copies
        shutil.rmtree(project / folder, ignore_errors=True)
    files = (path for path in project.rglob("*") if path.is_file())
    for path in sorted(files, key=lambda path: (path.stem == "manuscript", path)):
        target = reports / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)

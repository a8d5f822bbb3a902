"""Rendering by Quarto."""

import shutil
import subprocess
from pathlib import Path

from muscle_study.report.errors import ReportError

#: Our format to Quarto's.
TARGETS = {"html": "html", "pdf": "typst"}


def available() -> bool:
    """Return whether ``quarto`` is on the PATH."""
    return shutil.which("quarto") is not None


def description() -> str:
    """Return the renderer's name for the colophon."""
    return f"Quarto {_quarto(['--version']).strip()}"


def render(project: Path, formats: list[str]) -> list[Path]:
    """Render ``manuscript.qmd`` of a Quarto project.

    Parameters
    ----------
    project
        The project's folder.
    formats
        ``"html"``, ``"pdf"``.

    Returns
    -------
    list of Path
        Rendered files; with a PDF also its Typst source, which can be searched.
    """
    made = []
    for name in formats:
        _quarto(["render", "manuscript.qmd", "--to", TARGETS[name]], project)
        made.append(project / f"manuscript.{name}")
        if name == "pdf":
            made.append(project / "manuscript.typ")
    missing = [path.name for path in made if not path.is_file()]
    if missing:
        raise ReportError(f"Quarto ended well but did not write {', '.join(missing)}")
    return made


def _quarto(arguments: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(
        ["quarto", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ReportError(f"quarto {' '.join(arguments)} failed:\n{done.stderr.strip()}")
    return done.stdout

"""Notebook files: the parameters cell, failures, and copies without paths of the machine."""

import ast
import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

TAG = "parameters"

#: Number of lines shown of a failed cell, and of its error.
LINES_SHOWN = 8

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CELL_FILE = re.compile(re.escape(tempfile.gettempdir()) + r"/ipykernel_\d+/\d+\.py")


class NotebookError(Exception):
    """A notebook in which papermill would not set the parameters."""


def check_notebook(notebook: NotebookNode, values: Mapping[str, Any], name: str) -> None:
    """Check kernel and parameters cell; papermill ignores their faults.

    Parameters
    ----------
    notebook
        The source.
    values
        Values for its parameters cell.
    name
        For messages.

    Raises
    ------
    NotebookError
        If the first code cell is not the one cell tagged ``parameters``, does not assign plain
        values to exactly these names, or the kernel is not ``python3``.
    """
    kernel = notebook.metadata.get("kernelspec", {}).get("name")
    if kernel != "python3":
        raise NotebookError(f"{name}: the kernel is {kernel}; set kernelspec.name to python3")
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tagged = [cell for cell in code if TAG in cell.metadata.get("tags", [])]
    if len(tagged) != 1 or tagged[0] is not code[0]:
        raise NotebookError(
            f"{name}: {len(tagged)} cells are tagged {TAG!r}; tag the first code cell, and no other"
        )
    assigned = []
    for statement in ast.parse(tagged[0].source).body:
        try:
            (target,) = statement.targets
            ast.literal_eval(statement.value)
            assigned.append(target.id)
        except (AttributeError, TypeError, ValueError):
            raise NotebookError(
                f"{name}: the parameters cell has {ast.unparse(statement)!r}; it may hold plain "
                "values only. Derive others in the next cell, or they keep their first value"
            ) from None
    if sorted(assigned) != sorted(values):
        raise NotebookError(
            f"{name}: the parameters cell assigns {', '.join(assigned)}; the runner gives "
            f"{', '.join(values)}"
        )


def describe_failure(notebook: NotebookNode) -> str:
    """Return number and first lines of the failed cell, and the last lines of its error."""
    for number, cell in enumerate(notebook.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                head = _shorten(cell.source.splitlines()[:LINES_SHOWN])
                error = _ANSI.sub("", "\n".join([*output.traceback]) or output.evalue)
                tail = [line for line in error.splitlines() if line.strip()][-LINES_SHOWN:]
                return "\n".join([f"cell {number} ({cell.id}):", *head, "error:", *_shorten(tail)])
    return "the kernel died; the machine may have run out of memory"


def _shorten(lines: list[str]) -> list[str]:
    return [f"    {line[:200]}" for line in lines]


def without_machine(notebook: NotebookNode, folders: dict[Path, str]) -> NotebookNode:
    """Return an executed notebook without paths of the machine.

    Parameters
    ----------
    notebook
        The notebook from papermill.
    folders
        Replacement of each folder's path.
    """
    papermill = notebook.metadata.get("papermill", {})
    for key in ("input_path", "output_path"):
        papermill.pop(key, None)
    text = nbformat.writes(notebook)
    known = {Path(sys.prefix): "<environment>", Path(sys.base_prefix): "<python>", **folders}
    # the longest first, since an environment may lie in the repository
    for folder in sorted(known, key=lambda folder: len(str(folder)), reverse=True):
        text = text.replace(json.dumps(str(folder))[1:-1], known[folder])
    return nbformat.reads(_CELL_FILE.sub("<cell>", text), as_version=4)

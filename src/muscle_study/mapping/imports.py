"""The modules of this package that code reaches by its imports. Nothing is executed."""

import ast
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def reached(files: Iterable[Path], counts: Callable[[Path], bool]) -> set[Path]:
    """Return files of this package and all that they import, directly or indirectly.

    Imports within functions count. Modules for which `counts` is false are left out, with what they
    alone import.
    """
    waiting, found = list(files), set()
    while waiting:
        file = waiting.pop()
        if file not in found and counts(file):
            found.add(file)
            waiting += _imported_by(file)
    return found


def imported(code: str | bytes) -> Iterator[Path]:
    """Yield the files of this package that code imports."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        top, *parts = (node.module or "").split(".")
        if top != PACKAGE.name:
            continue
        for named in ([*parts, alias.name] for alias in node.names):
            # a name is a module of the package, or of the module before it
            for place in (PACKAGE.joinpath(*named), PACKAGE.joinpath(*parts)):
                if (file := place.with_suffix(".py")).is_file():
                    yield file
                    break


@cache
def _imported_by(file: Path) -> tuple[Path, ...]:
    return tuple(imported(file.read_bytes()))


def module_name(file: Path) -> str:
    """Return the name of a module without the package's: ``protocol.paths``."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)

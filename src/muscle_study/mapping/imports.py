"""The modules of this package that code imports, found without executing it."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[1]

#: An import from this package; parsing whole modules would take a second of every `make`.
_STATEMENT = re.compile(r"^[ \t]*(from muscle_study[\w.]* import (?:\([^)]*\)|.*))", re.MULTILINE)


def reached(files: Iterable[Path], counts: Callable[[Path], bool]) -> set[Path]:
    """Return files of this package and those that they import, directly or indirectly.

    Imports within functions count; imported modules for which `counts` is false do not.
    """
    waiting, found = list(files), set()
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += filter(counts, imported(file.read_text(encoding="utf-8")))
    return found


def imported(code: str) -> Iterator[Path]:
    """Yield the files of this package that code imports."""
    for statement in _STATEMENT.findall(code):
        (node,) = ast.parse(statement).body
        _, *parts = node.module.split(".")
        for named in ([*parts, alias.name] for alias in node.names):
            # a name is a module of the package, or of the module before it
            for place in (PACKAGE.joinpath(*named), PACKAGE.joinpath(*parts)):
                if (file := place.with_suffix(".py")).is_file():
                    yield file
                    break


def module_name(file: Path) -> str:
    """Return the name of a module without the package's: ``protocol.paths``."""
    return ".".join(file.relative_to(PACKAGE).with_suffix("").parts)

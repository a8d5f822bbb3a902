"""Records of finished participants, so that work that need not be done again is not.

A record carries the key of what its result depends on: code and parameters of the stage, and
the content of the participant's inputs. It is written last, so that its presence says that the rest
is there.

To read everybody's inputs would take hours, so that a record also carries what could be *seen* of
them without reading: size, time and place on disk. Where that is the same, so is the content.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from muscle_study.protocol.exclusions import Excluded, Reason
from muscle_study.protocol.files import read_json, sha256, write_json

PACKAGE = Path(__file__).parents[1]

#: Modules and packages that distribute, guard, show and record work: no result depends on them.
MACHINERY = ("mapping", "running", "protocol.exclusions", "protocol.paths", "protocol.sections")


def code_digest(module: Path) -> str:
    """Return a hash of a module and of all in this package that it imports, however far behind.

    Without `MACHINERY`. What is imported within functions counts; nothing is executed.

    Parameters
    ----------
    module
        Its file, such as ``__file__``.
    """
    digest = hashlib.sha256()
    for source in sorted(sources_of(module)):
        digest.update(source.relative_to(PACKAGE).as_posix().encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def sources_of(module: Path) -> set[Path]:
    """Return the files that `code_digest` of a module hashes."""
    waiting, sources = [module], set()
    while waiting:
        source = waiting.pop()
        if source not in sources:
            sources.add(source)
            waiting += _imported(source)
    return sources


def _imported(source: Path) -> Iterator[Path]:
    """Yield the files of this package that a module imports, without `MACHINERY`."""
    for node in ast.walk(ast.parse(source.read_bytes())):
        if not isinstance(node, ast.ImportFrom) or node.level:
            continue
        top, *parts = (node.module or "").split(".")
        if top != PACKAGE.name:
            continue
        for named in ([*parts, alias.name] for alias in node.names):
            # a name is a module of the package, or of the module before it
            for place in (PACKAGE.joinpath(*named), PACKAGE.joinpath(*parts)):
                if (file := place.with_suffix(".py")).is_file():
                    if not _is_machinery(file):
                        yield file
                    break


def _is_machinery(file: Path) -> bool:
    name = ".".join(file.relative_to(PACKAGE).with_suffix("").parts)
    return any(name == part or name.startswith(f"{part}.") for part in MACHINERY)


def record_key(*parts: Any) -> str:
    """Return a hash of JSON-able `parts`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def stamps(files: Iterable[Path]) -> list[tuple]:
    """Return what can be seen of files without reading them; of one that is not there, its name."""
    seen = []
    for file in files:
        try:
            state = file.stat()
        except FileNotFoundError:
            seen.append((file.name,))
        else:
            seen.append((file.name, state.st_size, state.st_mtime_ns, state.st_ino))
    return seen


def contents(files: Iterable[Path]) -> list[tuple]:
    """Return name and hash of files; of one that is not there, its name."""
    return [(file.name, sha256(file)) if file.exists() else (file.name,) for file in files]


def recall(path: Path, seen: str) -> dict | None:
    """Return the record at `path` if it is there and its inputs look as they did.

    Raises
    ------
    Excluded
        If that is what was found of the participant.
    """
    stored = _read(path)
    if stored.get("seen") != seen:
        return None
    if "excluded" in stored:
        excluded = stored["excluded"]
        raise Excluded(Reason(excluded["reason"]), excluded["detail"])
    return stored["record"]


def read_record(path: Path, key: str, seen: str | None = None) -> dict | None:
    """Return the record at `path` if it is there and was made under `key`.

    Parameters
    ----------
    path
        Of the record.
    key
        Of what the result depends on.
    seen
        Remembered in place of what was seen before, so that `recall` finds the record.
    """
    stored = _read(path)
    if stored.get("key") != key:
        return None
    if stored["seen"] != seen:
        write_record(path, key, stored["record"], seen)
    return stored["record"]


def write_record(path: Path, key: str, record: dict, seen: str | None = None) -> None:
    """Write a record, whole or not at all."""
    write_json({"key": key, "seen": seen, "record": record}, path)


def write_exclusion(path: Path, seen: str, excluded: Excluded) -> None:
    """Write in place of a record that there can be none."""
    why = {"reason": excluded.reason, "detail": excluded.detail}
    write_json({"seen": seen, "excluded": why}, path)


def keep_records(folder: Path, belong: set[str]) -> None:
    """Remove records of participants who are not of the cohort any more."""
    for record in folder.glob("*.json"):
        if record.stem not in belong:
            record.unlink()


def _read(path: Path) -> dict:
    """Return what is stored; nothing where there is none, or a broken disk left half of it."""
    try:
        return read_json(path)
    except (FileNotFoundError, ValueError):
        return {}

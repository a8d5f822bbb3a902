"""Parameter files: YAML, `extends`, changes, and the origin of each value."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: Key of the base file, in a file's first line.
EXTENDS = "extends"


class ParameterError(Exception):
    """An invalid parameter file. The message is for its author."""


@dataclass(frozen=True)
class Document:
    """The values of a run before they are checked.

    Parameters
    ----------
    name
        The run's file, for messages.
    values
        Sections, merged.
    layers
        Merged layers, from the lowest base file to the changes: name and values of each.
    """

    name: str
    values: dict[str, Any]
    layers: list[tuple[str, dict[str, Any]]]

    def origin(self, keys: Iterable[str | int]) -> str | None:
        """Return the layer that sets a value; None for a default."""
        keys = list(keys)
        return next((name for name, values in reversed(self.layers) if _sets(values, keys)), None)


def read_document(run: str, changes: Iterable[str] | Mapping[str, Any], folder: Path) -> Document:
    """Read a run's file with the files that it extends, and apply changes.

    Raises
    ------
    ParameterError
        Naming the file, the line or the key, and the remedy.
    """
    layers = _read_layers(run, folder, [])
    values: dict[str, Any] = {}
    for _, layer in layers:
        values = _merge(values, layer)
    given = changes if isinstance(changes, Mapping) else read_changes(changes)
    changed: dict[str, Any] = {}
    for key, value in given.items():
        _set(values, key, value)
        _set(changed, key, value)
    return Document(f"{folder.name}/{run}.yaml", values, [*layers, ("SET", changed)])


def read_changes(overrides: Iterable[str]) -> dict[str, Any]:
    """Return values by dotted key from texts such as ``"training.seed=3"``, read as YAML."""
    changes = {}
    for override in overrides:
        key, sign, value = override.partition("=")
        if not sign:
            raise ParameterError(f"SET {override}: write it as section.key=value")
        changes[key] = _parse(value, f"SET {override}")
    return changes


def nearest(word: str, known: Iterable[str], others: str) -> str:
    """Return a sentence with the most similar known word; else all known words, after `others`."""
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f". Did you mean {close[0]}?"
    return f". {others}: {', '.join(known)}" if known else ""


def _read_layers(run: str, folder: Path, below: list[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the values of a file and of its base files, lowest first."""
    path = folder / f"{run}.yaml"
    name = f"{folder.name}/{path.name}"
    if run in below:
        circle = " → ".join([*below, run])
        raise ParameterError(f"{name}: extends goes in a circle ({circle}): remove one")
    if not path.is_file():
        runs = sorted(other.stem for other in folder.glob("*.yaml"))
        by = f"{folder.name}/{below[-1]}.yaml, extends: " if below else ""
        raise ParameterError(f"{by}{name} does not exist{nearest(run, runs, 'Runs that do')}")
    values = _parse(_text(path, name), name)
    if not isinstance(values, dict):
        raise ParameterError(f"{name}: expected sections such as 'training:', found none")
    base = values.pop(EXTENDS, None)
    if base is None:
        return [(path.name, values)]
    if not isinstance(base, str):
        raise ParameterError(f"{name}, extends: expected the name of a file, such as demo")
    return [*_read_layers(base, folder, [*below, run]), (path.name, values)]


def _text(path: Path, name: str) -> str:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ParameterError(
            f"{name}, line {line}: byte 0x{raw[error.start]:02x} is not UTF-8: save the file as "
            "UTF-8"
        ) from None


class _UniqueKeys(yaml.SafeLoader):
    """YAML loader that refuses duplicate keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        seen = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value} is there twice: keep one",
                    problem_mark=key.start_mark,
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _parse(text: str, name: str) -> Any:
    try:
        return yaml.load(text, _UniqueKeys)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        remedy = ": indent with spaces, not tabs" if "'\\t'" in str(error.problem) else ""
        raise ParameterError(f"{name}{where}: {error.problem}{remedy}") from None
    except yaml.YAMLError as error:
        raise ParameterError(f"{name}: {error}") from None


def _merge(base: Any, own: Any) -> Any:
    """Return `own`; of two mappings, the union by key, in the base's order."""
    if not (isinstance(base, dict) and isinstance(own, dict)):
        return own
    return base | {key: _merge(base.get(key), value) for key, value in own.items()}


def _set(values: dict[str, Any], key: str, value: Any) -> None:
    """Set one dotted key; validation checks later that it exists."""
    *parents, last = key.split(".")
    node = values
    for parent in parents:
        if node.get(parent) is None:
            node[parent] = {}
        node = node[parent]
        if not isinstance(node, dict):
            raise ParameterError(f"{key}: {parent} has no keys of its own")
    node[last] = value


def _sets(values: Any, keys: list[str | int]) -> bool:
    """Return whether a layer has a key, or a value in place of the section that holds it."""
    for key in keys:
        if not isinstance(values, dict):
            return True
        if key not in values:
            return False
        values = values[key]
    return True

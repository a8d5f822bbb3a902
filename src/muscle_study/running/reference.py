"""Reference of all parameters, `params/README.md`, from the descriptions of the fields."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from muscle_study.protocol.paths import PARAMS
from muscle_study.running.documents import EXTENDS
from muscle_study.running.parameters import StudyParameters

README = PARAMS / "README.md"

BEFORE_RUNS = """\
# Parameters

Written by `make params-readme` from the descriptions in the code; do not edit.

Each file defines a run: `make all RUN=demo` reads `demo.yaml` and writes `data/demo/` and
`reports/demo/`.

| file | run | extends |
|---|---|---|
"""

AFTER_RUNS = """
A file sets what differs from the file that it `extends`:

    extends: demo
    cohort: null            # this run reads real data
    curation:
      layout: bids
      source: /path/to/export

Sections merge key by key; a list or a single value replaces the base file's; `null` in place of a
section removes it. `demo.yaml` extends nothing and sets every value, so that no default hides in
code. `SET` on the command line changes single values:

    make all RUN=demo SET="training.segmenter.max_epochs=3 training.segmenter.batch_size=1"

`make params RUN=…` prints every value of a run with the file that sets it.

Each section belongs to the stage of the same name. All values are checked before anything runs:
an unknown key, missing key or wrong value is an error that names the key and the remedy. A changed
value reruns its stage and the stages that read from it, and no other.

YAML has traps: write `1.0e-3`, since `1e-3` is text; quote `yes`, `no`, `on` and `off`; indent with
spaces. Lists of three are in the order left–right, front–back, foot–head.
"""


def reference() -> str:
    """Return the text of the reference."""
    schema = StudyParameters.model_json_schema()
    definitions = schema["$defs"]
    lines = [BEFORE_RUNS + "\n".join(_runs()), AFTER_RUNS]
    for name, field in schema["properties"].items():
        section, is_list = _section_of(field, definitions)
        lines += [f"## {name}\n", *_section(name, section, field if is_list else {}, definitions)]
    return "\n".join(lines)


def _runs(folder: Path = PARAMS) -> Iterator[str]:
    for path in sorted(folder.glob("*.yaml")):
        first, *others = path.read_text(encoding="utf-8").splitlines()
        base = [line.partition(":")[2].strip() for line in others if line.startswith(EXTENDS)]
        extends = f"`{base[0]}.yaml`" if base else ""
        yield f"| `{path.name}` | {first.removeprefix('# ').rstrip('.')} | {extends} |"


def _section(
    name: str, section: dict[str, Any], field: dict[str, Any], definitions: dict[str, Any]
) -> Iterator[str]:
    """Yield the text and table of a section, then those of its subsections."""
    yield field.get("description", section["description"]).rstrip() + "\n"
    yield "| key | meaning | values |\n|---|---|---|"
    nested: dict[str, list[str]] = {}
    for key, of_key in section["properties"].items():
        found, is_list = _section_of(of_key, definitions)
        meaning = of_key.get("description")
        if found:
            nested.setdefault(found["title"], []).append(f"{name}.{key}")
            kind = "list of sections" if is_list else "section"
            meaning = meaning or found["description"].partition("\n")[0].rstrip(".")
            if not is_list and of_key.get("default", ...) is None:
                kind += " or `null`"
            values = f"{kind}, see below"
        else:
            values = _values(of_key, definitions)
        if "default" in of_key:
            values += f"; default {_code(of_key['default'])}"
        elif key not in section.get("required", ()):
            values += "; optional"
        cells = [f"`{key}`", meaning, values]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""
    for title, places in nested.items():
        yield f"### {', '.join(places)}\n"
        yield from _section(places[0], definitions[title], {}, definitions)


def _section_of(
    field: dict[str, Any], definitions: dict[str, Any]
) -> tuple[dict[str, Any] | None, bool]:
    """Return the section that a field holds, or None, and whether it is a list of sections."""
    if field.get("type") == "array":
        return _section_of(field["items"], definitions)[0], True
    for choice in field.get("anyOf", [field]):
        if "$ref" in choice:
            found = definitions[choice["$ref"].rpartition("/")[2]]
            if "properties" in found:
                return found, False
    return None, False


def _values(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Describe the values that a field accepts."""
    if "anyOf" in field:
        choices = [_values(choice, definitions) for choice in field["anyOf"]]
        return " or ".join(f"({each})" if each.startswith("list") else each for each in choices)
    if "const" in field:
        return _code(field["const"])
    if "enum" in field:
        return ", ".join(map(_code, field["enum"]))
    kind = field.get("type")
    if kind == "array":
        low, high = field.get("minItems"), field.get("maxItems")
        count = f"{low} × " if low == high and low else f"{low} or more × " if low else ""
        return f"list: {count}{_values(field['items'], definitions)}"
    if kind in ("number", "integer"):
        return {"number": "number", "integer": "whole number"}[kind] + _limits(field)
    names = {"string": "text", "boolean": "`true`, `false`", "null": "`null`"}
    return names.get(kind, "mapping")


def _limits(field: dict[str, Any]) -> str:
    words = {"minimum": "≥ {:g}", "exclusiveMinimum": "> {:g}", "maximum": "≤ {:g}",
             "exclusiveMaximum": "< {:g}"}  # fmt: skip
    if {"minimum", "maximum"} <= field.keys():
        return f" {field['minimum']:g} to {field['maximum']:g}"
    limits = [text.format(field[word]) for word, text in words.items() if word in field]
    return f" {', '.join(limits)}" if limits else ""


def _code(value: object) -> str:
    return "`null`" if value is None else f"`{value}`"

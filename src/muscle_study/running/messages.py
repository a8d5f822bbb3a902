"""Error messages for parameter files, written for their authors."""

import json
from typing import Any

from pydantic import ValidationError

from muscle_study.protocol.sections import Section
from muscle_study.running.documents import Document, ParameterError, nearest

#: What is expected, for errors that pydantic words for programmers.
PLAIN = {
    "model_type": "a section with keys of its own",
    "dict_type": "keys with values",
    "list_type": "a list, such as [1, 2]",
    "too_short": "{min_length} or more values",
    "too_long": "{max_length} or fewer values",
    "invalid_key": "text as key",
}


def explain(invalid: ValidationError, document: Document, model: type[Section]) -> ParameterError:
    """Return an error that names every wrong key, what was expected, and the remedy."""
    own = document.layers[-2][0]
    messages = {}  # a union reports once for each of its types
    for error in invalid.errors():
        keys = _existing(error["loc"], document.values)
        message = _message(error, keys, model)
        origin = document.origin(keys) if keys and error["type"] != "missing" else own
        messages[message if origin in (own, None) else f"{message} (from {origin})"] = None
    return ParameterError("\n  ".join([f"{document.name} cannot be used:", *messages]))


def _message(error: dict, keys: list[str | int], model: type[Section]) -> str:
    where, value = ".".join(map(str, keys)), error["input"]
    if error["type"] == "literal_error" and error["loc"][-1] == "[key]":
        known = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
        return f"{where}: unknown key{nearest(str(keys[-1]), known, 'Known are')}"
    if error["type"] == "extra_forbidden":
        known = _fields(model)
        for key in (each for each in keys[:-1] if isinstance(each, str)):  # not places in lists
            known = known.get(key) or {}
        return f"{where}: unknown key{nearest(str(keys[-1]), known, 'Known are')}"
    if error["type"] == "missing":
        return f"{where}: missing. Add it; params/README.md says what it means"
    if error["type"] == "value_error":
        message = str(error["ctx"]["error"])
        return f"{where}: {message}" if where else message
    message = error["msg"].removeprefix("Input should be ")
    if plain := PLAIN.get(error["type"]):
        message = plain.format(**error.get("ctx", {}))
    if isinstance(value, dict | list):
        return f"{where}: expected {message}"
    remedy = ""
    if isinstance(value, str) and _is_number(value):
        remedy = f". YAML reads it as text: write {_as_yaml_number(value)}"
    elif isinstance(value, bool):
        remedy = ". YAML reads yes, no, on and off as true and false: put quotes around text"
    return f"{where}: expected {message}, got {json.dumps(value, default=str)}{remedy}"


def _existing(location: tuple, document: Any) -> list[str | int]:
    """Return the part of pydantic's location that is in the file; unions add their types to it."""
    keys, node = [], document
    for key in location:
        if isinstance(node, dict) and key != "[key]":
            node = node.get(key)
        elif isinstance(node, list) and isinstance(key, int):
            node = node[key]
        else:
            break
        keys.append(key)
    return keys


def _fields(model: type[Section]) -> dict[str | int, dict]:
    """Return the fields of a section, and theirs, as nested dictionaries."""
    return {
        name: next(
            (
                _fields(kind)
                for kind in (field.annotation, *getattr(field.annotation, "__args__", ()))
                if isinstance(kind, type) and issubclass(kind, Section)
            ),
            {},
        )
        for name, field in model.model_fields.items()
    }


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _as_yaml_number(text: str) -> str:
    """Write a number so that YAML 1.1 reads one: an exponent needs a point and a sign."""
    mantissa, mark, exponent = text.strip().lower().partition("e")
    if not mark:
        return mantissa
    point = mantissa if "." in mantissa else f"{mantissa}.0"
    return f"{point}e{exponent if exponent[0] in '+-' else '+' + exponent}"

"""Records of finished participants, so that work that need not be done again is not.

A record carries the key of what its result depends on: code and parameters of the stage, and
the participant's inputs. It is written last, so that its presence says that the rest is there.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from muscle_study.files import read_json, write_json

#: Of the modules that all stages share, those that a participant's result can depend on.
SHARED = ("files.py", "labels.py", "volumes.py")


def code_digest(package: Path) -> str:
    """Return a hash of a stage's package and of the shared modules behind its results."""
    sources = sorted(package.rglob("*.py")) + [package.parent / name for name in SHARED]
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.relative_to(package.parent).as_posix().encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()


def record_key(*parts: Any) -> str:
    """Return a hash of JSON-able `parts`."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def read_record(path: Path, key: str) -> dict | None:
    """Return the record at `path` if it is there and was made under `key`."""
    if not path.exists():
        return None
    stored = read_json(path)
    return stored["record"] if stored["key"] == key else None


def write_record(path: Path, key: str, record: dict) -> None:
    """Write a record, whole or not at all."""
    write_json({"key": key, "record": record}, path)

"""Atomic writing of files, and tables with reproducible bytes."""

import hashlib
import json
import os
import platform
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # pandas loads slowly, and every make reads parameters through this module
    import pandas as pd


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; put it in place when the block succeeds.

    The content is synced before the rename, so that a crash leaves the old file or the new one.
    The temporary name keeps the ending, which some writers need, and is unique: machines and
    containers that share a disk may have the same process numbers.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    own = f".{platform.node()}.{os.getpid()}.{secrets.token_hex(4)}"
    beside = path.with_name(f"{own}.{path.name}")
    try:
        yield beside
        with beside.open("rb") as written:
            os.fsync(written.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_text(text: str, path: Path) -> None:
    """Write UTF-8 text atomically."""
    with whole_file(path) as beside:
        beside.write_text(text, encoding="utf-8")


def write_json(value: object, path: Path) -> None:
    """Write JSON with a stable layout. NaN is refused: use ``None`` for unknown values."""
    write_text(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n", path)


def read_json(path: Path) -> dict:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a CSV without its index, floats to nine significant digits.

    Raises
    ------
    TableError
        If the table has a schema (`protocol.tables`) and is not as that says.
    """
    from muscle_study.protocol.tables import check

    check(table, path)
    with whole_file(path) as beside:
        table.to_csv(beside, index=False, float_format="%.9g", lineterminator="\n")


def read_table(path: Path) -> "pd.DataFrame":
    """Read a CSV of this project; identifiers stay text.

    Raises
    ------
    FileNotFoundError
        Naming the file.
    TableError
        If the table has a schema (`protocol.tables`) and is not as that says.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: run the stage that writes it (see data/README.md)"
        )
    import pandas as pd

    from muscle_study.protocol.tables import check

    table = pd.read_csv(path, dtype={"participant_id": str})
    check(table, path)
    return table


def sha256(path: Path) -> str:
    """Return the hex SHA-256 of a file's content."""
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

"""Numbers by notebook cell. Going: results carry their `Numbers`."""

from dataclasses import asdict
from pathlib import Path

from muscle_study.protocol.files import write_json
from muscle_study.publishing.numbers import Number, format_number


class CellNumbers:
    """Collects numbers under dotted names. Going: results carry their `Numbers`."""

    def __init__(self):
        self._numbers: dict[str, Number] = {}

    def add(self, name: str, value: float, cell: str, digits: int = 0, unit: str = "") -> None:
        """Add a number; a name can be used once."""
        self._put(name, Number(format_number(value, digits, unit), float(value), cell))

    def add_text(self, name: str, text: str, cell: str, value: float | None = None) -> None:
        """Add what is no plain number: a p-value, an interval, a word."""
        self._put(name, Number(text, value, cell))

    def _put(self, name: str, number: Number) -> None:
        if name in self._numbers:
            raise ValueError(f"the number {name!r} is there already")
        self._numbers[name] = number

    def write(self, path: Path) -> None:
        """Write the numbers as JSON, sorted by name."""
        write_json({name: asdict(self._numbers[name]) for name in sorted(self._numbers)}, path)

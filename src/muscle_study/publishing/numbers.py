"""Numbers for the manuscript's text: one formatter, each with its unit and its source."""

from dataclasses import asdict, dataclass
from pathlib import Path

from muscle_study.protocol.files import read_json, write_json

MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"


def format_number(value: float, digits: int = 0, unit: str = "") -> str:
    """Write a number as it stands in the manuscript.

    Parameters
    ----------
    value
        The number. Integers are given thousands separators.
    digits
        Decimals.
    unit
        Set behind a no-break space; ``%`` as well.

    Examples
    --------
    >>> format_number(27805)
    '27,805'
    >>> format_number(-0.0512, 2, "cm²")
    '−0.05 cm²'
    """
    if value != value:
        raise ValueError("a number of the manuscript is NaN")
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")  # no negative zero
    return text.replace("-", MINUS) + (f"{NO_BREAK_SPACE}{unit}" if unit else "")


def format_p(p: float) -> str:
    """Write a p-value: three decimals, ``<0.001`` below.

    Examples
    --------
    >>> format_p(0.0421), format_p(1e-9)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


@dataclass(frozen=True)
class Number:
    """One number of the text.

    Parameters
    ----------
    text
        As it is printed.
    value
        As it was computed; ``None`` where the text is a word.
    cell
        Label of the notebook cell that computed it.
    """

    text: str
    value: float | None
    cell: str


class Numbers:
    """Collects a stage's numbers under dotted names, e.g. ``dice.psoas``."""

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


def read_numbers(folder: Path) -> dict[str, Number]:
    """Read every ``*.json`` of `folder`; names must not repeat across files."""
    numbers: dict[str, Number] = {}
    for path in sorted(folder.glob("*.json")):
        for name, number in read_json(path).items():
            if name in numbers:
                raise ValueError(f"{path}: the number {name!r} is in two files")
            numbers[name] = Number(**number)
    return numbers

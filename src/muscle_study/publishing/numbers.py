"""Numbers for the manuscript's text, printed by one formatter, with unit and source."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from muscle_study.protocol.files import read_json

#: Word for a number that the data do not suffice to estimate.
NOT_ESTIMABLE = "not estimable"

MINUS = "\u2212"
NO_BREAK_SPACE = "\u00a0"


def format_number(value: float, digits: int = 0, unit: str = "") -> str:
    """Format a number for the manuscript.

    Parameters
    ----------
    value
        Number, printed with thousands separators.
    digits
        Number of decimals.
    unit
        Unit or ``%``, printed after a no-break space.

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
    """Format a p-value: three decimals, or ``<0.001``.

    Examples
    --------
    >>> format_p(0.0421), format_p(1e-9)
    ('0.042', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def interval(low: float, high: float, digits: int) -> str:
    """Return e.g. ``0.12 to 0.34``; "to", because a dash beside a minus sign misleads."""
    return f"{format_number(low, digits)} to {format_number(high, digits)}"


@dataclass(frozen=True)
class Number:
    """One number of the text.

    Parameters
    ----------
    text
        Number as printed.
    value
        Number as computed; ``None`` for a word.
    cell
        Name of its result.
    """

    text: str
    value: float | None
    cell: str = ""


class Numbers:
    """The numbers of one result, under dotted names such as ``dice.psoas``.

    NaN is printed as a word.
    """

    def __init__(self):
        self._numbers: dict[str, Number] = {}

    def number(
        self,
        name: str,
        value: float,
        digits: int = 0,
        unit: str = "",
        otherwise: str = NOT_ESTIMABLE,
    ) -> None:
        """Add a number, or the word `otherwise` for NaN."""
        if value != value:
            self.word(name, otherwise)
        else:
            self.word(name, format_number(value, digits, unit), float(value))

    def p(self, name: str, value: float) -> None:
        """Add a p-value."""
        if value != value:
            self.word(name, NOT_ESTIMABLE)
        else:
            self.word(name, format_p(value), float(value))

    def limits(
        self, name: str, low: float, high: float, digits: int, unit: str = "", before: str = ""
    ) -> None:
        """Add an interval, e.g. ``95 % CI 0.12 to 0.34 cm²`` where `before` is ``95 % CI ``."""
        if low != low:
            self.word(name, NOT_ESTIMABLE)
        else:
            behind = f"{NO_BREAK_SPACE}{unit}" if unit else ""
            self.word(name, before + interval(low, high, digits) + behind)

    def word(self, name: str, text: str, value: float | None = None) -> None:
        """Add a word, with the value behind it if it has one; a name can be used once."""
        if name in self._numbers:
            raise ValueError(f"the number {name!r} is there already")
        self._numbers[name] = Number(text, value)

    def items(self) -> Iterator[tuple[str, Number]]:
        """Yield names and numbers."""
        yield from self._numbers.items()


def read_numbers(folder: Path) -> dict[str, Number]:
    """Read all ``*.json`` of `folder`; a name in two files is an error."""
    numbers: dict[str, Number] = {}
    for path in sorted(folder.glob("*.json")):
        for name, number in read_json(path).items():
            if name in numbers:
                raise ValueError(f"{path}: the number {name!r} is in two files")
            numbers[name] = Number(**number)
    return numbers

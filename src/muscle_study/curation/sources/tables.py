"""Participant tables of exports, whatever their separators, column names and codes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

#: The covariates of a participant, as the study names them.
COVARIATES = ["sex", "age_years", "height_cm", "weight_kg", "bmi_kg_m2"]

#: Where the participant was examined: any text. A table need not have it, nor a participant.
CENTRE = "centre"

#: All that is known of a participant from a table.
TRAITS = [*COVARIATES, CENTRE]

#: A table of participants is at most so large (bytes): 30,000 rows of a hundred columns have 20 MB.
MAX_TABLE_BYTES = 1 << 28


@dataclass(frozen=True)
class TableForm:
    """How a table is written.

    Parameters
    ----------
    separator
        Between columns.
    columns
        The study's name of a column to the table's, where they differ.
    sexes
        What stands for a sex to ``male`` or ``female``.
    missing
        Pattern of codes for a missing value.
    decimal_comma
        Whether a comma begins the decimals.
    """

    separator: str = ","
    columns: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    decimal_comma: bool = False


def read_participants_if_there(
    path: Path, form: TableForm, columns: Sequence[tuple[str, str]], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Return what `read_participants` does, or no rows where there is no table."""
    if not path.is_file():
        return pd.DataFrame(columns=["participant_id", *TRAITS, "given_split"], dtype=str)
    return read_participants(path, form, columns, optional)


def read_participants(
    path: Path, form: TableForm, columns: Sequence[tuple[str, str]], optional: Sequence[str] = ()
) -> pd.DataFrame:
    """Read a table of participants as text, under the study's names.

    Parameters
    ----------
    path
        The table.
    form
        How it is written.
    columns
        The study's names and the table's, where they differ from the form's.
    optional
        Covariates that it need not have, as it need not have `CENTRE`; they are missing then.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, `TRAITS` and ``given_split``.
    """
    names = {name: form.columns.get(name, name) for name in ["participant_id", *TRAITS]}
    names |= dict(columns)
    required = [column for name, column in names.items() if name not in (*optional, CENTRE)]
    table = read_export_table(path, form.separator, required)
    found = pd.DataFrame({
        name: table.get(column, pd.Series(None, index=table.index, dtype=str))
        for name, column in names.items()
    })  # fmt: skip
    if form.missing:
        code = re.compile(form.missing)
        found[TRAITS] = found[TRAITS].map(
            lambda text: None if isinstance(text, str) and code.fullmatch(text) else text
        )
    if form.decimal_comma:
        numbers = COVARIATES[1:]
        found[numbers] = found[numbers].map(
            lambda text: text.replace(",", ".") if isinstance(text, str) else text
        )
    found["sex"] = found["sex"].replace(dict(form.sexes))
    return found.assign(given_split=None)


def read_export_table(path: Path, separator: str, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table of an export as text.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file, the column and the remedy: a broken table stops the run.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is missing: the export needs this table; check curation.source"
        )
    if path.stat().st_size > MAX_TABLE_BYTES:
        raise ValueError(f"{path}: over {MAX_TABLE_BYTES} bytes, which is no participant table")
    try:
        # utf-8-sig: spreadsheets put a byte-order mark before the first column's name
        table = pd.read_csv(path, sep=separator, dtype=str, encoding="utf-8-sig")
    except (ValueError, OverflowError) as error:  # of both are pandas' and Unicode's own
        raise ValueError(f"{path}: not a CSV table separated by '{separator}': {error}") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(missing)} is missing (found: "
            f"{', '.join(map(str, table.columns))}); name the columns so, or say what they are "
            f"called in curation.columns, and separate them by '{separator}'"
        )
    if duplicated := sorted(set(table.columns[table.columns.duplicated()])):
        raise ValueError(f"{path}: column {', '.join(duplicated)} is there twice")
    return table.map(lambda text: text.strip() if isinstance(text, str) else text)

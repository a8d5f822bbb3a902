"""Participant tables of exports in any separators, column names and codes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from muscle_study.protocol.covariates import BUILT_IN, Covariate

#: Largest table of participants (bytes); 30,000 rows of a hundred columns have 20 MB.
MAX_TABLE_BYTES = 1 << 28

#: Pattern that matches nothing.
NEVER = r"(?!)"


@dataclass(frozen=True)
class TableForm:
    """Format of a layout's table.

    Parameters
    ----------
    separator
        Separator of columns.
    columns
        The table's names of built-in columns, by the study's name, where they differ.
    sexes
        The study's sexes by the table's codes.
    missing
        Pattern of the codes of a missing value, in every column.
    decimal_comma
        Whether numbers have a decimal comma.
    """

    separator: str = ","
    columns: Mapping[str, str] = field(default_factory=dict)
    sexes: Mapping[str, str] = field(default_factory=dict)
    missing: str = ""
    decimal_comma: bool = False


def read_participants(
    path: Path,
    form: TableForm,
    columns: Sequence[tuple[str, str]] = (),
    declared: Sequence[Covariate] = (),
    optional: Sequence[str] = (),
) -> pd.DataFrame:
    """Read a table of participants as text, under the study's names.

    Parameters
    ----------
    path
        The table.
    form
        Format of the table.
    columns
        The study's and the table's names of columns that differ from the form's.
    declared
        Covariates beside the built-in ones.
    optional
        Covariates whose column may be absent; they are missing then.

    Returns
    -------
    pandas.DataFrame
        ``participant_id``, the covariates and ``given_split``; missing values are missing.
    """
    covariates = [*BUILT_IN, *declared]
    names = {
        name: form.columns.get(name, name)
        for name in ("participant_id", *(covariate.name for covariate in BUILT_IN))
    }
    names |= dict(columns) | {covariate.name: covariate.export_column for covariate in declared}
    required = [column for name, column in names.items() if name not in optional]
    table = read_export_table(path, form.separator, required)
    found = pd.DataFrame({
        name: table.get(column, pd.Series(None, index=table.index, dtype=str))
        for name, column in names.items()
    })  # fmt: skip
    code = re.compile(form.missing or NEVER)
    for covariate in covariates:
        text = found[covariate.name]
        text = text.map(lambda one: None if code.fullmatch(one) else one, na_action="ignore")
        text = text.astype("str")  # a column without any value is read as numbers
        if form.decimal_comma and covariate.kind == "continuous":
            text = text.str.replace(",", ".", regex=False)
        found[covariate.name] = covariate.stated(text)
    found["sex"] = found["sex"].replace(dict(form.sexes))
    return found.assign(given_split=None)


def no_participants(declared: Sequence[Covariate]) -> pd.DataFrame:
    """Return an empty table as from `read_participants`, for an export without one."""
    names = [covariate.name for covariate in (*BUILT_IN, *declared)]
    return pd.DataFrame(columns=["participant_id", *names, "given_split"], dtype=str)


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
    except (ValueError, OverflowError) as error:  # pandas' and Unicode's own errors are of both
        raise ValueError(f"{path}: not a CSV table separated by '{separator}': {error}") from error
    missing = [name for name in columns if name not in table.columns]
    if missing:
        raise ValueError(
            f"{path}: column {', '.join(missing)} is missing (found: "
            f"{', '.join(map(str, table.columns))}); name the columns so, or say what they are "
            f"called in curation.columns, or under column in covariates, and separate them by "
            f"'{separator}'"
        )
    if duplicated := sorted(set(table.columns[table.columns.duplicated()])):
        raise ValueError(f"{path}: column {', '.join(duplicated)} is there twice")
    return table.map(lambda text: text.strip() if isinstance(text, str) else text)

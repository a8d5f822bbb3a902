"""Valid tables of every stage, made from their schemas."""

from pathlib import Path

import pandas as pd

from muscle_study.protocol.files import write_table
from muscle_study.protocol.tables import TABLES

#: Value of a column that a test does not care about.
PLAIN = {"text": "a", "number": 1.0, "whole": 1, "flag": False}


def example(place: str, given: pd.DataFrame) -> pd.DataFrame:
    """Return the table that is written to `place`: what is given, and a plain value elsewhere.

    Columns that the schema does not know are left out.
    """
    schema = TABLES[place]
    names = [column.name for column in schema.columns]
    plain = {
        column.name: column.levels[0] if column.levels else PLAIN[column.kind]
        for column in schema.columns
        if column.required and column.name not in given
    }
    table = given.assign(**plain)
    return table if schema.declared else table[[name for name in names if name in table]]


def write_example(given: pd.DataFrame, path: Path) -> None:
    """Write a table, completed where it has a schema."""
    place = f"{path.parent.name}/{path.name}"
    write_table(example(place, given) if place in TABLES else given, path)

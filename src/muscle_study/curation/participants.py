"""The participant table: its schema, and exclusions by it."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa

from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.pseudonyms import pseudonyms, read_key
from muscle_study.curation.sources.source import Source
from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.exclusions import Reason, exclusion_table

NUMERIC = [covariate.name for covariate in BUILT_IN if covariate.kind == "continuous"]

#: Pattern of identifiers, which become file names.
SAFE_ID = r"[A-Za-z0-9][A-Za-z0-9_-]*"

#: Share of the participants beyond which a common fault indicates a broken table.
BROKEN_SHARE = 0.5


@dataclass(frozen=True)
class Checked:
    """The participants of an export after the check of their records.

    Parameters
    ----------
    participants
        ``participant_id``, ``source_id`` (the export's), covariates as numbers or levels,
        ``given_split``; sorted by identifier. A BMI that is not stated is computed.
    exclusions
        One row per excluded participant.
    missing
        Counts of missing values, as from `missing_table`.
    unmatched_withdrawals
        Number of withdrawn identifiers that do not occur in the export.
    """

    participants: pd.DataFrame
    exclusions: pd.DataFrame
    missing: pd.DataFrame
    unmatched_withdrawals: int


def schema(parameters: CurationParameters, required: bool) -> pa.DataFrameSchema:
    """Return the schema of a participant table.

    The text of each check begins with the reason code under which a participant who fails it is
    excluded, so that one pass of pandera gives codes and messages.

    Parameters
    ----------
    parameters
        Plausible ranges and the tolerance of the BMI.
    required
        Whether sex, age, height and weight are required. BMI is not: it follows from them.
    """
    tolerance = parameters.bmi_tolerance_kg_m2

    def column(covariate: Covariate) -> pa.Column:
        nullable = not required or covariate.name == "bmi_kg_m2"
        if covariate.kind != "continuous":
            text = f"{Reason.IMPLAUSIBLE_VALUE}: neither {' nor '.join(covariate.level_names)}"
            return pa.Column(
                str, pa.Check.isin(covariate.level_names, error=text), nullable=nullable
            )
        if covariate.range is None:
            return pa.Column(float, nullable=nullable)
        low, high = covariate.range
        text = f"{Reason.IMPLAUSIBLE_VALUE}: outside {low:g}–{high:g}"
        return pa.Column(float, pa.Check.in_range(low, high, error=text), nullable=nullable)

    def bmi_agrees(table: pd.DataFrame) -> pd.Series:
        off = (table["bmi_kg_m2"] - bmi_kg_m2(table)).abs()
        return ~(off > tolerance)  # NaN, with either unknown, is not a contradiction

    return pa.DataFrameSchema(
        {
            "participant_id": pa.Column(str, unique=True, report_duplicates="all"),
            **{covariate.name: column(covariate) for covariate in built_in(parameters)},
        },
        checks=pa.Check(
            bmi_agrees,
            error=f"{Reason.BMI_CONTRADICTION}: over {tolerance:g} kg/m² off height and weight",
        ),
    )


def built_in(parameters: CurationParameters) -> list[Covariate]:
    """Return the built-in covariates with the plausible ranges of the parameters."""
    ranges = {
        "age_years": parameters.age_range_years,
        "height_cm": parameters.height_range_cm,
        "weight_kg": parameters.weight_range_kg,
    }
    return [
        covariate.model_copy(update={"range": ranges.get(covariate.name)}) for covariate in BUILT_IN
    ]


def bmi_kg_m2(table: pd.DataFrame) -> pd.Series:
    """Return weight over squared height."""
    return table["weight_kg"] / (table["height_cm"] / 100) ** 2


def check_participants(
    source: Source, with_images: Collection[str], parameters: CurationParameters
) -> Checked:
    """Read an export's participants and exclude those with an invalid record.

    Declared covariates exclude no participant: implausible values and unknown levels are missing.

    Parameters
    ----------
    source
        The export.
    with_images
        Identifiers with a place for images in the export.
    parameters
        Parameters of the stage.

    Raises
    ------
    FileNotFoundError, ValueError
        If the table itself is broken; the message names file, column and remedy.
    """
    listed = source.table()
    unlisted = sorted(set(with_images) - set(listed["participant_id"]))
    text = pd.concat([listed, pd.DataFrame({"participant_id": unlisted})], ignore_index=True)
    name = source.folder / source.table_name
    check_identifiers(text, str(name))
    text, withdrawn, unmatched = withdraw(text, parameters.withdrawn)
    numbers = {
        column: pd.to_numeric(text[column], errors="coerce").astype(float) for column in NUMERIC
    }
    declared = {
        covariate.name: covariate.values(text[covariate.name]) for covariate in source.covariates
    }
    table = text.assign(sex=text["sex"].astype("str"), **numbers, **declared)
    faults = find_faults(table, text, schema(parameters, required=source.demographics))
    check_not_systematic(faults, table["participant_id"].nunique(), str(name))
    missing = missing_table(text, [*built_in(parameters), *source.covariates])
    check_declarations(text, missing, source.covariates, str(name))
    first = pd.concat([withdrawn, faults.drop_duplicates("participant_id")], ignore_index=True)
    table["bmi_kg_m2"] = table["bmi_kg_m2"].fillna(bmi_kg_m2(table))
    kept = table[~table["participant_id"].isin(first["participant_id"])]
    kept = kept.assign(source_id=kept["participant_id"])
    if parameters.pseudonym_key is not None:
        names = pseudonyms(
            {*text["participant_id"], *first["participant_id"]},
            read_key(Path(parameters.pseudonym_key)),
        )
        kept["participant_id"] = kept["participant_id"].map(names)
        first["participant_id"] = first["participant_id"].map(names)
    covariates = [covariate.name for covariate in (*BUILT_IN, *source.covariates)]
    columns = ["participant_id", "source_id", *covariates, "given_split"]
    return Checked(
        kept[columns].sort_values("participant_id", ignore_index=True),
        exclusion_table(first.assign(stage="curation").to_dict("records")),
        missing,
        unmatched,
    )


def missing_table(text: pd.DataFrame, covariates: Sequence[Covariate]) -> pd.DataFrame:
    """Count participants without a value by variable, before exclusions.

    Parameters
    ----------
    text
        The records as they were read.
    covariates
        Covariates with their plausible ranges.

    Returns
    -------
    pandas.DataFrame
        ``variable``; ``participants``; of these, ``missing`` have no value in any row,
        ``unreadable`` only text that is not a number, ``implausible`` only a value out of range
        or an unknown level.
    """
    rows = []
    for covariate in covariates:
        stated = text[covariate.name]
        readable = stated if covariate.kind != "continuous" else covariate.numbers(stated)
        in_any_row = [
            values.notna().groupby(text["participant_id"]).any()
            for values in (stated, readable, covariate.values(stated))
        ]
        counts = [len(in_any_row[0]), *(int(has.sum()) for has in in_any_row)]
        rows.append((covariate.name, counts[0], *(-np.diff(counts)).tolist()))
    columns = ["variable", "participants", "missing", "unreadable", "implausible"]
    return pd.DataFrame(rows, columns=columns)


def check_declarations(
    text: pd.DataFrame, missing: pd.DataFrame, covariates: Sequence[Covariate], name: str
) -> None:
    """Refuse a declared covariate that does not fit most of the export's values.

    Raises
    ------
    ValueError
        Naming the covariate, an example and the remedy.
    """
    counts = missing.set_index("variable")
    for covariate in covariates:
        _, _, *unusable = row = counts.loc[covariate.name]
        if sum(unusable) > BROKEN_SHARE * row["participants"]:
            stated = text[covariate.name]
            example = stated[stated.notna() & covariate.values(stated).isna()].iloc[0]
            raise ValueError(
                f"{name}: {sum(unusable)} of {row['participants']} participants have a value of "
                f"{covariate.export_column} (e.g. {example}) that covariates: {covariate.name} "
                "does not know: correct its levels with their codes, or its range and unit"
            )


def withdraw(table: pd.DataFrame, path: str | None) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Split off participants with withdrawn consent, before the rest of their data is read.

    Parameters
    ----------
    table
        Rows with the export's ``participant_id``.
    path
        Text file with one identifier per line; None for none.

    Returns
    -------
    staying, withdrawn : pandas.DataFrame
        Rows of `table`; ``participant_id, reason, fault, detail``.
    unmatched : int
        Identifiers on the list without a row: mistyped, or never in this export.

    Raises
    ------
    FileNotFoundError, ValueError
        If the list is missing or has a line that is not an identifier.
    """
    columns = ["participant_id", "reason", "fault", "detail"]
    if path is None:
        return table, pd.DataFrame(columns=columns), 0
    place = Path(path).expanduser()
    if not place.is_file():
        raise FileNotFoundError(
            f"curation.withdrawn: there is no file {place}: the list of withdrawals must exist"
        )
    names = {line.strip() for line in place.read_text(encoding="utf-8-sig").splitlines()} - {""}
    if odd := sorted(name for name in names if not re.fullmatch(SAFE_ID, name)):
        raise ValueError(f"curation.withdrawn: {place}: {odd[0]!r} is no identifier: one per line")
    has_withdrawn = table["participant_id"].isin(names)
    gone = pd.DataFrame({"participant_id": sorted(set(table["participant_id"][has_withdrawn]))})
    text = "on the list of withdrawals"
    gone = gone.assign(reason=Reason.CONSENT_WITHDRAWN, fault=text, detail=text)
    unmatched = len(names - set(table["participant_id"]))
    return table[~has_withdrawn].reset_index(drop=True), gone, unmatched


def check_identifiers(table: pd.DataFrame, name: str) -> None:
    """Refuse identifiers that cannot be file names.

    Raises
    ------
    ValueError
        Naming the rows.
    """
    bad = table.index[~table["participant_id"].str.fullmatch(SAFE_ID).fillna(False).astype(bool)]
    if len(bad):
        rows = ", ".join(str(row + 2) for row in bad[:5])  # the header is line 1
        raise ValueError(
            f"{name}: the identifier is missing or has signs other than letters, digits, - and _ "
            f"in {len(bad)} rows (line {rows}{', …' if len(bad) > 5 else ''}): correct these lines"
        )
    if table.empty:
        raise ValueError(f"{name}: no participants; check curation.source")


def find_faults(
    table: pd.DataFrame, text: pd.DataFrame, expected: pa.DataFrameSchema
) -> pd.DataFrame:
    """Compare a table with its schema.

    Parameters
    ----------
    table, text
        The same rows, with numbers and as they were read.
    expected
        Schema, from `schema`.

    Returns
    -------
    pandas.DataFrame
        ``participant_id, reason, fault, detail``, one row per participant and fault, in order of
        precedence.
    """
    faults = [
        (text["participant_id"][row], Reason.IMPLAUSIBLE_VALUE, f"{column} not a number",
         f"{column} = {text[column][row]}: not a number")
        for column in NUMERIC
        for row in table.index[table[column].isna() & text[column].notna()]
    ]  # fmt: skip
    try:
        expected.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        for case in errors.failure_cases.sort_values(["index", "column"]).to_dict("records"):
            row = text.loc[int(case["index"])]
            # text that is not a number is listed above and does not count as missing
            if case["check"] != "not_nullable" or pd.isna(row[case["column"]]):
                faults.append((row["participant_id"], *described(case, row)))
    rank = {reason: place for place, reason in enumerate(Reason)}
    return (
        pd.DataFrame(faults, columns=["participant_id", "reason", "fault", "detail"])
        .drop_duplicates()
        .sort_values("reason", key=lambda column: column.map(rank), kind="stable")
    )


def described(case: dict, row: pd.Series) -> tuple[Reason, str, str]:
    """Return the reason of a failed check, the fault in general, and the participant's detail.

    Parameters
    ----------
    case
        A row of pandera's ``failure_cases``.
    row
        The participant's record as it was read.
    """
    column = case["column"]
    if case["check"] == "field_uniqueness":
        fault = "identifier on more than one row"
        return Reason.DUPLICATE_ID, fault, fault
    if case["check"] == "not_nullable":
        fault = f"{column} missing"
        return Reason.MISSING_COVARIATE, fault, fault
    code, _, fault = case["check"].partition(": ")
    if case["schema_context"] == "DataFrameSchema":
        stated = f"{row['bmi_kg_m2']} kg/m², {row['height_cm']} cm, {row['weight_kg']} kg"
        return Reason(code), fault, f"{stated}: {fault}"
    return Reason(code), f"{column} {fault}", f"{column} = {row[column]}: {fault}"


def check_not_systematic(faults: pd.DataFrame, participants: int, name: str) -> None:
    """Refuse a table in which most participants share a fault.

    Raises
    ------
    ValueError
        Naming the fault, an example and the remedy.
    """
    for fault, rows in faults.groupby("fault"):
        affected = rows["participant_id"].nunique()
        if affected > BROKEN_SHARE * participants:
            raise ValueError(
                f"{name}: {affected} of {participants} participants: {fault} "
                f"(e.g. {rows['detail'].iloc[0]}). So many point to the column's unit, decimal "
                "sign or coding, or to the ranges under curation in the parameter file"
            )

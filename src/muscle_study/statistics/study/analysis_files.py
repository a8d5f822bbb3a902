"""The analysis table as files for other programs: CSV, Parquet, Stata, and a codebook."""

from datetime import datetime

import pandas as pd

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.files import whole_file, write_table
from muscle_study.protocol.outcomes import COLUMNS, meaning, unit_of
from muscle_study.statistics.study.doubtful import accepted_scans, corrected_swaps, flagged_scans
from muscle_study.statistics.study.study import Study

#: Stata files hold the time of writing; a fixed one gives the same bytes each time.
WRITTEN = datetime(2000, 1, 1)

#: Oldest format of Stata that holds Unicode (Stata 14).
STATA_FORMAT = 118

#: Longest label of a variable in Stata.
LONGEST_LABEL = 80

#: Columns beside covariates, groups and measures: label and the table that they come from.
OTHERS = {
    "participant_id": ("identifier", "curated/participants.csv"),
    "annotated": ("has reference labels", "curated/participants.csv"),
    "split": ("split of the annotated participants", "curated/participants.csv"),
    "scan_flagged": ("a quality score is beyond its threshold", "curated/quality.csv"),
    "swap_corrected": ("water and fat were exchanged, and corrected", "curated/corrections.csv"),
    "scan_accepted": ("a reviewer accepted the scan", "curated/review.csv"),
    "source": ("measures of images, or simulated", "measurements/"),
}


def write_analysis(study: Study) -> list[str]:
    """Write ``analysis.csv``, ``.parquet`` and ``.dta``, and ``codebook.csv``; return their names.

    One row per described participant; flags are empty for simulated measures. Stata's format has
    no empty tables: without participants, that file is left out.
    """
    table = analysis_rows(study)
    codes = codebook(study, table)
    folder = study.paths.analysis
    write_table(table, folder / "analysis.csv")
    with whole_file(folder / "analysis.parquet") as beside:
        table.to_parquet(beside, index=False)
    labels = dict(zip(codes["name"], codes["label"].str.slice(0, LONGEST_LABEL), strict=True))
    (folder / "analysis.dta").unlink(missing_ok=True)
    if len(table):
        with whole_file(folder / "analysis.dta") as beside:
            _for_stata(table).to_stata(
                beside,
                write_index=False,
                version=STATA_FORMAT,
                time_stamp=WRITTEN,
                variable_labels=labels,
            )
    write_table(codes, folder / "codebook.csv")
    return sorted(path.name for path in folder.glob("[!.]*"))


def analysis_rows(study: Study) -> pd.DataFrame:
    """Return identifiers, covariates, groups, measures and flags, in this order."""
    people = study.everyone.copy()
    imaged = people["source"] == "imaged"
    for name, ids in (
        ("scan_flagged", flagged_scans(study.paths)),
        ("swap_corrected", corrected_swaps(study.paths)),
        ("scan_accepted", accepted_scans(study.paths)),
    ):
        people[name] = people["participant_id"].isin(ids).astype("boolean").where(imaged)
    for name in ("annotated", *(name for name in COLUMNS if name.endswith("_at_border"))):
        people[name] = people[name].astype("boolean")
    for name in ("sex", "split", "source"):
        people[name] = people[name].astype("category")
    wanted = ["participant_id", *(one.name for one in (*BUILT_IN, *study.covariates))]
    wanted += [*study.groupings, *COLUMNS, *OTHERS]
    order = [name for name in dict.fromkeys(wanted) if name in people]
    return people[order]


def codebook(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Return name, label, kind, unit, levels and source of every column of the analysis table."""
    covariates = {one.name: one for one in (*BUILT_IN, *study.covariates)}
    rows = []
    for name, values in table.items():
        label, unit, source = _about(name, study, covariates)
        is_text = isinstance(values.dtype, pd.CategoricalDtype)
        levels = "; ".join(map(str, values.cat.categories)) if is_text else ""
        kind = "categorical" if is_text else "flag" if values.dtype == "boolean" else "continuous"
        kind = "identifier" if name == "participant_id" else kind
        rows.append((name, label, kind, unit, levels, source))
    return pd.DataFrame(rows, columns=["name", "label", "kind", "unit", "levels", "source"])


def _about(name: str, study: Study, covariates: dict[str, Covariate]) -> tuple[str, str, str]:
    """Return a column's label, unit and source."""
    if name in covariates:
        one = covariates[name]
        label = f"{one.label}: {one.description}" if one.description else one.label
        return label, one.unit or "", "curated/participants.csv"
    if name in study.groupings:
        return f"group of {study.groupings[name].variable}", "", "parameters of the statistics"
    if name in OTHERS:
        label, source = OTHERS[name]
        return label, "", source
    return meaning(name), unit_of(name), "measurements/measures.csv"


def _for_stata(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table in Stata's types: flags become 0, 1 or missing."""
    flags = {
        name: values.astype("Float64").astype(float)
        for name, values in table.items()
        if values.dtype == "boolean"
    }
    texts = {
        name: values.cat.rename_categories(str)
        for name, values in table.items()
        if isinstance(values.dtype, pd.CategoricalDtype)
    }
    return table.assign(**flags, **texts)

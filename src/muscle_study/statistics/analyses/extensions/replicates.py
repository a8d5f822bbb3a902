"""Results of the replicate study: coverage, type-I error, shares below centiles."""

import pandas as pd

from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, interval

KEYS = ["kind", "outcome", "sex", "term"]

#: Level of the intervals, and of the tests.
CONFIDENCE, LEVEL = 0.95, 0.05

#: Coverage that counts as right (percent).
RIGHT = (93.0, 97.0)

#: Centiles checked in a new sample.
CHECKED_CENTILES = (3, 10, 50, 90, 97)

#: Kinds of intervals, as printed.
INTERVALS = {
    "regression": "regression coefficients",
    "standardised": "standardised coefficients",
    "correlation": "correlations",
    "interaction": "interactions",
    "allometry": "allometric exponents and effects",
    "secondary": "coefficients of secondary outcomes",
    "difference": "differences of means",
    "cohen_d": "Cohen's d",
    "eta_squared": "η²",
}


def replicates(found: pd.DataFrame, count: int, people: int, people_for_truth: int) -> Result:
    """Return the table and the numbers of a replicate study.

    Parameters
    ----------
    found
        `KEYS` and ``found`` of all replicates.
    count, people
        Number of populations, and of participants in each.
    people_for_truth
        Participants behind the true values that have no closed form.
    """
    table = summarise(found)
    text = pd.DataFrame(
        {
            "Result": name,
            "Number": format_number(len(rows)),
            "Nominal, %": format_number(rows["nominal"].iloc[0]),
            "Mean, %": format_number(rows["found"].mean(), 1),
            "Range, %": interval(rows["found"].min(), rows["found"].max(), 1),
            "Error, ±": format_number(rows["error"].max(), 1),
        }
        for name, rows in _groups(table).items()
    )
    caption = (
        f"Replicate study: {format_number(count)} synthetic populations of "
        f"{format_number(people)} participants each, drawn from the population model and analysed "
        "by the functions of the study; true measures, no images. Of each kind of result: number "
        "of results, mean and range of what was found, and the largest Monte-Carlo standard error "
        "of one. Intervals should cover the true value in 95 %; true values without closed form "
        f"are those of {format_number(people_for_truth)} people. No effect: outcomes permuted "
        "within a sex. The CSV file gives each result. Synthetic cohort: no real people."
    )
    numbers = _numbers(table, count, people)
    return Result("replicates", Table(table, text, caption), numbers=numbers)


def summarise(found: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over replicates of each result.

    Returns
    -------
    pandas.DataFrame
        `KEYS`, ``replicates``, and in percent ``nominal``, ``found`` and ``error``, the Monte-Carlo
        standard error of ``found``.
    """
    groups = found.groupby(KEYS, sort=False)["found"]
    table = groups.agg(replicates="count", found="mean", error="sem").reset_index()
    table["nominal"] = [
        float(row.term)
        if row.kind == "centile"
        else 100 * (LEVEL if row.kind == "level" else CONFIDENCE)
        for row in table.itertuples()
    ]
    table[["found", "error"]] *= 100
    return table[[*KEYS, "replicates", "nominal", "found", "error"]]


def _groups(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the results by kind, one row of the printed table each."""
    kinds = dict(list(table.groupby("kind")))
    groups = {f"intervals of {words}": kinds[kind] for kind, words in INTERVALS.items()}
    tests = kinds["level"].groupby("term", sort=False)
    groups |= {f"no effect: {test}": rows for test, rows in tests}
    shares = kinds["centile"].set_index("term")
    return groups | {
        f"share below centile {centile}, in a new sample": shares.loc[[str(centile)]]
        for centile in CHECKED_CENTILES
    }


def _numbers(table: pd.DataFrame, count: int, people: int) -> Numbers:
    """Return the size of the study and the range of its results."""
    numbers = Numbers()
    numbers.number("replicates.count", count)
    numbers.number("replicates.people", people)
    covered = table[table["kind"].isin(list(INTERVALS))]
    for name, rows in (("coverage", covered), ("rejection", table[table["kind"] == "level"])):
        numbers.number(f"replicates.{name}_estimates", len(rows))
        numbers.number(f"replicates.{name}_lowest", rows["found"].min(), 1, "%")
        numbers.number(f"replicates.{name}_highest", rows["found"].max(), 1, "%")
        numbers.number(f"replicates.{name}_error", rows["error"].max(), 1, "%")
    numbers.number("replicates.coverage_right", covered["found"].between(*RIGHT).sum())
    numbers.number("replicates.coverage_right_low", RIGHT[0], 0)
    numbers.number("replicates.coverage_right_high", RIGHT[1], 0, "%")
    centiles = table[table["kind"] == "centile"]
    miss = (centiles["found"] - centiles["nominal"]).abs().max()
    numbers.number("replicates.centile_miss", miss, 1, "percentage points")
    return numbers

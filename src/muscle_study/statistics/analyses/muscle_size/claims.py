"""What the paper's abstract says in words, beside what this run finds, with a verdict.

A synthetic run is calibrated to what the paper says, so that it can only be as it was calibrated or
not; that it agrees, or that it confirms anything, is for runs on real people to say.
"""

import pandas as pd

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.study.measures import AMONG, OUTCOMES
from muscle_study.statistics.study.study import Study

#: Correlations from here on are called strong (Cohen, Statistical Power Analysis, 1988).
STRONG = 0.5

#: Comparison that bears on a claim, the outcome, and the claim as printed.
DIFFERENCES = (
    ("sex", "csa", "CSA is larger in men"),
    ("sex", "gluteus", "gluteus volume is larger in men"),
    ("age_under_30", "csa", "CSA is highest below 30 years"),
    ("age_30_to_59", "gluteus", "gluteus volume is highest at 30–59 years"),
    ("bmi_split", "csa", "CSA is larger at BMI >25 kg/m²"),
    ("bmi_split", "gluteus", "gluteus volume is larger at BMI >25 kg/m²"),
)
CORRELATION = "gluteus volume correlates strongly with weight"

#: Verdicts by what the interval says: for it, against it, or neither.
VERDICTS = {
    True: {"for": "as calibrated", "against": "not as calibrated", "neither": "undecided"},
    False: {"for": "agrees", "against": "disagrees", "neither": "undecided"},
}


def claims(study: Study, tests: pd.DataFrame, correlations: pd.DataFrame) -> pd.DataFrame:
    """Judge the claims by the intervals of the comparisons and of the correlations.

    Returns
    -------
    pandas.DataFrame
        ``claim``, ``sex``, ``unit`` (empty for a correlation), ``digits``, ``value`` with ``low``
        and ``high``, ``verdict``: by whether the interval lies wholly above the claim's limit (0,
        or `STRONG`), wholly below, or holds it; empty where nothing could be estimated.
    """
    rows = []
    for comparison, name, claim in DIFFERENCES:
        chosen = (tests["comparison"] == comparison) & (tests["outcome"] == name)
        for test in tests[chosen].to_dict("records"):
            limits = [test[f"difference{end}"] for end in ("", "_low", "_high")]
            measure = OUTCOMES[name]
            rows.append([claim, test["sex"], measure.unit, measure.digits, *limits, 0.0])
    for row in correlations[correlations["with"] == "weight_kg"].to_dict("records"):
        limits = [row[name] for name in ("r", "low", "high")]
        rows.append([CORRELATION, row["sex"], "", 2, *limits, STRONG])
    columns = ["claim", "sex", "unit", "digits", "value", "low", "high", "limit"]
    table = pd.DataFrame(rows, columns=columns)
    words = VERDICTS[study.synthetic]
    table["verdict"] = [
        words["for" if row.low > row.limit else "against" if row.high < row.limit else "neither"]
        if pd.notna(row.value)
        else None
        for row in table.itertuples()
    ]
    return table


def claims_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the `claims` as a table of the manuscript."""
    text = [
        {
            "The paper's abstract": row["claim"],
            "Among": AMONG[row["sex"]],
            "This run (CI)": estimate(row["value"], row["low"], row["high"], row["digits"])
            + (f" {row['unit']}" if row["unit"] and pd.notna(row["value"]) else ""),
            "Verdict": MARK if pd.isna(row["value"]) else row["verdict"],
        }
        for row in table.to_dict("records")
    ]
    percent = format_number(100 * study.parameters.confidence)
    meaning = (
        "As calibrated: the interval lies on the side that the paper's words, and the synthetic "
        "cohort's coefficients, say; this is no finding."
        if study.synthetic
        else "Agrees: the interval lies on the side that the paper's words say."
    )
    caption = (
        f"What the paper's abstract says in words beside this run ({study.sizes}): the difference "
        "of means between the group named and all others of the sex, or Pearson's r, with "
        f"{percent} % confidence interval (CI). {meaning} Undecided: the interval holds 0, or, for "
        f"r, {format_number(STRONG, 1)}, from where on correlations are called strong. CSA: total "
        f"{study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "The paper's abstract")
    return Table(table, text, caption, name="claims")


def claim_numbers(table: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add how many claims were judged, and how many the run speaks for."""
    text = Text(numbers, cell)
    known = table.dropna(subset=["value"])
    text.number("claims.judged", len(known))
    words = {words["for"] for words in VERDICTS.values()}
    text.number("claims.held", known["verdict"].isin(words).sum())

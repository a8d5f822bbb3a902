"""Comparison of the abstract's statements with the run's estimates.

A synthetic cohort is calibrated to the published statements: its estimates can be as calibrated or
not. Only runs on real people can agree or disagree.
"""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.comparisons import compare
from muscle_study.statistics.analyses.muscle_size.correlation import correlations
from muscle_study.statistics.study.measures import AMONG, OUTCOMES
from muscle_study.statistics.study.study import Study

#: Correlations from here on are called strong (Cohen, Statistical Power Analysis, 1988).
STRONG = 0.5

#: Comparison that bears on a statement, the outcome, and the statement as printed.
DIFFERENCES = (
    ("sex", "csa", "CSA is larger in men"),
    ("sex", "gluteus", "gluteus volume is larger in men"),
    ("age_under_30", "csa", "CSA is highest below 30 years"),
    ("age_30_to_59", "gluteus", "gluteus volume is highest at 30–59 years"),
    ("bmi_split", "csa", "CSA is larger at BMI >25 kg/m²"),
    ("bmi_split", "gluteus", "gluteus volume is larger at BMI >25 kg/m²"),
)
CORRELATION = "gluteus volume correlates strongly with weight"

#: Verdicts on an interval above, below or around the statement's limit, by whether the run is
#: synthetic.
VERDICTS = {
    True: {"for": "as calibrated", "against": "not as calibrated", "neither": "undecided"},
    False: {"for": "agrees", "against": "disagrees", "neither": "undecided"},
}


def claims(study: Study) -> Result:
    """Assess the abstract's statements by the run's intervals."""
    judged = judge(study)
    text = [
        {
            "The paper's abstract": row["claim"],
            "Among": AMONG[row["sex"]],
            "This run (CI)": estimate(row["value"], row["low"], row["high"], row["digits"])
            + (f" {row['unit']}" if row["unit"] and pd.notna(row["value"]) else ""),
            "Verdict": MARK if pd.isna(row["value"]) else row["verdict"],
        }
        for row in judged.to_dict("records")
    ]
    percent = format_number(100 * study.parameters.confidence)
    meaning = (
        "As calibrated: the interval lies on the side of the published statement, to which the "
        "synthetic cohort is calibrated; this is no finding."
        if study.synthetic
        else "Agrees: the interval lies on the side of the published statement."
    )
    caption = (
        f"Statements of the paper's abstract beside this run ({study.sizes}): the difference "
        "of means between the group named and all others of the sex, or Pearson's r, with "
        f"{percent} % confidence interval (CI). {meaning} Undecided: the interval holds 0, or, for "
        f"r, {format_number(STRONG, 1)}, the limit of a strong correlation. CSA: total "
        f"{study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "The paper's abstract")
    known = judged.dropna(subset=["value"])
    numbers = Numbers()
    numbers.number("claims.judged", len(known))
    numbers.number("claims.held", known["verdict"].eq(VERDICTS[study.synthetic]["for"]).sum())
    return Result("claims", Table(judged, text, caption), numbers=numbers)


def judge(study: Study) -> pd.DataFrame:
    """Assess the statements by the intervals of comparisons and correlations.

    Returns
    -------
    pandas.DataFrame
        ``claim``, ``sex``, ``unit`` (empty for a correlation), ``digits``, ``value`` with ``low``
        and ``high``, ``limit`` (0, or `STRONG`), and ``verdict``; empty where nothing could be
        estimated.
    """
    tests, related = study.once(compare), study.once(correlations)
    rows = []
    for comparison, name, claim in DIFFERENCES:
        chosen = (tests["comparison"] == comparison) & (tests["outcome"] == name)
        for test in tests[chosen].to_dict("records"):
            limits = [test[f"difference{end}"] for end in ("", "_low", "_high")]
            measure = OUTCOMES[name]
            rows.append([claim, test["sex"], measure.unit, measure.digits, *limits, 0.0])
    for row in related[related["with"] == "weight_kg"].to_dict("records"):
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

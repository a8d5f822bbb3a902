"""Agreement of the measures with the synthetic cohort's known truth."""

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import SUPPRESSED
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, count, without_repeats
from muscle_study.statistics.analyses.segmentation.bland_altman import (
    EXPLAINED,
    agreement_cells,
    draw_outcomes,
    shown,
)
from muscle_study.statistics.analyses.segmentation.quality import has_truth
from muscle_study.statistics.study.measures import MEASURES, OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: Printed groups of participants: test split, and all outside training.
GROUPS = {"test": "test", "unseen": "unseen"}
BY_SEX = {f"unseen_{sex}": f"unseen {word.lower()}" for sex, word in SEXES.items()}


def agreement(study: Study) -> Result | Absent:
    """Return bias, limits of agreement and ICC of the main measures."""
    if not has_truth(study):
        return Absent("agreement", "the true sizes are known of synthetic cohorts only")
    table = shown(read_table(study.paths.measurements / "agreement.csv"), study.min_count)
    return Result("agreement", _table(study, table), _picture(study, table), _numbers(study, table))


def _table(study: Study, table: pd.DataFrame) -> Table:
    table = table.assign(n=study.rounded(table["n"]))
    outcomes = [outcome.column for outcome in OUTCOMES.values()]
    text = []
    for measure in (measure for measure in MEASURES if measure.column in set(table["measure"])):
        rows = table[table["measure"] == measure.column].set_index("group")
        # biases of opposite sign would cancel in the whole
        named = GROUPS | (BY_SEX if measure.column in outcomes else {})
        for group in (name for name in named if name in rows.index):
            row = rows.loc[group]
            text.append(
                {
                    "Measure": measure.title(study.psoas),
                    "Participants": f"{named[group]}, n = {count(row['n'], pd.isna(row['n']))}",
                    **agreement_cells(row, measure),
                }
            )
    caption = (
        "Agreement of the measures with the synthetic cohort's known truth: bias (measured − "
        "truth) with confidence interval (CI), limits of agreement (Bland and Altman), and "
        "intraclass correlation (ICC). Test: the annotated participants kept for testing; unseen: "
        "these and all who were never annotated, so that none was seen in training; men and women "
        "apart for both outcomes." + study.stand_in + study.imaged_only + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Measure"), caption)


def _picture(study: Study, table: pd.DataFrame) -> Picture:
    errors = read_table(study.paths.measurements / "errors.csv")
    pairs = study.measures.merge(errors, on="participant_id", suffixes=("", "_difference"))
    statistics = table[table["group"] == "unseen"].set_index("measure")
    figure, lines = draw_outcomes(study, pairs, statistics, ("measured", "truth"))
    n = len(pairs)
    size = f" (n = {format_number(study.rounded(n))})" if n >= study.min_count else ""
    caption = (
        f"Agreement with the known truth in all participants never seen in training{size}: "
        f"difference measured − truth against the mean of both; {EXPLAINED}"
        + study.stand_in
        + study.imaged_only
        + study.origin
    )
    return Picture(figure, caption, lines)


def _numbers(study: Study, table: pd.DataFrame) -> Numbers:
    """Return the agreement in participants never seen in training, together and by sex."""
    numbers = Numbers()
    found = table.set_index(["group", "measure"])
    most = table.loc[table["group"] == "unseen", "n"].max()
    numbers.number("agreement.participants", study.rounded(most), otherwise=SUPPRESSED)
    groups = {"": "unseen"} | {f"_{word.lower()}": f"unseen_{sex}" for sex, word in SEXES.items()}
    for name, outcome in OUTCOMES.items():
        row, key = found.loc[("unseen", outcome.column)], f"agreement.{name}"
        digits, unit = outcome.digits, outcome.unit
        numbers.limits(f"{key}_loa", row["loa_low"], row["loa_high"], digits, unit)
        numbers.number(f"{key}_icc", row["icc"], 3)
        for ending, group in groups.items():
            row = found.loc[(group, outcome.column)]
            numbers.number(f"{key}_bias{ending}", row["bias"], digits, unit)
            limits = row["bias_low"], row["bias_high"]
            numbers.limits(f"{key}_bias{ending}_ci", *limits, digits, before=study.ci)
    return numbers

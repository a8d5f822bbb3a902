"""The numbers that the manuscript's text needs, under their names."""

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import SUPPRESSED
from muscle_study.publishing.numbers import format_number, format_p, interval
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES, add_weight_correlation
from muscle_study.statistics.analyses.muscle_size.measures import add_means
from muscle_study.statistics.analyses.muscle_size.regression import TERM_TEXT, coefficient_digits
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: Stands in the text for what the data do not suffice for.
NOT_ESTIMABLE = "not estimable"

#: So many estimates that miss the truth are named in the text; more are counted.
MOST_NAMED = 3


class Text:
    """Adds numbers of one notebook cell, saying in words what cannot be given.

    Parameters
    ----------
    numbers
        Collects them.
    cell
        Label of the notebook cell.
    """

    def __init__(self, numbers: CellNumbers, cell: str):
        self.numbers, self.cell = numbers, cell

    def number(
        self,
        name: str,
        value: float,
        digits: int = 0,
        unit: str = "",
        otherwise: str = NOT_ESTIMABLE,
    ) -> None:
        """Add a number, or `otherwise` where it is NaN."""
        if pd.isna(value):
            self.word(name, otherwise)
        else:
            self.numbers.add(name, value, self.cell, digits, unit)

    def word(self, name: str, text: str, value: float | None = None) -> None:
        """Add a word."""
        self.numbers.add_text(name, text, self.cell, value)

    def p(self, name: str, value: float) -> None:
        """Add a p-value."""
        if pd.isna(value):
            self.word(name, NOT_ESTIMABLE)
        else:
            self.word(name, format_p(value), float(value))

    def limits(
        self, name: str, low: float, high: float, digits: int, unit: str = "", before: str = ""
    ) -> None:
        """Add an interval."""
        if pd.isna(low):
            self.word(name, NOT_ESTIMABLE)
        else:
            behind = f"\u00a0{unit}" if unit else ""
            self.word(name, before + interval(low, high, digits) + behind)


def _confidence(study: Study) -> str:
    return f"{format_number(100 * study.parameters.confidence, 0, '%')} CI "


def regression_numbers(
    study: Study, coefficients: pd.DataFrame, numbers: CellNumbers, cell: str
) -> None:
    """Add the coefficients of the pooled models."""
    text = Text(numbers, cell)
    pooled = coefficients[coefficients["sex"] == "both"].set_index(["outcome", "term"])
    for name, outcome in OUTCOMES.items():
        for term in ("age", "bmi", "sex"):
            row = pooled.loc[(name, term)]
            digits = coefficient_digits(outcome, term)
            key = f"regression.{name}.{term}"
            text.number(key, row["coefficient"], digits, outcome.unit)
            text.limits(f"{key}_ci", row["low"], row["high"], digits, before=_confidence(study))
            text.p(f"{key}_p", row["p"])
        text.number(f"regression.{name}.r2", pooled.loc[(name, "age")]["r2"], 2)


def recovery_numbers(recovered: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add how many intervals cover the true coefficient, and how far the estimates are from it."""
    text = Text(numbers, cell)
    estimated = recovered.dropna(subset=["value_all"])
    percent = 100 * ((estimated["value_all"] - estimated["true"]) / estimated["true"]).abs()
    text.number("recovery.coefficients", len(estimated))
    text.number("recovery.covered", estimated["covers_all"].sum())
    text.number("recovery.covered_imaged", estimated["covers_imaged"].sum())
    text.word("recovery.missed", _missed(estimated[estimated["covers_all"] == False]))  # noqa: E712
    text.number("recovery.median_percent", percent.median(), 1, "%")


def _missed(estimates: pd.DataFrame) -> str:
    """Name the estimates whose intervals miss the true value, or count them."""
    if estimates.empty:
        return "none missed"
    if len(estimates) > MOST_NAMED:
        return f"{len(estimates)} missed"
    named = []
    for row in estimates.to_dict("records"):
        outcome, term = OUTCOMES[row["outcome"]], row["term"]
        is_correlation = row["kind"] == "correlation"
        size = SIZES.get(term, "")
        with_size = f"correlation with {size if size.isupper() else size.lower()}"
        what = with_size if is_correlation else TERM_TEXT[term]
        unit = "" if is_correlation else f"\u00a0{outcome.unit}"
        digits = 2 if is_correlation else coefficient_digits(outcome, term)
        numbers = [format_number(row[name], digits) for name in ("value_all", "true")]
        people = "" if row["sex"] == "both" else f" in {SEXES[row['sex']].lower()}"
        name = SHORT_NAMES[row["outcome"]].split(" (")[0]
        named.append(f"{name}, {what}{people} ({numbers[0]} for {numbers[1]}{unit})")
    return "missed: " + "; ".join(named)


def imaged_numbers(study: Study, numbers: CellNumbers, cell: str) -> None:
    """Add the outcomes' means and correlations in the imaged alone, and who gave the errors."""
    text = Text(numbers, cell)
    add_means(text, study.imaged, "imaged.")
    add_weight_correlation(text, study.imaged, "imaged.")
    donors = read_table(study.paths.measurements / "donors.csv").set_index("sex")
    text.number("simulation.nearest", donors["nearest"].min())
    for sex, word in SEXES.items():
        n = donors["donors"].get(sex, np.nan)
        few = n < study.min_count
        text.number(
            f"simulation.donors_{word.lower()}",
            np.nan if few else study.rounded(n),
            otherwise=SUPPRESSED,
        )

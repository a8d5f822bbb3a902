"""Secondary outcomes: asymmetry between the sides, and the fat fraction of the muscles."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import paper_coefficients
from muscle_study.statistics.methods.comparisons import holm
from muscle_study.statistics.study.measures import AMONG, GLUTEUS_FAT, MEASURES, PSOAS_FAT
from muscle_study.statistics.study.models import coefficient_digits, term_text
from muscle_study.statistics.study.study import Study

#: Asymmetry is signed: positive where the right side is larger.
SECONDARY = (
    *(measure for measure in MEASURES if measure.column.endswith("asymmetry_percent")),
    PSOAS_FAT,
    GLUTEUS_FAT,
)


def secondary(study: Study) -> Result:
    """Regress the secondary outcomes on age, BMI and sex, like the primary ones."""
    table = secondary_coefficients(study)
    measures = {measure.column: measure for measure in SECONDARY}
    text = []
    for row in table[table["term"] != "intercept"].to_dict("records"):
        measure = measures[row["outcome"]]
        missing = pd.isna(row["p"])
        digits = coefficient_digits(measure, row["term"]) + 1
        text.append(
            {
                "Outcome": measure.title(study.psoas),
                "Among": AMONG[row["sex"]],
                "Term": term_text(study, row["term"]),
                "Coefficient (CI)": estimate(row["coefficient"], row["low"], row["high"], digits),
                "p": MARK if missing else format_p(row["p"]),
                "p, Holm": MARK if missing else format_p(row["p_holm"]),
                "Partial R²": MARK if missing else format_number(row["partial_r2"], 3),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Secondary outcomes: linear regression on age, BMI and sex ({study.sizes}), with "
        f"{percent} % confidence intervals (CI) and p-values from HC3 errors, Holm's correction "
        "over all rows. Asymmetry: (right − left) / mean of both sides. Coefficients are in "
        f"percentage points. CSA: cross-sectional area. {MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Result("secondary", Table(table, text, caption))


def secondary_coefficients(study: Study) -> pd.DataFrame:
    """Return `regression.coefficients` by the measures' columns; ``p_holm`` over all rows."""
    measures = {measure.column: measure for measure in SECONDARY if measure.column in study.people}
    table = paper_coefficients(study, measures)
    tested = table["p"].where(table["term"] != "intercept")
    return table.assign(p_holm=holm(tested))

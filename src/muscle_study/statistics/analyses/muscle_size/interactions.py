"""Whether age and BMI act alike in men and women, and alike on each other."""

import pandas as pd

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import COLUMNS, fit, model_data
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.methods.comparisons import holm
from muscle_study.statistics.study.measures import OUTCOMES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: Products of covariates, and how they are printed. Age and BMI are centred at their means, so that
#: the other terms of the model keep their meaning and are not collinear with the products.
TERM_TEXT = {
    "age_male": "age × sex: men − women, per year",
    "bmi_male": "BMI × sex: men − women, per kg/m²",
    "age_bmi": "age × BMI, per year and kg/m²",
}


def interactions(study: Study) -> pd.DataFrame:
    """Fit both outcomes on age, BMI, sex and their `TERM_TEXT` products, with HC3 errors.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``term``, the columns of a regression's terms, and ``p_holm`` over all rows.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        data = model_data(study, outcome, "both")
        fitted = None
        if data is not None:
            age, bmi = (data[column] - data[column].mean() for column in ("age_years", "bmi_kg_m2"))
            data = data.assign(
                age=age, bmi=bmi, age_male=age * data["male"], bmi_male=bmi * data["male"],
                age_bmi=age * bmi,
            )  # fmt: skip
            covariates = ["age", "bmi", "male", *TERM_TEXT]
            fitted = fit(data, "outcome", covariates, study.parameters.confidence)
        if fitted is None:
            terms = pd.DataFrame({"term": list(TERM_TEXT)}).reindex(columns=["term", *COLUMNS])
        else:
            terms = fitted.terms[fitted.terms["term"].isin(list(TERM_TEXT))]
        rows.append(terms.assign(outcome=name))
    table = pd.concat(rows, ignore_index=True)
    table["p_holm"] = holm(table["p"])
    return table[["outcome", "term", *COLUMNS, "p_holm"]]


def interactions_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the `interactions` as a table of the manuscript."""
    text = []
    for row in table.to_dict("records"):
        missing = pd.isna(row["p"])
        digits = OUTCOMES[row["outcome"]].digits + (2 if row["term"] == "age_bmi" else 1)
        text.append(
            {
                "Outcome": SHORT_NAMES[row["outcome"]],
                "Interaction": TERM_TEXT[row["term"]],
                "Coefficient (CI)": estimate(
                    row["coefficient"], row["low"], row["high"], digits + 1
                ),
                "p": MARK if missing else format_p(row["p"]),
                "p, Holm": MARK if missing else format_p(row["p_holm"]),
                "Partial R²": MARK if missing else format_number(row["partial_r2"], 4),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Interactions in the regression of both outcomes on age, BMI and sex ({study.sizes}): one "
        f"model an outcome with all three products, age and BMI centred; {percent} % confidence "
        "intervals (CI) and p-values from HC3 errors, Holm's correction over all rows. Partial R²: "
        "share that the product explains of what everything else leaves over. "
        f"CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    return Table(
        table, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="interactions"
    )


def interaction_numbers(table: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add p-values, corrected, of the interactions."""
    text = Text(numbers, cell)
    for row in table.to_dict("records"):
        text.p(f"interaction.{row['outcome']}.{row['term']}_p", row["p_holm"])

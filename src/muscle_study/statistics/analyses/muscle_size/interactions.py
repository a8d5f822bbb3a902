"""Interactions of age and BMI with sex and with each other."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.methods.comparisons import holm
from muscle_study.statistics.methods.linear import COLUMNS, fit
from muscle_study.statistics.study.measures import OUTCOMES, SHORT_NAMES
from muscle_study.statistics.study.models import model_data
from muscle_study.statistics.study.study import Study

#: Products of covariates, and how they are printed. Age and BMI are centred at their means, so that
#: the other terms of the model keep their meaning and are not collinear with the products.
TERM_TEXT = {
    "age_male": "age × sex: men − women, per year",
    "bmi_male": "BMI × sex: men − women, per kg/m²",
    "age_bmi": "age × BMI, per year and kg/m²",
}


def fit_interactions(study: Study) -> pd.DataFrame:
    """Fit both outcomes on age, BMI, sex and their `TERM_TEXT` products, with HC3 errors.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``term``, the columns of a regression's terms, ``p_holm`` over all rows, and
        ``n``, ``standard_error`` and ``degrees_of_freedom``.
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
            terms = pd.DataFrame({"term": list(TERM_TEXT)})
        else:
            terms = fitted.terms[fitted.terms["term"].isin(list(TERM_TEXT))].assign(
                n=study.rounded(fitted.n), degrees_of_freedom=fitted.result.df_resid
            )
        rows.append(terms.assign(outcome=name))
    table = pd.concat(rows, ignore_index=True).reindex(
        columns=["outcome", "term", *COLUMNS, "p_holm", "n", "standard_error", "degrees_of_freedom"]
    )
    return table.assign(p_holm=holm(table["p"]))


def interactions(study: Study) -> Result:
    """Return the interactions, and their corrected p-values as numbers."""
    table = fit_interactions(study)
    numbers = Numbers()
    for row in table.to_dict("records"):
        numbers.p(f"interaction.{row['outcome']}.{row['term']}_p", row["p_holm"])
    return Result("interactions", _table(study, table), numbers=numbers)


def _table(study: Study, table: pd.DataFrame) -> Table:
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
        "share of the variance left by the other terms that the product explains. "
        f"CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption)

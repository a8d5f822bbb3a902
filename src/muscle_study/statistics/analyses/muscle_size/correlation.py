"""Correlation of gluteus volume with body size."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate
from muscle_study.statistics.methods.correlation import pearson
from muscle_study.statistics.study.measures import OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: What gluteus volume is correlated with.
SIZES = {"weight_kg": "Weight", "height_cm": "Height", "bmi_kg_m2": "BMI"}


def correlations(study: Study) -> pd.DataFrame:
    """Correlate gluteus volume with weight, height and BMI in each sex."""
    rows = []
    for size in SIZES:
        for sex in SEXES:
            people = study.of_sex(sex)
            if sex in study.hidden_sexes:
                people = people.iloc[:0]
            found = pearson(
                OUTCOMES["gluteus"].values(people), people[size], study.parameters.confidence
            )
            found["n"] = (
                study.rounded(found["n"]) if found["n"] >= study.min_count else float("nan")
            )
            rows.append({"with": size, "sex": sex, **found})
    return pd.DataFrame(rows)


def correlation_table(study: Study, found: pd.DataFrame) -> Table:
    """Return the correlations as a table of the manuscript."""
    text = [
        {
            "Gluteus volume with": SIZES[row["with"]],
            "Sex": SEXES[row["sex"]],
            "r (CI)": estimate(row["r"], row["low"], row["high"], 2),
            "r²": MARK if pd.isna(row["r"]) else format_number(row["r"] ** 2, 2),
            "p": MARK if pd.isna(row["p"]) else format_p(row["p"]),
        }
        for row in found.to_dict("records")
    ]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Pearson correlation of total gluteus volume with body size by sex ({study.sizes}), with "
        f"{percent} % confidence interval (CI) on Fisher's z, with errors that need no normal "
        f"distribution. {MARK}: not estimable." + study.origin
    )
    return Table(found, pd.DataFrame(text), caption, name="correlation")

"""Correlation of gluteus volume with body size."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate
from muscle_study.statistics.methods.correlation import pearson
from muscle_study.statistics.study.measures import GLUTEUS, SEXES
from muscle_study.statistics.study.study import Study

#: Measures of body size that gluteus volume is correlated with.
SIZES = {"weight_kg": "Weight", "height_cm": "Height", "bmi_kg_m2": "BMI"}


def correlation(study: Study) -> Result:
    """Correlate gluteus volume with weight, height and BMI in each sex."""
    found = study.once(correlations)
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
    numbers = Numbers()
    add_weight_correlation(numbers, study)
    return Result("correlation", Table(found, pd.DataFrame(text), caption), numbers=numbers)


def correlations(study: Study) -> pd.DataFrame:
    """Return ``with``, ``sex`` and what `pearson` gives of gluteus volume and `SIZES`."""
    rows = []
    for size in SIZES:
        for sex in SEXES:
            people = study.shown_of_sex(sex)
            found = pearson(GLUTEUS.values(people), people[size], study.parameters.confidence)
            n = found["n"] if found["n"] >= study.min_count else float("nan")
            rows.append({"with": size, "sex": sex, **found, "n": study.rounded(n)})
    return pd.DataFrame(rows)


def add_weight_correlation(numbers: Numbers, study: Study, prefix: str = "") -> None:
    """Add the correlation with weight in each sex, under names that begin with `prefix`."""
    found = study.once(correlations).set_index(["with", "sex"]).loc["weight_kg"]
    for sex, word in SEXES.items():
        row, key = found.loc[sex], f"{prefix}correlation.weight_{word.lower()}"
        numbers.number(key, row["r"], 2)
        numbers.limits(f"{key}_ci", row["low"], row["high"], 2, before=study.ci)

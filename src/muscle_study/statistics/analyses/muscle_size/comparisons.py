"""Tests between groups, with effect sizes."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, interval, unbroken, without_repeats
from muscle_study.statistics.methods.comparisons import (
    comparable,
    holm,
    several_groups,
    two_groups,
)
from muscle_study.statistics.study.measures import AMONG, OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: Columns of a test; NaN where it has no such value, or could not be made.
COLUMNS = [
    "statistic",
    "df1",
    "df2",
    "p",
    "difference",
    "difference_low",
    "difference_high",
    "cohen_d",
    "cohen_d_low",
    "cohen_d_high",
    "hedges_g",
    "eta_squared",
    "eta_squared_low",
    "eta_squared_high",
]

#: Comparisons of several groups, which have no single difference.
SEVERAL = ("age_group", "bmi_group")

#: Age contrasts of the paper's abstract, lower and upper limit (years): the group inside the limits
#: is the one that the abstract calls larger.
AGE_CONTRASTS = {"age_under_30": (0, 30), "age_30_to_59": (30, 60)}

#: Names of the comparisons in the table.
COMPARISONS = {
    "sex": "men − women",
    "age_group": "age groups",
    "age_under_30": "age <30 − ≥30 years",
    "age_30_to_59": "age 30–59 − other years",
    "bmi_group": "BMI groups",
    "bmi_split": "BMI ≥25 − <25 kg/m²",
}


def compare_groups(study: Study) -> Result:
    """Compare both outcomes between the sexes, and between groups of age and of BMI."""
    compared = study.once(compare)
    text = [
        {
            "Outcome": SHORT_NAMES[test["outcome"]],
            "Comparison": COMPARISONS[test["comparison"]],
            "Among": AMONG[test["sex"]],
            "Difference (CI)": _difference(test),
            "p": MARK if pd.isna(test["p"]) else format_p(test["p"]),
            "p, Holm": MARK if pd.isna(test["p_holm"]) else format_p(test["p_holm"]),
            "Effect (CI)": _effect(test),
        }
        for test in compared.to_dict("records")
    ]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Comparisons of means ({study.sizes}). CSA: total {study.psoas} cross-sectional area. Two "
        f"groups: Welch's t-test, difference with {percent} % confidence interval (CI), "
        "Cohen's d (pooled SD). Several groups: Welch's analysis of variance, η² = "
        "between-group / total sum of squares, its CI by the noncentral F distribution. Holm's "
        "correction is over all comparisons made. The CSV file gives the statistics as well. "
        f"Groups of fewer than {max(2, study.min_count)}, or without any variation, are left out; "
        f"{MARK}: not estimable." + study.origin
    )
    table = Table(compared, without_repeats(pd.DataFrame(text), "Outcome"), caption)
    return Result("tests", table, numbers=_numbers(compared))


def compare(study: Study) -> pd.DataFrame:
    """Return all comparisons of both outcomes: a row each, `COLUMNS` and Holm's p.

    Men are compared with women, and in each sex the age groups, the paper's contrasts of age, the
    BMI groups, and BMI from 25 kg/m² on with BMI below. Holm's correction is over all of them.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        both = study.people
        found = _pair(study, outcome.values(both), both["sex"], ("male", "female"))
        rows.append({"outcome": name, "comparison": "sex", "sex": "both", **found})
        for sex in SEXES:
            people = study.of_sex(sex)
            values = outcome.values(people)
            of_sex = {one: _several(study, values, people[one]) for one in SEVERAL}
            for contrast, (low, high) in AGE_CONTRASTS.items():
                inside = people["age_years"].between(low, high, inclusive="left")
                of_sex[contrast] = _pair(study, values, inside, (True, False))
            below, above = study.groupings["bmi_split"].labels
            of_sex["bmi_split"] = _pair(study, values, people["bmi_split"], (above, below))
            rows += [
                {"outcome": name, "comparison": comparison, "sex": sex, **found}
                for comparison, found in of_sex.items()
            ]
    table = pd.DataFrame(rows, columns=["outcome", "comparison", "sex", *COLUMNS])
    table["p_holm"] = holm(table["p"])
    return table


def _pair(study: Study, values: pd.Series, groups: pd.Series, order: tuple) -> dict[str, float]:
    if set(order) - set(comparable(values, groups, study.min_count)):
        return {}
    first, second = (values[groups == group].dropna() for group in order)
    return two_groups(first, second, study.parameters.confidence)


def _several(study: Study, values: pd.Series, groups: pd.Series) -> dict[str, float]:
    usable = comparable(values, groups, study.min_count)
    if len(usable) < 2:
        return {}
    kept = groups.isin(usable) & values.notna()
    return several_groups(values[kept], groups[kept], study.parameters.confidence)


def _difference(test: dict) -> str:
    if test["comparison"] in SEVERAL:
        return ""
    limits = (test[f"difference{end}"] for end in ("", "_low", "_high"))
    return estimate(*limits, OUTCOMES[test["outcome"]].digits)


def _effect(test: dict) -> str:
    for name, sign, digits in (("cohen_d", "d", 2), ("eta_squared", "η²", 3)):
        if pd.notna(test[name]):
            limits = interval(test[f"{name}_low"], test[f"{name}_high"], digits)
            return f"{unbroken(f'{sign} = {format_number(test[name], digits)}')} ({limits})"
    return MARK


def _numbers(compared: pd.DataFrame) -> Numbers:
    """Return the p-values, not corrected, and the effect sizes."""
    numbers = Numbers()
    found = compared.set_index(["outcome", "comparison", "sex"])
    for name in OUTCOMES:
        both = found.loc[(name, "sex", "both")]
        numbers.number(f"{name}.sex_d", both["cohen_d"], 2)
        numbers.p(f"{name}.sex_p", both["p"])
        for sex, word in SEXES.items():
            for short, comparison in (("age", "age_group"), ("bmi", "bmi_group")):
                test = found.loc[(name, comparison, sex)]
                numbers.p(f"{name}.{short}_p_{word.lower()}", test["p"])
                numbers.number(f"{name}.{short}_eta_{word.lower()}", test["eta_squared"], 3)
            split = found.loc[(name, "bmi_split", sex)]
            numbers.number(f"{name}.bmi_d_{word.lower()}", split["cohen_d"], 2)
    return numbers

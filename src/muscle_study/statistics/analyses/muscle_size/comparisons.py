"""Tests between groups, with effect sizes."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate, interval, unbroken, without_repeats
from muscle_study.statistics.methods.comparisons import (
    comparable,
    holm,
    several_groups,
    two_groups,
)
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: What a row of the tests holds; a comparison that cannot be made has NaN.
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

#: Comparisons of several groups, which have no one difference.
SEVERAL = ("age_group", "bmi_group")

#: Contrasts of age that the paper's abstract names: the first of the groups is the one that it
#: says has the larger measure; limits are the youngest and the first older age (years).
AGE_CONTRASTS = {"age_under_30": (0, 30), "age_30_to_59": (30, 60)}

#: Inside the limits, and all others.
IN_OUT = ("in", "out")


def compare(study: Study) -> pd.DataFrame:
    """Return all comparisons of both outcomes: a row each, `COLUMNS` and Holm's p.

    Women are compared with men, and in each sex the age groups, the paper's contrasts of age, the
    BMI groups, and BMI from 25 kg/m² on with BMI below. Holm's correction is over all of them.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        values = outcome.values(study.people)
        rows.append(
            {
                "outcome": name,
                "comparison": "sex",
                "sex": "both",
                **_pair(study, values, study.people["sex"], ("male", "female")),
            }
        )
        for sex in SEXES:
            people = study.of_sex(sex)
            values = outcome.values(people)
            for grouping in SEVERAL:
                rows.append(
                    {
                        "outcome": name,
                        "comparison": grouping,
                        "sex": sex,
                        **_several(study, values, people[grouping]),
                    }
                )
            for contrast, (youngest, older) in AGE_CONTRASTS.items():
                inside = people["age_years"].between(youngest, older, inclusive="left")
                rows.append(
                    {
                        "outcome": name,
                        "comparison": contrast,
                        "sex": sex,
                        **_pair(study, values, inside.map({True: "in", False: "out"}), IN_OUT),
                    }
                )
            below, above = study.groupings["bmi_split"].labels
            rows.append(
                {
                    "outcome": name,
                    "comparison": "bmi_split",
                    "sex": sex,
                    **_pair(study, values, people["bmi_split"], (above, below)),
                }
            )
    table = pd.DataFrame(rows, columns=["outcome", "comparison", "sex", *COLUMNS])
    table["p_holm"] = holm(table["p"])
    return table


def _pair(study: Study, values: pd.Series, groups: pd.Series, order: tuple[str, str]) -> dict:
    if set(order) - set(comparable(values, groups, study.min_count)):
        return {}
    first, second = (values[groups == group].dropna() for group in order)
    return two_groups(first, second, study.parameters.confidence)


def _several(study: Study, values: pd.Series, groups: pd.Series) -> dict:
    usable = comparable(values, groups, study.min_count)
    if len(usable) < 2:
        return {}
    kept = groups.isin(usable) & values.notna()
    return several_groups(values[kept], groups[kept], study.parameters.confidence)


_COMPARISONS = {
    "sex": "men − women",
    "age_group": "age groups",
    "age_under_30": "age <30 − ≥30 years",
    "age_30_to_59": "age 30–59 − other years",
    "bmi_group": "BMI groups",
    "bmi_split": "BMI ≥25 − <25 kg/m²",
}


def comparisons_table(study: Study, tests: pd.DataFrame) -> Table:
    """Return the tests as a table of the manuscript."""
    among = {"both": "All", **SEXES}
    text = []
    for test in tests.to_dict("records"):
        name = test["outcome"]
        outcome = OUTCOMES[name]
        text.append(
            {
                "Outcome": SHORT_NAMES[name],
                "Comparison": _COMPARISONS[test["comparison"]],
                "Among": among[test["sex"]],
                "Difference (CI)": ""
                if test["comparison"] in SEVERAL
                else estimate(
                    test["difference"],
                    test["difference_low"],
                    test["difference_high"],
                    outcome.digits,
                ),
                "p": MARK if pd.isna(test["p"]) else format_p(test["p"]),
                "p, Holm": MARK if pd.isna(test["p_holm"]) else format_p(test["p_holm"]),
                "Effect (CI)": _effect(test),
            }
        )
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
    return Table(tests, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="tests")


def _effect(test: dict) -> str:
    for name, sign, digits in (("cohen_d", "d", 2), ("eta_squared", "η²", 3)):
        if pd.notna(test[name]):
            limits = interval(test[f"{name}_low"], test[f"{name}_high"], digits)
            return f"{unbroken(f'{sign} = {format_number(test[name], digits)}')} ({limits})"
    return MARK

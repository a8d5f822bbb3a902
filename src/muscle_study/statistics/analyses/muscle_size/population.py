"""The study population by sex: covariates, age groups and BMI groups."""

import numpy as np
import pandas as pd

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.publishing.disclosure import MARK, SUPPRESSED, protect
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, count, mean_sd, suppression_note
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.study import Study

#: Row of the participants without a level.
MISSING = "missing"


def population(study: Study) -> Result:
    """Describe the study population by sex."""
    continuous = [one for one in (*BUILT_IN, *study.covariates) if one.kind == "continuous"]
    described = {
        (one.name, sex): describe(study.shown_of_sex(sex)[one.name], study.min_count)
        for one in continuous
        for sex in SEXES
    }
    grouped = shares(study)
    titles = {one.name: one.title for one in continuous}
    data = pd.concat(
        [
            pd.DataFrame(
                {"characteristic": titles[name], "sex": sex, **values}
                for (name, sex), values in described.items()
            ),
            grouped.rename(columns={"grouping": "characteristic", "hidden": "suppressed"}),
        ]
    )
    rows = [
        ["Participants, n"]
        + [count(study.rounded(len(study.of_sex(sex))), sex in study.hidden_sexes) for sex in SEXES]
    ]
    rows += [
        [f"{one.title}, mean ± SD"]
        + [
            mean_sd(described[one.name, sex]["mean"], described[one.name, sex]["sd"], one.digits)
            for sex in SEXES
        ]
        for one in continuous
    ]
    rows += _group_rows(study, grouped)
    text = pd.DataFrame(rows, columns=["Characteristic", *SEXES.values()])
    caption = (
        "Study population by sex: measured adults whose sex, age, height and weight are known "
        f"({study.sizes}). "
        "BMI: body mass index. SD: standard deviation."
        + suppression_note(text, study.min_count)
        + study.origin
    )
    return Result("population", Table(data, text, caption), numbers=_numbers(described))


def shares(study: Study) -> pd.DataFrame:
    """Return ``n``, ``percent`` and ``hidden`` by sex and group of age, BMI and covariates."""
    counts = [study.group_counts]
    counts += [level_counts(study, covariate) for covariate in study.covariates if covariate.levels]
    counts = pd.concat(counts, ignore_index=True)
    counts["n"] = study.rounded(counts["n"])
    grouped = counts.merge(
        counts.groupby(["sex", "grouping"], as_index=False)["n"].sum(),
        on=["sex", "grouping"],
        suffixes=("", "_sex"),
    )
    grouped["percent"] = 100 * grouped["n"] / grouped["n_sex"]
    grouped.loc[grouped["hidden"], ["n", "percent"]] = float("nan")
    return grouped[["sex", "grouping", "group", "n", "percent", "hidden"]]


def level_counts(study: Study, covariate: Covariate) -> pd.DataFrame:
    """Count participants by sex and level of a covariate, as `count_groups` does by group.

    Participants without a level have a row of their own where there are any: together with the
    sex's total, the levels alone would give their number away.
    """
    rows = []
    for sex in SEXES:
        levels = study.of_sex(sex)[covariate.name]
        cells = {level: int((levels == level).sum()) for level in covariate.level_names}
        if without := int(levels.isna().sum()):
            cells[MISSING] = without
        hidden = np.ones(len(cells), bool)
        if sex not in study.hidden_sexes:  # the sex's own count, the last, is shown already
            sums = np.vstack([np.eye(len(cells)), np.ones(len(cells))])
            fixed = np.arange(len(sums)) == len(cells)
            n = np.array(list(cells.values()))
            hidden = protect(n, sums, study.min_count, fixed=fixed)[:-1]
        rows += [
            {"sex": sex, "grouping": covariate.name, "group": level, "n": n, "hidden": hide}
            for (level, n), hide in zip(cells.items(), hidden, strict=True)
        ]
    return pd.DataFrame(rows)


def _group_rows(study: Study, grouped: pd.DataFrame) -> list[list[str]]:
    """Return printed rows: the heading of a group, and its share in either sex."""
    headings = {"age_group": "Age {} years", "bmi_group": "BMI {} kg/m²"}
    headings |= {one.name: f"{one.title}: {{}}" for one in study.covariates if one.levels}
    rows = []
    for name, heading in headings.items():
        for label, group in grouped[grouped["grouping"] == name].groupby("group", sort=False):
            by_sex = group.set_index("sex")
            nobody = {sex: MARK if sex in study.hidden_sexes else "0" for sex in SEXES}
            cells = [
                _share(by_sex.loc[sex]) if sex in by_sex.index else nobody[sex] for sex in SEXES
            ]
            rows.append([f"{heading.format(label)}, n (%)", *cells])
    return rows


def _share(group: pd.Series) -> str:
    if pd.isna(group["n"]):
        return MARK
    return f"{format_number(group['n'])} ({format_number(group['percent'], 1)})"


def _numbers(described: dict[tuple[str, str], dict[str, float]]) -> Numbers:
    numbers = Numbers()
    for sex, word in SEXES.items():
        for name, column, unit in (("age", "age_years", "years"), ("bmi", "bmi_kg_m2", "kg/m²")):
            for statistic in ("mean", "sd"):
                value = described[column, sex][statistic]
                numbers.number(
                    f"population.{name}_{statistic}_{word.lower()}", value, 1, unit, SUPPRESSED
                )
    return numbers

"""The study population by sex: characteristics, age groups and BMI groups."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK, SUPPRESSED
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, count, mean_sd, suppression_note
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import SEXES, Measure
from muscle_study.statistics.study.study import Study

CHARACTERISTICS = {
    "age": Measure("age_years", "age", "years", 1),
    "height": Measure("height_cm", "height", "cm", 1),
    "weight": Measure("weight_kg", "weight", "kg", 1),
    "bmi": Measure("bmi_kg_m2", "BMI", "kg/m²", 1),
}

#: Characteristics given in the text.
TOLD = ("age", "bmi")

#: Groupings of the table, and how a group is headed.
HEADINGS = {"age_group": "Age {} years, n (%)", "bmi_group": "BMI {} kg/m², n (%)"}


def population(study: Study) -> Result:
    """Describe the study population by sex."""
    described = {
        (name, sex): describe(measure.values(study.shown_of_sex(sex)), study.min_count)
        for name, measure in CHARACTERISTICS.items()
        for sex in SEXES
    }
    grouped = _groups(study)
    data = pd.DataFrame(
        {"characteristic": CHARACTERISTICS[name].title(study.psoas), "sex": sex, **values}
        for (name, sex), values in described.items()
    )
    columns = {"grouping": "characteristic", "hidden": "suppressed"}
    text = pd.DataFrame(_text(study, described, grouped))
    caption = (
        "Study population by sex: measured adults whose sex, age, height and weight are known "
        f"({study.sizes}). "
        "BMI: body mass index. SD: standard deviation."
        + suppression_note(text, study.min_count)
        + study.origin
    )
    table = Table(pd.concat([data, grouped.rename(columns=columns)]), text, caption)
    return Result("population", table, numbers=_numbers(described))


def _groups(study: Study) -> pd.DataFrame:
    """Return ``sex``, ``grouping``, ``group``, ``n``, ``percent`` of the sex, and ``hidden``."""
    counts = study.group_counts.assign(n=study.rounded(study.group_counts["n"]))
    of_sex = counts.groupby(["sex", "grouping"])["n"].transform("sum")
    counts["percent"] = 100 * counts["n"] / of_sex
    counts.loc[counts["hidden"], ["n", "percent"]] = float("nan")
    return counts[["sex", "grouping", "group", "n", "percent", "hidden"]]


def _text(study: Study, described: dict, grouped: pd.DataFrame) -> list[dict[str, str]]:
    def row(head: str, cells: dict[str, str]) -> dict[str, str]:
        return {"Characteristic": head} | {word: cells[sex] for sex, word in SEXES.items()}

    sizes = {
        sex: count(study.rounded(len(study.of_sex(sex))), sex in study.hidden_sexes)
        for sex in SEXES
    }
    rows = [row("Participants, n", sizes)]
    for name, measure in CHARACTERISTICS.items():
        values = {sex: described[name, sex] for sex in SEXES}
        cells = {
            sex: mean_sd(found["mean"], found["sd"], measure.digits)
            for sex, found in values.items()
        }
        rows.append(row(f"{measure.title(study.psoas)}, mean ± SD", cells))
    for grouping, heading in HEADINGS.items():
        of_grouping = grouped[grouped["grouping"] == grouping]
        for label, group in of_grouping.groupby("group", sort=False):
            shares = group.set_index("sex")
            rows.append(row(heading.format(label), {sex: _share(shares.loc[sex]) for sex in SEXES}))
    return rows


def _share(group: pd.Series) -> str:
    if pd.isna(group["n"]):
        return MARK
    return f"{format_number(group['n'])} ({format_number(group['percent'], 1)})"


def _numbers(described: dict) -> Numbers:
    numbers = Numbers()
    for sex, word in SEXES.items():
        for name in TOLD:
            measure, found = CHARACTERISTICS[name], described[name, sex]
            for statistic in ("mean", "sd"):
                numbers.number(
                    f"population.{name}_{statistic}_{word.lower()}", found[statistic],
                    measure.digits, measure.unit, otherwise=SUPPRESSED,
                )  # fmt: skip
    return numbers

"""Who was studied, and the measures by sex, age group and BMI group."""

import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import (
    Table,
    count,
    interval,
    mean_sd,
    suppression_note,
    without_repeats,
)
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import GROUPED_MEASURES, MEASURES, SEXES, SIDES, Measure
from muscle_study.statistics.study.study import Study

#: Characteristics of the study population.
CHARACTERISTICS = (
    Measure("age_years", "age", "years", 1),
    Measure("height_cm", "height", "cm", 1),
    Measure("weight_kg", "weight", "kg", 1),
    Measure("bmi_kg_m2", "BMI", "kg/m²", 1),
)


def population_table(study: Study) -> Table:
    """Return the study population by sex: characteristics, age groups, BMI groups."""
    described = [
        {
            "characteristic": measure.title(study.psoas),
            "digits": measure.digits,
            "sex": sex,
            **_described(study, sex, measure),
        }
        for measure in CHARACTERISTICS
        for sex in SEXES
    ]
    counts = study.group_counts.assign(n=study.rounded(study.group_counts["n"]))
    grouped = counts.merge(
        counts.groupby(["sex", "grouping"], as_index=False)["n"].sum(),
        on=["sex", "grouping"],
        suffixes=("", "_sex"),
    )
    grouped["percent"] = 100 * grouped["n"] / grouped["n_sex"]
    grouped.loc[grouped["hidden"], ["n", "percent"]] = float("nan")

    rows = [
        {
            "Characteristic": "Participants, n",
            **{
                word: count(study.rounded(len(study.of_sex(sex))), sex in study.hidden_sexes)
                for sex, word in SEXES.items()
            },
        }
    ]
    for measure in CHARACTERISTICS:
        title = measure.title(study.psoas)
        by_sex = {row["sex"]: row for row in described if row["characteristic"] == title}
        rows.append(
            {
                "Characteristic": f"{title}, mean ± SD",
                **{
                    word: mean_sd(by_sex[sex]["mean"], by_sex[sex]["sd"], measure.digits)
                    for sex, word in SEXES.items()
                },
            }
        )
    for name, heading in (
        ("age_group", "Age {} years, n (%)"),
        ("bmi_group", "BMI {} kg/m², n (%)"),
    ):
        for label, group in grouped[grouped["grouping"] == name].groupby("group", sort=False):
            by_sex = group.set_index("sex")
            rows.append(
                {
                    "Characteristic": heading.format(label),
                    **{word: _share(by_sex.loc[sex]) for sex, word in SEXES.items()},
                }
            )

    data = pd.concat(
        [
            pd.DataFrame(described).drop(columns="digits"),
            grouped[["sex", "grouping", "group", "n", "percent", "hidden"]].rename(
                columns={"grouping": "characteristic", "hidden": "suppressed"}
            ),
        ]
    )
    text = pd.DataFrame(rows)
    caption = (
        "Study population by sex: measured adults whose sex, age, height and weight are known "
        f"({study.sizes}). "
        "BMI: body mass index. SD: standard deviation."
        + suppression_note(text, study.min_count)
        + study.origin
    )
    return Table(data, text, caption, name="population")


def _share(group: pd.Series) -> str:
    if pd.isna(group["n"]):
        return MARK
    return f"{format_number(group['n'])} ({format_number(group['percent'], 1)})"


def _described(study: Study, sex: str, measure: Measure) -> dict[str, float]:
    if sex in study.hidden_sexes:
        return describe(pd.Series(dtype=float), study.min_count)
    return describe(measure.values(study.of_sex(sex)), study.min_count)


def measured(study: Study, measures: tuple[Measure, ...]) -> list[Measure]:
    """Return the measures that the run has: single-contrast images give no fat fraction."""
    return [
        measure
        for measure in measures
        if measure.column in study.people and study.people[measure.column].notna().any()
    ]


def measures_table(study: Study) -> Table:
    """Return every measure by sex: mean ± SD, median and quartiles."""
    data, text = [], []
    for measure in measured(study, MEASURES):
        row = {"Measure": measure.title(study.psoas)}
        for sex, word in SEXES.items():
            values = _described(study, sex, measure)
            data.append({"measure": measure.column, "unit": measure.unit, "sex": sex, **values})
            row[f"{word}, mean ± SD"] = mean_sd(values["mean"], values["sd"], measure.digits)
            row[f"{word}, median (quartiles)"] = _median(values, measure.digits)
        text.append(row)
    caption = (
        f"Measures by sex ({study.sizes}). CSA: maximum axial cross-sectional area; the total is "
        "the sum of both sides' maxima, each in its own slice. Asymmetry: (right − left) / mean of "
        "both sides. Fat fraction: F / (W + F) over the muscle of both sides."
        + suppression_note(pd.DataFrame(text), study.min_count)
        + study.origin
    )
    return Table(pd.DataFrame(data), pd.DataFrame(text), caption, name="measures")


def _median(values: dict[str, float], digits: int) -> str:
    if pd.isna(values["q1"]):
        return MARK
    quartiles = interval(values["q1"], values["q3"], digits)
    return f"{format_number(values['median'], digits)} ({quartiles})"


def measures_by_age(study: Study) -> Table:
    """Return the main measures by sex and age group."""
    return _by_group(study, "measures_by_age", ["age_group"], "Age (years)", "age group")


def measures_by_bmi(study: Study) -> Table:
    """Return the main measures by sex and BMI group, and below and from 25 kg/m² on."""
    return _by_group(
        study, "measures_by_bmi", ["bmi_group", "bmi_split"], "BMI (kg/m²)", "BMI group"
    )


def sides_by_age(study: Study) -> Table:
    """Return both sides of the outcomes by sex and age group."""
    return _by_group(study, "sides_by_age", ["age_group"], "Age (years)", "age group", SIDES)


def sides_by_bmi(study: Study) -> Table:
    """Return both sides of the outcomes by sex and BMI group, and below and from 25 kg/m² on."""
    return _by_group(
        study, "sides_by_bmi", ["bmi_group", "bmi_split"], "BMI (kg/m²)", "BMI group", SIDES
    )


def _by_group(
    study: Study,
    name: str,
    groupings: list[str],
    heading: str,
    words: str,
    of: tuple[Measure, ...] = GROUPED_MEASURES,
) -> Table:
    measures = measured(study, of)
    data, text = [], []
    for sex, word in SEXES.items():
        people = study.of_sex(sex)
        seen = set()
        for grouping in groupings:
            for group in study.groups_of(grouping, sex).itertuples():
                members = people[people[grouping] == group.group]
                cells = {}
                for measure in measures:
                    values = (
                        describe(measure.values(members.iloc[:0]), study.min_count)
                        if group.hidden
                        else describe(measure.values(members), study.min_count)
                    )
                    data.append(
                        {
                            "sex": sex,
                            "grouping": grouping,
                            "group": group.group,
                            "n": None if group.hidden else study.rounded(group.n),
                            "suppressed": group.hidden,
                            "measure": measure.column,
                            "unit": measure.unit,
                            **values,
                        }
                    )
                    cells[measure.title(study.psoas)] = mean_sd(
                        values["mean"], values["sd"], measure.digits
                    )
                if group.group not in seen:  # <25 can be a group of both groupings
                    text.append(
                        {
                            "Sex": word,
                            heading: group.group,
                            "n": count(study.rounded(group.n), group.hidden),
                            **cells,
                        }
                    )
                seen.add(group.group)
    caption = (
        f"Measures by sex and {words}, mean ± SD ({study.sizes}). CSA: maximum axial "
        "cross-sectional area; where no side is named, left + right. Volumes and fat fractions: "
        "both sides together where none is named."
        + suppression_note(pd.DataFrame(text), study.min_count)
        + study.origin
    )
    return Table(pd.DataFrame(data), without_repeats(pd.DataFrame(text), "Sex"), caption, name=name)

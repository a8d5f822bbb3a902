"""The measures by sex, by age group and by BMI group."""

from collections.abc import Iterator

import pandas as pd

from muscle_study.publishing.disclosure import MARK, SUPPRESSED
from muscle_study.publishing.numbers import Numbers, format_number, interval
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, count, mean_sd, suppression_note, without_repeats
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import (
    GROUPED_MEASURES,
    MEASURES,
    OUTCOMES,
    PAPER_OUTCOMES,
    SEXES,
    SIDES,
    Measure,
)
from muscle_study.statistics.study.study import Study

#: Heading of the groups' column, words of the caption, and groupings, by variable.
GROUPINGS = {
    "age": ("Age (years)", "age group", ("age_group",)),
    "bmi": ("BMI (kg/m²)", "BMI group", ("bmi_group", "bmi_split")),
}


def measured(study: Study, measures: tuple[Measure, ...]) -> list[Measure]:
    """Return the measures that the run has: single-contrast images give no fat fraction."""
    return [
        measure
        for measure in measures
        if measure.column in study.people and study.people[measure.column].notna().any()
    ]


def measures(study: Study) -> Result:
    """Describe every measure by sex: mean ± SD, median and quartiles."""
    data, text = [], []
    for measure in measured(study, MEASURES):
        row = {"Measure": measure.title(study.psoas)}
        for sex, word in SEXES.items():
            values = describe(measure.values(study.shown_of_sex(sex)), study.min_count)
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
    numbers = Numbers()
    add_means(numbers, study)
    return Result(
        "measures", Table(pd.DataFrame(data), pd.DataFrame(text), caption), numbers=numbers
    )


def _median(values: dict[str, float], digits: int) -> str:
    if pd.isna(values["q1"]):
        return MARK
    quartiles = interval(values["q1"], values["q3"], digits)
    return f"{format_number(values['median'], digits)} ({quartiles})"


def add_means(numbers: Numbers, study: Study, prefix: str = "") -> None:
    """Add both outcomes' means and SDs by sex, under names that begin with `prefix`."""
    for name, outcome in PAPER_OUTCOMES.items():
        for sex, word in SEXES.items():
            values = describe(outcome.values(study.shown_of_sex(sex)), study.min_count)
            for statistic in ("mean", "sd"):
                numbers.number(
                    f"{prefix}{name}.{statistic}_{word.lower()}", values[statistic],
                    outcome.digits, outcome.unit, otherwise=SUPPRESSED,
                )  # fmt: skip


def measures_by_age(study: Study) -> Result:
    """Describe the main measures by sex and age group, with the group of the highest mean."""
    table = _by_group(study, "age", GROUPED_MEASURES)
    return Result("measures_by_age", table, numbers=_peaks(study))


def measures_by_bmi(study: Study) -> Result:
    """Describe the main measures by sex and BMI group, and below and from 25 kg/m² on."""
    return Result("measures_by_bmi", _by_group(study, "bmi", GROUPED_MEASURES))


def sides_by_age(study: Study) -> Result:
    """Describe both sides of the outcomes by sex and age group."""
    return Result("sides_by_age", _by_group(study, "age", SIDES))


def sides_by_bmi(study: Study) -> Result:
    """Describe both sides of the outcomes by sex and BMI group, and below and from 25 kg/m² on."""
    return Result("sides_by_bmi", _by_group(study, "bmi", SIDES))


def _by_group(study: Study, by: str, of: tuple[Measure, ...]) -> Table:
    heading, words, groupings = GROUPINGS[by]
    data, text = [], {}
    for sex, grouping, group, members in _groups(study, groupings):
        n = study.rounded(group.n)
        cells = {}
        for measure in measured(study, of):
            values = describe(measure.values(members), study.min_count)
            data.append(
                {
                    "sex": sex,
                    "grouping": grouping,
                    "group": group.group,
                    "n": None if group.hidden else n,
                    "suppressed": group.hidden,
                    "measure": measure.column,
                    "unit": measure.unit,
                    **values,
                }
            )
            title = measure.title(study.psoas)
            cells[title] = mean_sd(values["mean"], values["sd"], measure.digits)
        row = {"Sex": SEXES[sex], heading: group.group, "n": count(n, group.hidden), **cells}
        text.setdefault((sex, group.group), row)  # <25 can be a group of both groupings
    text = pd.DataFrame(text.values())
    caption = (
        f"Measures by sex and {words}, mean ± SD ({study.sizes}). CSA: maximum axial "
        "cross-sectional area; where no side is named, left + right. Volumes and fat fractions: "
        "both sides together where none is named."
        + suppression_note(text, study.min_count)
        + study.origin
    )
    return Table(pd.DataFrame(data), without_repeats(text, "Sex"), caption)


def _groups(
    study: Study, groupings: tuple[str, ...]
) -> Iterator[tuple[str, str, pd.Series, pd.DataFrame]]:
    """Yield sex, grouping, the group with its count, and its members; none if it is hidden."""
    for sex in SEXES:
        people = study.of_sex(sex)
        for grouping in groupings:
            for group in study.groups_of(grouping, sex).itertuples():
                members = people[people[grouping] == group.group]
                yield sex, grouping, group, members.iloc[:0] if group.hidden else members


def _peaks(study: Study) -> Numbers:
    """Return the age group with the highest mean of each outcome, among those that are shown."""
    numbers = Numbers()
    for name, outcome in OUTCOMES.items():
        for sex, word in SEXES.items():
            people = study.shown_of_sex(sex)
            groups = study.groups_of("age_group", sex)
            shown = people[people["age_group"].isin(groups.loc[~groups["hidden"], "group"])]
            means = outcome.values(shown).groupby(shown["age_group"], observed=True).mean()
            peak = SUPPRESSED if means.dropna().empty else str(means.idxmax())
            numbers.word(f"{name}.peak_age_{word.lower()}", peak)
    return numbers

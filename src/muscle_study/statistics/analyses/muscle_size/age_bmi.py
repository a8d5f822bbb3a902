"""Both outcomes by age group and BMI group together."""

import pandas as pd
from matplotlib import colormaps
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES, Measure
from muscle_study.statistics.study.study import Study

#: Columns of the figure's data. Counts and means of small cells would follow from those of their
#: margins; quartiles do not.
QUARTILES = {"centile_25": 0.25, "median": 0.5, "centile_75": 0.75}

#: Share of an age group's width that its bars take.
BREADTH = 0.66

#: BMI groups differ by marker too, for prints without colour.
MARKERS = "osD^vP*X"


def age_bmi(study: Study) -> Result:
    """Draw medians and quartiles of both outcomes by age and BMI group, a panel per sex."""
    bmi_groups = study.groupings["bmi_group"].labels
    looks = {
        group: (colormaps["cividis"](0.1 + 0.7 * i / max(len(bmi_groups) - 1, 1)), MARKERS[i % 8])
        for i, group in enumerate(bmi_groups)
    }
    parts = []
    with house_style():
        figure, panels = plt.subplots(
            2, 2, layout="constrained", figsize=(TWO_COLUMNS, 4.6), sharex=True, sharey="row"
        )
        for row, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            for axes, (sex, word) in zip(row, SEXES.items(), strict=True):
                axes.set_title(word)
                cells = quartiles(study, outcome, sex)
                _draw(axes, cells, study.groupings["age_group"].labels, looks)
                parts.append(cells.assign(outcome=name, sex=sex))
            row[0].set_ylabel(outcome.title(study.psoas))
        for axes in panels[-1]:
            axes.set_xlabel("Age (years)")
        handles = [
            Line2D([], [], color=colour, marker=marker, markersize=4, label=f"BMI {group} kg/m²")
            for group, (colour, marker) in looks.items()
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=len(handles))
        tag_synthetic(figure, study.synthetic)
    caption = (
        f"Total {study.psoas} cross-sectional area (CSA) and gluteus volume by sex, age group and "
        f"BMI group together ({study.sizes}): medians, bars from the 25th to the 75th centile. "
        f"Groups of fewer than {DENSITY_FACTOR * study.min_count} are not drawn." + study.origin
    )
    columns = ["outcome", "sex", "age_group", "bmi_group", *QUARTILES]
    data = pd.concat(parts, ignore_index=True)[columns]
    return Result("age_bmi", figure=Picture(figure, caption, data))


def quartiles(study: Study, outcome: Measure, sex: str) -> pd.DataFrame:
    """Return ``age_group``, ``bmi_group`` and `QUARTILES` of the groups that are large enough."""
    people = study.of_sex(sex)
    ages, bmis = (study.groups_of(name, sex) for name in ("age_group", "bmi_group"))
    cells = []
    for age in ages.loc[~ages["hidden"], "group"]:
        for bmi in bmis.loc[~bmis["hidden"], "group"]:
            of_cell = people[(people["age_group"] == age) & (people["bmi_group"] == bmi)]
            values = outcome.values(of_cell).dropna()
            if len(values) >= DENSITY_FACTOR * study.min_count:
                cells.append([age, bmi, *values.quantile(list(QUARTILES.values()))])
    return pd.DataFrame(cells, columns=["age_group", "bmi_group", *QUARTILES])


def _draw(axes: Axes, cells: pd.DataFrame, ages: list[str], looks: dict[str, tuple]) -> None:
    step = BREADTH / len(looks)
    for i, (group, (colour, marker)) in enumerate(looks.items()):
        drawn = cells[cells["bmi_group"] == group]
        at = [ages.index(age) + (i - (len(looks) - 1) / 2) * step for age in drawn["age_group"]]
        axes.vlines(at, drawn["centile_25"], drawn["centile_75"], color=colour, lw=4, alpha=0.35)
        axes.plot(at, drawn["median"], color=colour, marker=marker, markersize=4, lw=0.9)
    axes.set_xticks(range(len(ages)), ages)
    axes.set_xlim(-0.5, len(ages) - 0.5)
    if cells.empty:
        say_instead(axes, "every group is too small to be shown")

"""Both outcomes by age group or BMI group and sex."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from scipy import stats

from muscle_study.publishing.box import COLUMNS, EXPLAINED, box_of, drawn
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    INK,
    SEX_COLOURS,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES, Measure
from muscle_study.statistics.study.study import Study

#: Columns of the figure's data for each group.
SHOWN = ("n", "mean", *COLUMNS)

#: Distance of a sex's boxes from the group's tick, and half a density's width.
OFFSET, HALF_WIDTH = 0.21, 0.19


def outcomes_by_age(study: Study) -> Result:
    """Draw both outcomes by age group and sex."""
    return Result("age", figure=_by_group(study, "age_group", "Age (years)", "age group"))


def outcomes_by_bmi(study: Study) -> Result:
    """Draw both outcomes by BMI group and sex."""
    return Result("bmi", figure=_by_group(study, "bmi_group", "BMI (kg/m²)", "BMI group"))


def _by_group(study: Study, grouping: str, heading: str, words: str) -> Picture:
    labels = study.groupings[grouping].labels
    boxes = []
    with house_style():
        figure, panels = plt.subplots(1, 2, layout="constrained", figsize=(TWO_COLUMNS, 2.9))
        for axes, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            drawn_here = _panel(axes, study, outcome, grouping)
            boxes += [[name, *box] for box in drawn_here]
            axes.set_xticks(range(len(labels)), labels)
            axes.set_xlim(-0.55, len(labels) - 0.45)
            axes.set(xlabel=heading, ylabel=outcome.title(study.psoas))
            if not drawn_here:
                say_instead(axes, "every group is too small to be shown")
        handles = [
            Patch(facecolor=SEX_COLOURS[sex], alpha=0.55, label=word) for sex, word in SEXES.items()
        ]
        figure.legend(handles=handles, loc="outside upper left", ncols=2)
        tag_synthetic(figure, study.synthetic)
    data = pd.DataFrame(boxes, columns=["outcome", "sex", "group", *SHOWN])
    return Picture(figure, _caption(study, grouping, words), data)


def _panel(axes: Axes, study: Study, outcome: Measure, grouping: str) -> list[list]:
    """Draw an outcome's groups; return sex, group and `SHOWN` of each."""
    labels = study.groupings[grouping].labels
    boxes = []
    for sex, side in zip(SEXES, (-OFFSET, OFFSET), strict=True):
        people = study.of_sex(sex)
        for group in _shown_groups(study, grouping, sex):
            values = outcome.values(people[people[grouping] == group.group]).dropna()
            at = labels.index(group.group) + side
            n, *box = _draw(axes, values, at, sex, study.min_count)
            boxes.append([sex, group.group, study.rounded(n), *box])
    return boxes


def _shown_groups(study: Study, grouping: str, sex: str) -> list:
    groups = study.groups_of(grouping, sex)
    return list(groups[~groups["hidden"]].itertuples())


def _caption(study: Study, grouping: str, words: str) -> str:
    sizes = []
    for sex, word in SEXES.items():
        groups = [
            f"{group.group} n = {format_number(study.rounded(group.n))}"
            for group in _shown_groups(study, grouping, sex)
        ]
        if groups:
            sizes.append(f"{word}: {', '.join(groups)}")
    caption = (
        f"Total {study.psoas} cross-sectional area (CSA) and gluteus volume by {words} and sex. "
        f"{EXPLAINED}; white dot: mean; densities, between the whiskers' ends, of groups from "
        f"{DENSITY_FACTOR * study.min_count} "
        f"participants on. {'; '.join(sizes)}. In all: {study.sizes}. "
        if sizes
        else f"Total {study.psoas} cross-sectional area and gluteus volume by {words} and sex. "
    )
    return (
        f"{caption}Groups of fewer than {study.min_count}, and those that would give one away, are "
        f"not drawn.{study.origin}"
    )


def _draw(axes: Axes, values: pd.Series, at: float, sex: str, min_count: int) -> list[float]:
    """Draw a group as a box, over its density where it is large enough; return `SHOWN`."""
    if len(values) < min_count:
        return [np.nan] * len(SHOWN)
    box = box_of(values, min_count)
    low, high = box["whisker_low"], box["whisker_high"]
    colour = SEX_COLOURS[sex]
    if len(values) >= DENSITY_FACTOR * min_count and high > low:
        height = np.linspace(low, high, 100)
        width = stats.gaussian_kde(values)(height)
        width *= HALF_WIDTH / width.max()
        axes.fill_betweenx(height, at - width, at + width, color=colour, alpha=0.25, lw=0)
    line = {"color": colour, "linewidth": 1.0}
    axes.bxp(
        [drawn(box) | {"mean": values.mean()}],
        positions=[at],
        widths=0.17,
        showfliers=False,
        showcaps=False,
        showmeans=True,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "alpha": 0.55, "linewidth": 0},
        whiskerprops=line,
        medianprops={"color": INK, "linewidth": 1.2},
        meanprops={
            "marker": "o",
            "markerfacecolor": "white",
            "markeredgecolor": INK,
            "markeredgewidth": 0.5,
            "markersize": 3,
        },
    )
    return [len(values), values.mean(), *box.values()]

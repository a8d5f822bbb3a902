"""The flow chart: participants from the source to the analysis."""

import textwrap
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.protocol.outcomes import SIZE
from muscle_study.publishing.disclosure import MARK, SUPPRESSED
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    BLUE,
    GREY,
    INK,
    TWO_COLUMNS,
    house_style,
    tag_synthetic,
)
from muscle_study.statistics.analyses.sample.curation import read_corrections
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.participants import Step, pooled_reasons, shown_steps
from muscle_study.statistics.study.study import Study

#: Sizes in inches: a line of text, gap between boxes, a box's margins; columns' left edges, widths.
LINE, GAP, PADDING = 0.155, 0.22, 0.16
MAIN_X, MAIN_WIDTH, SIDE_X, SIDE_WIDTH = 0.1, 2.7, 3.35, 3.55
SIDE_CHARACTERS = 54


class Row(NamedTuple):
    """A row of the chart.

    Parameters
    ----------
    main, side
        Text of the box in each column; empty for no box.
    joins
        Whether participants in the side box join rather than leave.
    """

    main: str
    side: str = ""
    joins: bool = False


def flow(study: Study) -> Result:
    """Return the flow chart, and the counts of participants for the text."""
    rows = _rows(study)
    caption = (
        "Participants from the source to the analysis. Reasons and steps of fewer than "
        f"{study.min_count} participants are pooled with others"
        + (f"; {MARK}: not shown." if study.hidden else ".")
        + (" Participants without images join at the end." if study.has_simulated else "")
        + study.origin
    )
    boxes = pd.DataFrame(rows).replace(r"\n *", " ", regex=True)
    picture = Picture(_draw(rows, study.synthetic), caption, boxes)
    return Result("flow", figure=picture, numbers=_numbers(study))


def _numbers(study: Study) -> Numbers:
    """Return the kind of run and its counts of participants."""
    numbers = Numbers()
    numbers.word("study.run", study.run)
    numbers.word("study.kind", "synthetic" if study.synthetic else "real")
    numbers.word("study.psoas", study.psoas)
    numbers.word("study.segmenter", study.segmenter)
    numbers.word("study.segmentation", study.segmentation["kind"])
    names = ["source", "curated", "measured", "excluded", "men", "women"]
    if study.has_simulated:
        names += ["imaged", "imaged_men", "imaged_women", "simulated"]
    for name in names:
        value = np.nan if name in study.hidden else study.rounded(study.counts[name])
        numbers.number(f"population.{name}", value, otherwise=SUPPRESSED)
    excluded, source = (study.rounded(study.counts[name]) for name in ("excluded", "source"))
    hidden = study.hidden & {"source", "excluded"}
    percent = np.nan if hidden or not source else 100 * excluded / source
    numbers.number("population.exclusion_percent", percent, 1, "%", otherwise=SUPPRESSED)
    for muscle in MUSCLES:  # found in everyone measured, so that a missing size is withheld
        withheld = study.measures[SIZE[muscle].format("total")].isna().sum()
        shown = np.nan if withheld < study.min_count else study.rounded(withheld)
        numbers.number(f"population.withheld_{muscle}", shown, otherwise=SUPPRESSED)
    return numbers


def _draw(rows: list[Row], synthetic: bool) -> Figure:
    heights = [
        PADDING + LINE * max(row.main.count("\n") + 1, row.side.count("\n") + 1 if row.side else 0)
        for row in rows
    ]
    total = sum(heights) + GAP * (len(rows) - 1) + 0.35
    centre = MAIN_X + MAIN_WIDTH / 2
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, total))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, TWO_COLUMNS), ylim=(0, total))
        axes.set_axis_off()
        top, before = total - 0.27, None
        for row, height in zip(rows, heights, strict=True):
            middle = top - height / 2
            if row.side:
                _box(axes, SIDE_X, middle, SIDE_WIDTH, row.side, GREY, left=True)
                ends = (centre, middle), (SIDE_X, middle)
                _arrow(axes, *(ends[::-1] if row.joins else ends))
            if row.main:
                bottom = _box(axes, MAIN_X, middle, MAIN_WIDTH, row.main, BLUE)
                if before is not None:
                    _arrow(axes, (centre, before), (centre, 2 * middle - bottom))
                before = bottom
            top -= height + GAP
        tag_synthetic(figure, synthetic)
    return figure


def _rows(study: Study) -> list[Row]:
    """Return the chart's rows from top to bottom."""
    rows = [Row(f"Participants in the source\nn = {study.shown('source')}")]
    for step in shown_steps(study.flow, study.min_count):
        if step.excluded:
            rows.append(Row("", _excluded(study, step)))
        name = "measured" if step.name == "measured" else "curated"
        left = (
            study.shown(name)
            if step.name != "segmented"
            else format_number(study.rounded(step.participants))
        )
        corrected = _corrected(study) if step.name == "curated" else ""
        rows.append(Row(f"{step.name.capitalize()}\nn = {left}{corrected}"))
    if study.unused:
        text = "Not described: no adult, or sex, age, height or\nweight not known: n = "
        rows.append(Row("", text + study.shown("unused")))
    if study.has_simulated:
        rows.append(Row(f"Imaged, and described\n{_by_sex(study, 'imaged_')}"))
        text = "Drawn, not imaged; measurements simulated as\ntruth + an imaged one's error: n = "
        rows.append(Row("", text + study.shown("simulated"), joins=True))
    rows.append(Row(f"Described by sex, age and BMI\n{_by_sex(study)}"))
    return rows


def _corrected(study: Study) -> str:
    n = read_corrections(study)["participant_id"].nunique()
    return f", put right n = {format_number(study.rounded(n))}" if n >= study.min_count else ""


def _by_sex(study: Study, prefix: str = "") -> str:
    words = [word.lower() for word in SEXES.values()]
    return ", ".join(f"{word} n = {study.shown(prefix + word)}" for word in words)


def _excluded(study: Study, step: Step) -> str:
    small = step.excluded < study.min_count
    lines = [
        f"Excluded before being {step.name}: n = "
        + (MARK if small else format_number(study.rounded(step.excluded)))
    ]
    for reason, n in pooled_reasons(step.reasons, study.min_count):
        text = reason if small else f"{format_number(study.rounded(n))}: {reason}"
        lines += textwrap.wrap(text, SIDE_CHARACTERS, initial_indent="• ", subsequent_indent="   ")
    return "\n".join(lines)


def _box(
    axes: Axes, x: float, middle: float, width: float, text: str, colour: str, left: bool = False
) -> float:
    """Draw a box with its text around `middle`; return its lower edge."""
    height = PADDING + LINE * (text.count("\n") + 1)
    look = {"facecolor": "white", "edgecolor": colour, "linewidth": 0.9}
    axes.add_patch(plt.Rectangle((x, middle - height / 2), width, height, **look))
    at, side = (x + 0.1, "left") if left else (x + width / 2, "center")
    look = {"color": INK, "va": "center", "fontsize": 7.5, "linespacing": 1.4}
    axes.text(at, middle, text, ha=side, **look)
    return middle - height / 2


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    look = {"arrowstyle": "-|>", "color": GREY, "lw": 0.9, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=look)

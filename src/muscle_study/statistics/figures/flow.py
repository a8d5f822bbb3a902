"""The flow chart: participants from the source to the analysis."""

import textwrap

from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.disclosure import MARK
from muscle_study.numbers import format_number
from muscle_study.statistics.measures import SEXES
from muscle_study.statistics.participants import Step, pooled_reasons, shown_steps
from muscle_study.statistics.study import Study
from muscle_study.statistics.style import (
    BLUE,
    GREY,
    INK,
    TWO_COLUMNS,
    Picture,
    house_style,
    tag_synthetic,
)

#: Of the chart (inches): line of text, gap between boxes, columns' left edges and widths.
LINE, GAP, PADDING = 0.155, 0.22, 0.16
MAIN_X, MAIN_WIDTH, SIDE_X, SIDE_WIDTH = 0.1, 2.7, 3.35, 3.55
SIDE_CHARACTERS = 54


def draw(study: Study) -> Picture:
    """Draw the flow chart."""
    rows = _rows(study)
    heights = [
        PADDING + LINE * max(main.count("\n") + 1, side.count("\n") + 1 if side else 0)
        for main, side in rows
    ]
    total = sum(heights) + GAP * (len(rows) - 1) + 0.35
    with house_style():
        figure = plt.figure(figsize=(TWO_COLUMNS, total))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, TWO_COLUMNS), ylim=(0, total))
        axes.set_axis_off()
        top, before = total - 0.27, None
        for (main, side), height in zip(rows, heights, strict=True):
            middle = top - height / 2
            if side:
                _box(axes, SIDE_X, middle, SIDE_WIDTH, side, GREY, left=True)
                _arrow(axes, (MAIN_X + MAIN_WIDTH / 2, middle), (SIDE_X, middle))
            if main:
                bottom = _box(axes, MAIN_X, middle, MAIN_WIDTH, main, BLUE)
                if before is not None:
                    _arrow(
                        axes,
                        (MAIN_X + MAIN_WIDTH / 2, before),
                        (MAIN_X + MAIN_WIDTH / 2, 2 * middle - bottom),
                    )
                before = bottom
            top -= height + GAP
        tag_synthetic(figure, study.synthetic)
    caption = (
        "Participants from the source to the analysis. Reasons and steps of fewer than "
        f"{study.min_count} participants are pooled with others"
        + (f"; {MARK}: not shown." if study.hidden else ".")
        + study.origin
    )
    return Picture("flow", figure, caption)


def _rows(study: Study) -> list[tuple[str, str]]:
    """Return the texts of main and side box, row by row; empty where there is none."""
    shown = {name: _count(study, name) for name in study.counts}
    rows = [(f"Participants in the source\nn = {shown['source']}", "")]
    for step in shown_steps(study.flow, study.min_count):
        if step.excluded:
            rows.append(("", _excluded(study, step)))
        name = "measured" if step.name == "measured" else "curated"
        left = shown[name] if step.name != "segmented" else format_number(step.participants)
        rows.append((f"{step.name.capitalize()}\nn = {left}", ""))
    if study.unused:
        rows.append(
            (
                "",
                "Not described: no adult, or sex, age, height or\n"
                f"weight not known: n = {shown['unused']}",
            )
        )
    sexes = ", ".join(f"{word.lower()} n = {shown[word.lower()]}" for word in SEXES.values())
    rows.append((f"Described by sex, age and BMI\n{sexes}", ""))
    return rows


def _count(study: Study, name: str) -> str:
    return MARK if name in study.hidden else format_number(study.counts[name])


def _excluded(study: Study, step: Step) -> str:
    small = step.excluded < study.min_count
    lines = [
        f"Excluded before being {step.name}: n = "
        + (MARK if small else format_number(step.excluded))
    ]
    for reason, n in pooled_reasons(step.reasons, study.min_count):
        text = reason if small else f"{format_number(n)}: {reason}"
        lines += textwrap.wrap(text, SIDE_CHARACTERS, initial_indent="• ", subsequent_indent="   ")
    return "\n".join(lines)


def _box(
    axes: Axes, x: float, middle: float, width: float, text: str, colour: str, left: bool = False
) -> float:
    """Draw a box with its text around `middle`; return its lower edge."""
    height = PADDING + LINE * (text.count("\n") + 1)
    axes.add_patch(
        plt.Rectangle(
            (x, middle - height / 2),
            width,
            height,
            facecolor="white",
            edgecolor=colour,
            linewidth=0.9,
        )
    )
    axes.text(
        x + 0.1 if left else x + width / 2,
        middle,
        text,
        color=INK,
        va="center",
        ha="left" if left else "center",
        fontsize=7.5,
        linespacing=1.4,
    )
    return middle - height / 2


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 0.9, "shrinkA": 0, "shrinkB": 0},
    )

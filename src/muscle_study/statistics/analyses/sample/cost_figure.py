"""Hours for the whole NAKO by number of workers."""

import pandas as pd
from matplotlib import pyplot as plt

from muscle_study.publishing.figure import Picture
from muscle_study.publishing.style import (
    BLUE,
    GREY,
    INK,
    TWO_COLUMNS,
    VERMILION,
    house_style,
    tag_synthetic,
)
from muscle_study.statistics.analyses.muscle_size.published import published
from muscle_study.statistics.analyses.sample.cost import GPU, STAGES, overhead_seconds
from muscle_study.statistics.study.study import Study

LINES = {
    "curation": (BLUE, "-"),
    "inference": (VERMILION, "-"),
    GPU: (VERMILION, (0, (4, 1.5))),
    "measurement": (INK, (0, (1, 1))),
}
NAMES = {stage: name.lower() for stage, name in STAGES.items()} | {GPU: "inference, GPU"}


def draw(study: Study, table: pd.DataFrame) -> Picture:
    """Draw each stage's hours against workers, and what the scheduler takes at least.

    Parameters
    ----------
    table
        From `cost.hours`.
    """
    least = published("participants", "n") * overhead_seconds() / 3600
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(TWO_COLUMNS, 2.8))
        for stage, (colour, line) in LINES.items():
            axes.plot(
                table["workers"], table[stage], color=colour, ls=line, marker="o", markersize=2.5,
                label=NAMES[stage],
            )  # fmt: skip
        axes.axhline(least, color=GREY, lw=0.8, ls=":", label="scheduler")
        axes.set(xscale="log", yscale="log", xlabel="Workers", ylabel="Hours")
        axes.set_xticks(table["workers"], [f"{count:,}" for count in table["workers"]])
        axes.minorticks_off()
        axes.legend(loc="upper right")
        tag_synthetic(figure, study.synthetic)
    caption = (
        "Reckoned hours of each stage for the whole NAKO by number of workers, both axes "
        "logarithmic. Dotted: what the scheduler takes to hand out and collect every participant, "
        "below which no number of workers leads." + study.origin
    )
    return Picture(figure, caption, name="cost")

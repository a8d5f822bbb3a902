"""Dice of the test participants as distributions."""

import pandas as pd
from matplotlib import pyplot as plt

from muscle_study.publishing.box import COLUMNS, EXPLAINED, box_of, drawn
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    INK,
    MUSCLE_COLOURS,
    ONE_COLUMN,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.muscle_size.published import published
from muscle_study.statistics.analyses.segmentation.quality import STRUCTURE_NAMES, read_quality
from muscle_study.statistics.study.study import Study


def draw(study: Study) -> Picture:
    """Draw a box for each structure; single participants are not shown."""
    quality = read_quality(study)
    n = quality["participant_id"].nunique()
    boxes = pd.DataFrame(columns=["structure", *COLUMNS])
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN, 2.7))
        if n < study.min_count:
            say_instead(axes, "too few test participants to be shown")
        else:
            for at, name in enumerate(STRUCTURE_NAMES):
                values = quality.loc[quality["structure"] == name, "dice"].dropna()
                box = box_of(values, study.min_count)
                boxes.loc[at] = [name, *box.values()]
                colour = MUSCLE_COLOURS[name.split("_")[0]]
                axes.bxp(
                    [drawn(box)],
                    positions=[at],
                    widths=0.5,
                    showfliers=False,
                    showcaps=False,
                    patch_artist=True,
                    manage_ticks=False,
                    boxprops={"facecolor": colour, "alpha": 0.6, "linewidth": 0},
                    whiskerprops={"color": colour},
                    medianprops={"color": INK, "linewidth": 1.2},
                )
            for first, muscle in ((0, "psoas"), (2, "gluteus")):
                target = published(f"dice_{muscle}", "mean")
                axes.hlines(target, first - 0.4, first + 1.4, color=INK, lw=0.8, ls=":")
            axes.set_xticks(range(4), [name.replace("_", "\n") for name in STRUCTURE_NAMES])
            axes.set(ylabel="Dice", xlim=(-0.6, 3.6))
        tag_synthetic(figure, study.synthetic)
    size = f" (n = {format_number(study.rounded(n))})" if n >= study.min_count else ""
    caption = (
        f"Dice similarity coefficient of {study.segmenter} with the reference labels in the test "
        f"participants{size}. {EXPLAINED}. "
        "Dotted: the paper's mean, of another test set."
        + study.stand_in
        + study.imaged_only
        + study.origin
    )
    return Picture(figure, caption, boxes, name="dice")

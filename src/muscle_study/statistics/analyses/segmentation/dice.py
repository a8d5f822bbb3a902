"""Agreement of the segmentation with the reference labels of the test participants."""

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.box import COLUMNS, EXPLAINED, box_of, drawn
from muscle_study.publishing.disclosure import MARK, SUPPRESSED
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    INK,
    MUSCLE_COLOURS,
    ONE_COLUMN,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.publishing.table import Table, count, mean_sd
from muscle_study.statistics.analyses.segmentation.quality import (
    STRUCTURE_NAMES,
    by_muscle,
    read_quality,
)
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.paper import published
from muscle_study.statistics.study.study import Study

#: Scores by column: heading in the table, decimals; name in the text, decimals there, unit.
SCORES = {
    "dice": ("Dice", 3, "dice", 3, ""),
    "hausdorff95_mm": ("HD95 (mm)", 1, "hd95", 1, "mm"),
    "surface_distance_mm": ("ASD (mm)", 2, "asd", 2, "mm"),
}


def dice(study: Study) -> Result:
    """Return Dice and distances by structure and by muscle; Dice as a figure."""
    quality = read_quality(study)
    return Result(
        "dice", _table(study, quality), _picture(study, quality), _numbers(study, quality)
    )


def _table(study: Study, quality: pd.DataFrame) -> Table:
    samples = {
        name: quality[quality["structure"] == name].set_index("participant_id")
        for name in STRUCTURE_NAMES
    }
    data, text = [], []
    for name in [*STRUCTURE_NAMES, *MUSCLES]:
        of_side = name in samples
        title = name.replace("_", ", ") if of_side else f"{name}, both sides"
        row = {"Structure": title.capitalize()}
        for score, (heading, digits, *_) in SCORES.items():
            values = samples[name][score] if of_side else by_muscle(quality, score)[name]
            described = describe(values, study.min_count)
            # the 10th centile of a few people would be one of them
            enough = 0.1 * values.notna().sum() >= study.min_count
            low = values.quantile(0.1) if enough else np.nan
            data.append({"structure": name, "score": score, **described, "centile_10": low})
            row[f"{heading}, mean ± SD"] = mean_sd(described["mean"], described["sd"], digits)
            if score == "dice":
                row["Dice, 10th centile"] = MARK if pd.isna(low) else format_number(low, digits)
        text.append(row)
    n = quality["participant_id"].nunique()
    few = n < study.min_count
    caption = (
        f"Agreement of {study.segmenter} with the reference labels in the test participants (n = "
        f"{count(study.rounded(n), few)}), never seen in training. HD95: 95th centile of the "
        "Hausdorff distance, at least a voxel's edge unless outlines are the same; ASD: average "
        "symmetric surface distance. The minimum would be a single participant's, and "
        f"{MARK} stands for a 10th centile that would rest on too few."
        + (f" {MARK}: not shown, for fewer than {study.min_count} participants." if few else "")
        + study.stand_in
        + study.imaged_only
        + study.origin
    )
    return Table(pd.DataFrame(data), pd.DataFrame(text), caption)


def _numbers(study: Study, quality: pd.DataFrame) -> Numbers:
    numbers = Numbers()
    for muscle in MUSCLES:
        for score, (_, _, name, digits, unit) in SCORES.items():
            values = describe(by_muscle(quality, score)[muscle], study.min_count)
            numbers.number(f"{name}.{muscle}", values["mean"], digits, unit, otherwise=SUPPRESSED)
            if score == "dice":
                numbers.number(f"dice.{muscle}_sd", values["sd"], digits, otherwise=SUPPRESSED)
    return numbers


def _picture(study: Study, quality: pd.DataFrame) -> Picture:
    n = quality["participant_id"].nunique()
    few = n < study.min_count
    boxes = pd.DataFrame(columns=["structure", *COLUMNS])
    for at, name in enumerate([] if few else STRUCTURE_NAMES):
        values = quality.loc[quality["structure"] == name, "dice"].dropna()
        boxes.loc[at] = [name, *box_of(values, study.min_count).values()]
    size = "" if few else f" (n = {format_number(study.rounded(n))})"
    caption = (
        f"Dice similarity coefficient of {study.segmenter} with the reference labels in the test "
        f"participants{size}. {EXPLAINED}. Dotted: the paper's mean, from another test set."
        + study.stand_in
        + study.imaged_only
        + study.origin
    )
    return Picture(_draw(boxes, study.synthetic), caption, boxes)


def _draw(boxes: pd.DataFrame, synthetic: bool) -> Figure:
    """Draw a box for each structure; single participants are not shown."""
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN, 2.7))
        if boxes.empty:
            say_instead(axes, "too few test participants to be shown")
        else:
            _boxes(axes, boxes)
        tag_synthetic(figure, synthetic)
    return figure


def _boxes(axes: Axes, boxes: pd.DataFrame) -> None:
    for at, box in boxes.iterrows():
        colour = MUSCLE_COLOURS[box["structure"].split("_")[0]]
        axes.bxp(
            [drawn(box[list(COLUMNS)].to_dict())],
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
        mean = published(f"dice_{muscle}", "mean")
        axes.hlines(mean, first - 0.4, first + 1.4, color=INK, lw=0.8, ls=":")
    axes.set_xticks(range(4), [name.replace("_", "\n") for name in STRUCTURE_NAMES])
    axes.set(ylabel="Dice", xlim=(-0.6, 3.6))

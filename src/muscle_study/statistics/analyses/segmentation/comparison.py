"""Agreement of the study's segmentation with another one of the same participants."""

import pandas as pd

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.muscles import MUSCLES, SIDES
from muscle_study.publishing.disclosure import MARK, SUPPRESSED
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, count, mean_sd
from muscle_study.statistics.analyses.segmentation.bland_altman import (
    EXPLAINED,
    agreement_cells,
    draw_outcomes,
    shown,
)
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import MEASURES, OUTCOMES
from muscle_study.statistics.study.study import Study


def comparison(study: Study) -> Result | Absent:
    """Return bias, limits of agreement, ICC and Dice between both segmentations."""
    path = study.paths.measurements / "comparison.csv"
    if not path.exists():
        return Absent("comparison", "no other segmentation is named (inference.compare_with)")
    found = shown(read_table(path), study.min_count).set_index("measure")
    others = read_table(study.paths.measurements / "compared.csv")
    return Result(
        "comparison",
        _table(study, found, others),
        _picture(study, found, others),
        _numbers(study, found, others),
    )


def other_segmenter(study: Study) -> str:
    """Return the other segmenter's name, and its substitute for the psoas major if it has one."""
    about = read_json(study.paths.compared / "source.json")
    stands_in = about["psoas_label"] != "psoas major"
    return about["segmenter"] + (f", whose psoas is the {about['psoas_label']}" * stands_in)


def size(study: Study, others: pd.DataFrame) -> str:
    """Return the number compared, suppressed if it discloses a few who are not."""
    n = len(others)
    missed = len(study.measures) - n
    return count(study.rounded(n), n < study.min_count or 0 < missed < study.min_count)


def _dice(study: Study, others: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Describe Dice between both by ``<muscle>_<side>``; ``_total`` is the mean of both sides."""
    found = {}
    for muscle in MUSCLES:
        sides = pd.DataFrame({side: others[f"dice_{muscle}_{side}"] for side in SIDES})
        for side, values in sides.assign(total=sides.mean(axis=1)).items():
            found[f"{muscle}_{side}"] = describe(values, study.min_count)
    return found


def _table(study: Study, found: pd.DataFrame, others: pd.DataFrame) -> Table:
    overlap = _dice(study, others)
    data, text = [], []
    for measure in (measure for measure in MEASURES if measure.column in found.index):
        row = found.loc[measure.column]
        muscle = measure.column.split("_")[0]
        side = next(side for side in (*SIDES, "total") if f"_{side}" in measure.column)
        dice = overlap[f"{muscle}_{side}"]
        data.append(
            {"measure": measure.column, **row.drop("n")}
            | {"dice_mean": dice["mean"], "dice_sd": dice["sd"]}
        )
        text.append(
            {
                "Measure": measure.title(study.psoas),
                **agreement_cells(row, measure),
                "Dice, mean ± SD": mean_sd(dice["mean"], dice["sd"], 3),
            }
        )
    caption = (
        f"Agreement of {study.segmenter} with {other_segmenter(study)}, in the n = "
        f"{size(study, others)} participants measured by both: bias (this study's − other's value) "
        "with confidence interval (CI), limits of agreement (Bland and Altman), intraclass "
        "correlation (ICC), and Dice coefficient between both outlines of the muscle, the mean of "
        f"both sides for totals. {MARK}: not shown, for few participants, or not known."
        + study.imaged_only
        + study.origin
    )
    return Table(pd.DataFrame(data), pd.DataFrame(text), caption)


def _picture(study: Study, found: pd.DataFrame, others: pd.DataFrame) -> Picture:
    pairs = study.measures.merge(others, on="participant_id", suffixes=("", "_other"))
    for outcome in OUTCOMES.values():
        other = pairs[f"{outcome.column}_other"]
        pairs[f"{outcome.column}_difference"] = pairs[outcome.column] - other
    figure, lines = draw_outcomes(study, pairs, found, ("ours", "other"))
    caption = (
        f"Agreement of the measures by {study.segmenter} (ours) with those by "
        f"{other_segmenter(study)} (other; n = {size(study, others)}): difference against the mean "
        f"of both; {EXPLAINED}" + study.imaged_only + study.origin
    )
    return Picture(figure, caption, lines)


def _numbers(study: Study, found: pd.DataFrame, others: pd.DataFrame) -> Numbers:
    numbers = Numbers()
    numbers.word("compared.segmenter", other_segmenter(study))
    numbers.word("compared.participants", size(study, others))
    for name, outcome in OUTCOMES.items():
        row, key = found.loc[outcome.column], f"compared.{name}"
        numbers.number(f"{key}_bias", row["bias"], outcome.digits, outcome.unit)
        limits = row["loa_low"], row["loa_high"]
        numbers.limits(f"{key}_loa", *limits, outcome.digits, outcome.unit)
        numbers.number(f"{key}_icc", row["icc"], 3)
    overlap = _dice(study, others)
    for muscle in MUSCLES:
        dice = overlap[f"{muscle}_total"]["mean"]
        numbers.number(f"compared.dice_{muscle}", dice, 3, otherwise=SUPPRESSED)
    return numbers

"""How far another segmentation of the same participants agrees with the study's."""

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.muscles import MUSCLES, SIDES
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, count, estimate, interval, mean_sd
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import MEASURES, OUTCOMES
from muscle_study.statistics.study.study import Study


def is_here(study: Study) -> bool:
    """Tell whether the run names another segmentation to compare with."""
    return (study.paths.measurements / "comparison.csv").exists()


def other_segmenter(study: Study) -> str:
    """Return who made the other segmentation, and what it takes for the psoas major."""
    about = read_json(study.paths.compared / "source.json")
    stands_in = about["psoas_label"] != "psoas major"
    return about["segmenter"] + (f", whose psoas is the {about['psoas_label']}" * stands_in)


def read_comparison(study: Study) -> pd.DataFrame:
    """Return the agreement of each measure, emptied where it rests on too few participants."""
    table = read_table(study.paths.measurements / "comparison.csv")
    few = (table["n"] < study.min_count).to_numpy()
    numbers = table.columns.drop("measure")
    return table.astype(dict.fromkeys(numbers, float)).mask(
        few[:, None] & table.columns.isin(numbers)[None, :]
    )


def read_pairs(study: Study) -> pd.DataFrame:
    """Return the study's measures, and under ``<measure>_difference`` these minus the other's."""
    others = read_table(study.paths.measurements / "compared.csv")
    pairs = study.measures.merge(others, on="participant_id", suffixes=("", "_other"))
    for outcome in OUTCOMES.values():
        other = pairs[f"{outcome.column}_other"]
        pairs[f"{outcome.column}_difference"] = pairs[outcome.column] - other
    return pairs


def size(study: Study) -> str:
    """Return how many are compared, hidden where so few are not that it would tell of them."""
    n = len(read_table(study.paths.measurements / "compared.csv"))
    missed = len(study.measures) - n
    return count(study.rounded(n), n < study.min_count or 0 < missed < study.min_count)


def dice(study: Study) -> dict[str, pd.Series]:
    """Return the Dice coefficient between both, by ``<muscle>_<side>`` and ``<muscle>_total``.

    The total's is the mean of both sides.
    """
    table = read_table(study.paths.measurements / "compared.csv")
    found = {}
    for muscle in MUSCLES:
        sides = {side: table[f"dice_{muscle}_{side}"] for side in SIDES}
        found |= {f"{muscle}_{side}": values for side, values in sides.items()}
        found[f"{muscle}_total"] = pd.DataFrame(sides).mean(axis=1)
    return found


def comparison_table(study: Study) -> Table:
    """Return bias, limits of agreement, ICC and Dice as a table of the manuscript."""
    agreement = read_comparison(study).set_index("measure")
    overlap = dice(study)
    data, text = [], []
    for measure in (measure for measure in MEASURES if measure.column in agreement.index):
        row = agreement.loc[measure.column]
        muscle = measure.column.split("_")[0]
        side = next(side for side in (*SIDES, "total") if f"_{side}" in measure.column)
        described = describe(overlap[f"{muscle}_{side}"], study.min_count)
        data.append(
            {"measure": measure.column, **row.drop("n")}
            | {"dice_mean": described["mean"], "dice_sd": described["sd"]}
        )
        scaled = row.drop(["n", "icc", "icc_low", "icc_high"]) * measure.factor
        digits = measure.digits + (measure.factor == 100)
        limits = scaled["loa_low"], scaled["loa_high"]
        text.append(
            {
                "Measure": measure.title(study.psoas),
                "Bias (CI)": estimate(
                    scaled["bias"], scaled["bias_low"], scaled["bias_high"], digits
                ),
                "Limits of agreement": MARK if np.isnan(limits[0]) else interval(*limits, digits),
                "ICC (CI)": MARK if np.isnan(row["icc"]) else _icc(row),
                "Dice, mean ± SD": mean_sd(described["mean"], described["sd"], 3),
            }
        )
    caption = (
        f"Agreement of {study.segmenter} with {other_segmenter(study)}, in the n = {size(study)} "
        "participants whom both measure: bias (this study's − other's value) with confidence "
        "interval (CI), limits of agreement (Bland and Altman), intraclass correlation (ICC), and "
        "Dice coefficient between both outlines of the muscle, the mean of both sides for totals. "
        f"{MARK}: not shown, for few participants, or not known." + study.imaged_only + study.origin
    )
    return Table(pd.DataFrame(data), pd.DataFrame(text), caption, name="comparison")


def _icc(row: pd.Series) -> str:
    if np.isnan(row["icc_low"]):
        return format_number(row["icc"], 3)
    return estimate(row["icc"], row["icc_low"], row["icc_high"], 3)

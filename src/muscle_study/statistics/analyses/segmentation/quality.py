"""How well the model segments, and how well its measures agree with the known truth."""

from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import MUSCLES, STRUCTURES
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, count, estimate, interval, mean_sd, without_repeats
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import MEASURES, OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

SCORES = {
    "dice": ("Dice", 3),
    "hausdorff95_mm": ("HD95 (mm)", 1),
    "surface_distance_mm": ("ASD (mm)", 2),
}

STRUCTURE_NAMES = [label.name.lower() for label in STRUCTURES]


def read_quality(study: Study) -> pd.DataFrame:
    """Return the test participants' scores; a distance to a structure not found is missing."""
    path = study.paths.measurements / "segmentation_quality.csv"
    return read_table(path).replace([np.inf, -np.inf], np.nan)


def has_predictions(study: Study) -> bool:
    """Tell whether inference predicted Dice; of masks that come from elsewhere it does not."""
    return read_quality(study)["predicted_dice"].notna().any()


def by_muscle(quality: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return a score of each participant, averaged over both sides: a column a muscle."""
    muscle = quality["structure"].str.rsplit("_", n=1).str[0]
    wide = quality.assign(muscle=muscle).pivot_table(
        index="participant_id", columns="muscle", values=score, aggfunc="mean"
    )
    return wide.reindex(columns=list(MUSCLES))


def muscle_dice(study: Study) -> pd.DataFrame:
    """Return Dice of each test participant and muscle, averaged over both sides."""
    return by_muscle(read_quality(study), "dice")


def typical_participant(study: Study) -> str:
    """Return the test participant whose mean Dice is nearest to the median."""
    dice = muscle_dice(study).mean(axis=1)
    return str((dice - dice.median()).abs().idxmin())


def dice_table(study: Study) -> Table:
    """Return the scores by structure, and by muscle with both sides averaged."""
    quality = read_quality(study)
    samples = {
        name: quality[quality["structure"] == name].set_index("participant_id")
        for name in STRUCTURE_NAMES
    }
    data, text = [], []
    for name in [*STRUCTURE_NAMES, *MUSCLES]:
        row = {
            "Structure": name.replace("_", ", ").capitalize()
            if name in samples
            else f"{name.capitalize()}, both sides"
        }
        for score, (title, digits) in SCORES.items():
            values = samples[name][score] if name in samples else by_muscle(quality, score)[name]
            described = describe(values, study.min_count)
            # in a few people it would be one of them
            enough = 0.1 * values.notna().sum() >= study.min_count
            low = values.quantile(0.1) if enough else np.nan
            data.append({"structure": name, "score": score, **described, "centile_10": low})
            row[f"{title}, mean ± SD"] = mean_sd(described["mean"], described["sd"], digits)
            if score == "dice":
                row["Dice, 10th centile"] = MARK if pd.isna(low) else format_number(low, digits)
        text.append(row)
    n = quality["participant_id"].nunique()
    few = _few(n, study)
    caption = (
        f"Agreement of {study.segmenter} with the reference labels in the test participants (n = "
        f"{count(study.rounded(n), n < study.min_count)}), whom training never saw. HD95: 95th "
        "centile of the Hausdorff distance, at least a voxel's edge unless outlines are the same; "
        "ASD: average symmetric surface distance. The minimum would be a single participant's, and "
        f"{MARK} stands for a 10th centile that would rest on too few."
        f"{few}{study.stand_in}{study.imaged_only}{study.origin}"
    )
    return Table(pd.DataFrame(data), pd.DataFrame(text), caption, name="dice")


def _few(n: int, study: Study) -> str:
    if n >= study.min_count:
        return ""
    return f" {MARK}: not shown, for fewer than {study.min_count} participants."


def agreement_path(study: Study) -> Path:
    """Return where measurement leaves the agreement with the truth, if there is a truth."""
    return study.paths.measurements / "agreement.csv"


def has_truth(study: Study) -> bool:
    """Tell whether the run's measures were compared with a known truth."""
    return agreement_path(study).exists()


def read_agreement(study: Study) -> pd.DataFrame:
    """Return the agreement with the truth, emptied where it rests on too few participants."""
    table = read_table(agreement_path(study))
    few = table["n"] < study.min_count
    numbers = table.columns.difference(["measure", "group"])
    return table.astype(dict.fromkeys(numbers, float)).mask(
        few.to_numpy()[:, None] & table.columns.isin(numbers)[None, :]
    )


def agreement_table(study: Study) -> Table:
    """Return bias, limits of agreement and ICC of the main measures."""
    table = read_agreement(study)
    table["n"] = study.rounded(table["n"])
    groups = {"test": "test", "unseen": "unseen"}
    # biases of opposite sign would cancel in the whole
    by_sex = {f"unseen_{sex}": f"unseen {word.lower()}" for sex, word in SEXES.items()}
    outcomes = [outcome.column for outcome in OUTCOMES.values()]
    text = []
    for measure in (measure for measure in MEASURES if measure.column in set(table["measure"])):
        rows = table[table["measure"] == measure.column].set_index("group")
        named = groups | (by_sex if measure.column in outcomes else {})
        for group in (name for name in named if name in rows.index):
            row = rows.loc[group]
            scaled = row.drop(["measure", "icc", "icc_low", "icc_high"]) * measure.factor
            digits = measure.digits + (measure.factor == 100)
            hidden = pd.isna(row["bias"])
            text.append(
                {
                    "Measure": measure.title(study.psoas),
                    "Participants": f"{named[group]}, n = {count(row['n'], pd.isna(row['n']))}",
                    "Bias (CI)": estimate(
                        scaled["bias"], scaled["bias_low"], scaled["bias_high"], digits
                    ),
                    "Limits of agreement": MARK
                    if hidden
                    else interval(scaled["loa_low"], scaled["loa_high"], digits),
                    "ICC (CI)": estimate(row["icc"], row["icc_low"], row["icc_high"], 3),
                }
            )
    caption = (
        "Agreement of the measures with the synthetic cohort's known truth: bias (measured − "
        "truth) with confidence interval (CI), limits of agreement (Bland and Altman), and "
        "intraclass correlation (ICC). Test: the annotated participants kept for testing; unseen: "
        "these and all who were never annotated, so that training saw none of them; men and women "
        "apart for both outcomes." + study.stand_in + study.imaged_only + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Measure"), caption, name="agreement")

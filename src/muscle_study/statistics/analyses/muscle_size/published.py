"""Comparison of the run with the paper's published values."""

import numpy as np
import pandas as pd

from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, mean_sd
from muscle_study.statistics.analyses.segmentation.quality import muscle_dice
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.paper import published
from muscle_study.statistics.study.study import Study

#: Largest difference from the published mean that counts as alike, in published SDs and in Dice
#: (our choice).
ALIKE_SDS, ALIKE_DICE = 0.1, 0.02

#: Verdicts for alike, above and below, by whether the run is synthetic: a synthetic cohort is
#: calibrated to the published means.
VERDICTS = {
    True: ("on target", "above target", "below target"),
    False: ("alike", "higher", "lower"),
}


def beside_published(study: Study) -> Result:
    """Compare the run's means and SDs with the paper's."""
    table = compare_published(study)
    text = []
    for row in table.to_dict("records"):
        outcome = PAPER_OUTCOMES.get(row["quantity"])
        digits = outcome.digits if outcome else 2
        muscle = row["quantity"].removeprefix("dice_")
        missing = pd.isna(row["difference"])
        text.append(
            {
                "Quantity": outcome.title(study.psoas) if outcome else f"Dice, {muscle} (test)",
                "Sex": SEXES.get(row["sex"], "All"),
                "Published": mean_sd(row["published_mean"], row["published_sd"], digits),
                "This run": mean_sd(row["mean"], row["sd"], digits),
                "Difference": MARK if missing else format_number(row["difference"], digits),
                "Verdict": MARK if missing else row["verdict"],
            }
        )
    caption = (
        "The paper's figures (Kiefer et al. 2026) beside this run's, mean ± SD where given, and "
        f"the difference of means (this run − published; {study.sizes}). Dice: this run's own test "
        "participants. Verdict: whether the difference is at most a tenth of the published SD, or "
        f"{format_number(ALIKE_DICE, 2)} in Dice, or beyond (our choice). "
    )
    caption += (
        "The synthetic cohort is made to resemble the published means, so that agreement is "
        "calibration and not a finding."
        if study.synthetic
        else "Different participants, scanner settings and reference labels: differences are "
        "described and not tested."
    )
    if study.psoas != "psoas major":
        caption += f" Here the {study.psoas} stands in for the psoas major."
    text = pd.DataFrame(text)
    return Result("published", Table(table, text, caption + study.origin), numbers=_numbers())


def compare_published(study: Study) -> pd.DataFrame:
    """Return the paper's mean and SD, ours, the difference of means (ours - published), a verdict.

    Dice of a synthetic run was not calibrated: its verdict is that of real runs.
    """
    values = {
        (name, sex, outcome.unit): outcome.values(study.shown_of_sex(sex))
        for name, outcome in PAPER_OUTCOMES.items()
        for sex in SEXES
    }
    dice = muscle_dice(study)
    values |= {(f"dice_{muscle}", "both", ""): dice[muscle] for muscle in MUSCLES}
    rows = []
    for (quantity, sex, unit), of_people in values.items():
        ours = describe(of_people, study.min_count)
        is_dice = quantity.startswith("dice_")
        rows.append(
            {
                "quantity": quantity,
                "sex": sex,
                "unit": unit,
                "published_mean": published(quantity, "mean", sex),
                "published_sd": np.nan if is_dice else published(quantity, "sd", sex),
                "mean": ours["mean"],
                "sd": ours["sd"],
            }
        )
    table = pd.DataFrame(rows)
    table["difference"] = table["mean"] - table["published_mean"]
    table["verdict"] = [_verdict(study, row) for row in table.to_dict("records")]
    return table


def _verdict(study: Study, row: dict) -> str | None:
    if pd.isna(row["difference"]):
        return None
    dice = row["quantity"].startswith("dice")
    alike, above, below = VERDICTS[study.synthetic and not dice]
    tolerance = ALIKE_DICE if dice else ALIKE_SDS * row["published_sd"]
    if abs(row["difference"]) <= tolerance:
        return alike
    return above if row["difference"] > 0 else below


def _numbers() -> Numbers:
    numbers = Numbers()
    for name, outcome in PAPER_OUTCOMES.items():
        for sex, word in SEXES.items():
            for statistic in ("mean", "sd"):
                figure = published(name, statistic, sex)
                key = f"published.{name}_{statistic}_{word.lower()}"
                numbers.number(key, figure, outcome.digits, outcome.unit)
    for muscle in MUSCLES:
        numbers.number(f"published.dice_{muscle}", published(f"dice_{muscle}", "mean"), 2)
    numbers.number("published.participants", published("participants", "n"))
    return numbers

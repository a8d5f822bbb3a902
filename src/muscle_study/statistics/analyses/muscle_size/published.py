"""The paper's figures beside the run's."""

import numpy as np
import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, mean_sd
from muscle_study.statistics.analyses.segmentation.quality import muscle_dice
from muscle_study.statistics.methods.descriptives import describe
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.paper import published
from muscle_study.statistics.study.study import Study

#: A mean is alike the published one within this share of the published SD; Dice, within this
#: difference. Both are our choice.
ALIKE_SDS, ALIKE_DICE = 0.1, 0.02

#: Verdicts on a difference, by whether the run is synthetic: alike, above, below. A synthetic
#: cohort is made to resemble the published means, so that it can be on its target or off.
VERDICTS = {
    True: ("on target", "above target", "below target"),
    False: ("alike", "higher", "lower"),
}


def beside_published(study: Study) -> pd.DataFrame:
    """Return the paper's mean and SD, ours, the difference of means (ours - published), a verdict.

    Dice of a synthetic run was not calibrated, so that its verdict has the words of real runs.
    """
    rows = []
    for name, outcome in PAPER_OUTCOMES.items():
        for sex in SEXES:
            people = study.of_sex(sex)
            if sex in study.hidden_sexes:
                people = people.iloc[:0]
            ours = describe(outcome.values(people), study.min_count)
            rows.append(
                {
                    "quantity": name,
                    "sex": sex,
                    "unit": outcome.unit,
                    "published_mean": published(name, "mean", sex),
                    "published_sd": published(name, "sd", sex),
                    "mean": ours["mean"],
                    "sd": ours["sd"],
                }
            )
    dice = muscle_dice(study)
    for muscle in ("psoas", "gluteus"):
        ours = describe(dice[muscle], study.min_count)
        rows.append(
            {
                "quantity": f"dice_{muscle}",
                "sex": "both",
                "unit": "",
                "published_mean": published(f"dice_{muscle}", "mean"),
                "published_sd": np.nan,
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


def published_table(study: Study) -> Table:
    """Return the comparison as a table of the manuscript."""
    table = beside_published(study)
    text = []
    for row in table.to_dict("records"):
        outcome = PAPER_OUTCOMES.get(row["quantity"])
        digits = outcome.digits if outcome else 2
        muscle = row["quantity"].removeprefix("dice_")
        title = outcome.title(study.psoas) if outcome else f"Dice, {muscle} (test)"
        text.append(
            {
                "Quantity": title,
                "Sex": SEXES.get(row["sex"], "All"),
                "Published": mean_sd(row["published_mean"], row["published_sd"], digits),
                "This run": mean_sd(row["mean"], row["sd"], digits),
                "Difference": MARK
                if pd.isna(row["difference"])
                else format_number(row["difference"], digits),
                "Verdict": MARK if pd.isna(row["difference"]) else row["verdict"],
            }
        )
    caption = (
        "The paper's figures (Kiefer et al. 2026) beside this run's, mean ± SD where given, and "
        f"the difference of means (this run − published; {study.sizes}). Dice: this run's own test "
        "participants. Verdict: whether the difference is at most a tenth of the published SD, or "
        f"{format_number(ALIKE_DICE, 2)} in Dice, or beyond (our choice). "
    )
    caption += (
        "The synthetic cohort was made to resemble the published means, so that agreement here is "
        "calibration and not a finding."
        if study.synthetic
        else "Different participants, scanner settings and reference labels: differences are "
        "described and not tested."
    )
    if study.psoas != "psoas major":
        caption += f" Here the {study.psoas} stands in for the psoas major."
    return Table(table, pd.DataFrame(text), caption + study.origin, name="published")

"""Dice by the number of training participants, measured by ``make learning-curve``."""

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, estimate
from muscle_study.statistics.analyses.segmentation.quality import by_muscle
from muscle_study.statistics.analyses.segmentation.strata import mean_interval
from muscle_study.statistics.study.study import Study


def learning_curve(study: Study) -> Result | Absent:
    """Return the mean Dice by number of training participants."""
    card = study.paths.learning_curve / "card.json"
    if not card.exists() or card.read_bytes() != (study.paths.model / "card.json").read_bytes():
        return Absent("learning_curve", "not measured for this model: make learning-curve")
    return Result("learning_curve", _table(study))


def curve(study: Study) -> pd.DataFrame:
    """Return ``training_participants``, ``muscle``, and mean Dice with its bootstrap interval."""
    rows = []
    scores = read_table(study.paths.learning_curve / "scores.csv")
    for size, of_size in scores.groupby("training_participants"):
        dice = by_muscle(of_size, "dice")
        for muscle in MUSCLES:
            values = dice[muscle].dropna().to_numpy()
            if len(values) < study.min_count:
                values = values[:0]
            found = mean_interval(values, study.parameters.confidence)
            rows.append({"training_participants": size, "muscle": muscle, **found})
    return pd.DataFrame(rows)


def _table(study: Study) -> Table:
    data = curve(study)
    text = [
        {"Training participants": format_number(size)}
        | {
            f"Dice, {row.muscle} (CI)": estimate(row.mean, row.low, row.high, 3)
            for row in rows.itertuples()
        }
        for size, rows in data.groupby("training_participants")
    ]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        "Learning curve: mean Dice of the test participants by number of training participants, "
        f"with {percent} % bootstrap interval (CI; participants resampled: variation between "
        "trainings is not included). Each training set holds the smaller ones; all trainings took "
        "the same number of steps." + study.imaged_only + study.origin
    )
    return Table(data, pd.DataFrame(text), caption)

"""Dice by the number of training participants, where that was measured."""

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import MUSCLES
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, estimate
from muscle_study.statistics.analyses.segmentation.quality import by_muscle
from muscle_study.statistics.analyses.segmentation.strata import mean_interval
from muscle_study.statistics.study.study import Study


def is_here(study: Study) -> bool:
    """Tell whether `make learning-curve` has measured it, for the model that the run has now."""
    card = study.paths.learning_curve / "card.json"
    return card.exists() and card.read_bytes() == (study.paths.model / "card.json").read_bytes()


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


def curve_table(study: Study) -> Table:
    """Return the learning curve as a table of the manuscript."""
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
        "Learning curve: mean Dice of the test participants by the number of participants that the "
        f"network was trained on, with {percent} % bootstrap interval (CI; participants resampled, "
        "so that it does not hold what another training would give). Each part holds the smaller "
        "ones; all trainings took as many steps." + study.imaged_only + study.origin
    )
    return Table(data, pd.DataFrame(text), caption, name="learning_curve")

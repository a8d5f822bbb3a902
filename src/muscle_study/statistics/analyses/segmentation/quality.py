"""Scores of the segmentation in the test participants."""

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import MUSCLES, STRUCTURES
from muscle_study.statistics.study.study import Study

STRUCTURE_NAMES = [label.name.lower() for label in STRUCTURES]


def read_quality(study: Study) -> pd.DataFrame:
    """Return the test participants' scores; a distance to a structure not found is missing."""
    path = study.paths.measurements / "segmentation_quality.csv"
    return read_table(path).replace([np.inf, -np.inf], np.nan)


def by_muscle(quality: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return a score averaged over both sides: a row per participant, a column per muscle."""
    muscle = quality["structure"].str.rsplit("_", n=1).str[0]
    wide = quality.assign(muscle=muscle).pivot_table(
        index="participant_id", columns="muscle", values=score, aggfunc="mean"
    )
    return wide.reindex(columns=list(MUSCLES))


def muscle_dice(study: Study) -> pd.DataFrame:
    """Return the test participants' Dice by muscle, averaged over both sides."""
    return by_muscle(read_quality(study), "dice")


def typical_participant(study: Study) -> str:
    """Return the test participant whose mean Dice is nearest to the median."""
    dice = muscle_dice(study).mean(axis=1)
    return str((dice - dice.median()).abs().idxmin())


def has_truth(study: Study) -> bool:
    """Return whether the run's measures were compared with a known truth."""
    return (study.paths.measurements / "agreement.csv").exists()

"""Table of a run's participants with their data from all stages."""

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths

KEY = "participant_id"


def read_people(paths: RunPaths) -> pd.DataFrame:
    """Return the curated participants with the results of later stages, one row each.

    Returns
    -------
    pandas.DataFrame
        Curation's columns (identifier as index); measurement's, and ``dice``, the mean over the
        structures, where these are known.

    Raises
    ------
    FileNotFoundError
        If the run has no curated participants, with the remedy.
    """
    path = paths.curated / "participants.csv"
    if not path.exists():
        raise FileNotFoundError(
            f"{path} is missing: run the stages first (make all RUN={paths.run})"
        )
    people = read_table(path).set_index(KEY)
    measures = paths.measurements / "measures.csv"
    if measures.exists():
        people = people.join(read_table(measures).set_index(KEY))
    quality = paths.measurements / "segmentation_quality.csv"
    if quality.exists():
        people = people.join(read_table(quality).groupby(KEY)["dice"].mean())
    return people


def describe(people: pd.DataFrame) -> dict[str, str]:
    """Return a menu line per participant, by identifier.

    Examples
    --------
    >>> row = {"sex": "female", "age_years": 41.0, "bmi_kg_m2": 23.456, "split": "test"}
    >>> describe(pd.DataFrame([row | {"dice": 0.9321}], index=["100129"]))
    {'100129': '100129, female, 41 years, BMI 23.5, test, Dice 0.932'}
    """
    shown = {
        "sex": "{}",
        "age_years": "{:.0f} years",
        "bmi_kg_m2": "BMI {:.1f}",
        "split": "{}",
        "dice": "Dice {:.3f}",
    }
    return {
        str(name): ", ".join(
            [str(name)]
            + [
                words.format(row[column])
                for column, words in shown.items()
                if column in row and pd.notna(row[column])
            ]
        )
        for name, row in people.iterrows()
    }

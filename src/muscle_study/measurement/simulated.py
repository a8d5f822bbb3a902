"""Simulated measurements of a synthetic cohort's participants without images.

Each is the truth plus the error of a donor: an imaged participant outside training. Donors
have the same sex and a similar size, since errors depend on both: networks overestimate small
muscles and underestimate large ones. One donor gives the errors of all measures, which keeps their
correlation.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.muscles import MUSCLES, SIDES
from muscle_study.protocol.outcomes import CSA, FAT_FRACTION, MEASURES, SIZE, VOLUME, derived

#: Number of donors nearest in size to draw from (our assumption): fewer would repeat single errors,
#: more would lose the dependence on size. A sex with fewer donors takes those of both sexes.
NEAREST = 10

#: Measures that define similar size.
SIZES = [column.format("total") for column in SIZE.values()]


class Simulated(NamedTuple):
    """The tables ``simulated.csv`` and, one row per sex, ``donors.csv``; see ``data/README.md``."""

    measures: pd.DataFrame
    donors: pd.DataFrame


def simulate(
    people: pd.DataFrame, donors: pd.DataFrame, seed: int, covariates: Sequence[Covariate] = ()
) -> Simulated:
    """Simulate what imaging would have measured.

    Parameters
    ----------
    people
        Participants who were not imaged: covariates and true `MEASURES`.
    donors
        Imaged participants: ``sex``, true `MEASURES` and, as ``<measure>_error``, errors.
    seed
        Seed of the random draws.
    covariates
        Declared covariates, beside the built-in ones.

    Raises
    ------
    ValueError
        If there is no donor.

    Notes
    -----
    Areas and volumes take the donor's relative error, since a shifted boundary changes large
    muscles by more and cannot make small ones negative. Fat fractions take the absolute error:
    fat that leaks in from around a muscle does not depend on its inside. Totals add the sides;
    total fat fractions weight them by volume, as in the truth.
    """
    if donors.empty:
        raise ValueError(
            "no participant outside training was measured, so there are no errors for simulated "
            "measurements: raise cohort.n_imaged"
        )
    people = people.sort_values("participant_id", ignore_index=True)
    donors = donors.reset_index(drop=True)
    rng = np.random.default_rng(seed)
    chosen = np.zeros(len(people), int)
    groups = []
    for sex, members in people.groupby("sex"):
        own = donors[donors["sex"] == sex]
        pool = own if len(own) >= NEAREST else donors
        nearest = min(NEAREST, len(pool))
        chosen[members.index] = draw_donors(members, pool, nearest, rng)
        groups.append(
            {
                "sex": sex,
                "donors": len(pool),
                "donors_of": sex if pool is own else "both",
                "nearest": nearest,
                "simulated": len(members),
            }
        )
    measures = with_errors(people, donors.iloc[chosen].reset_index(drop=True))
    measures |= derived(measures, people["height_cm"])
    columns = ["participant_id", *(covariate.name for covariate in (*BUILT_IN, *covariates))]
    table = pd.concat([people[columns], pd.DataFrame(measures)], axis=1)
    return Simulated(table, pd.DataFrame(groups))


def draw_donors(
    people: pd.DataFrame, donors: pd.DataFrame, nearest: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the index of a donor for each of `people`, drawn from the `nearest` in log size."""
    ranks = list(range(1, nearest + 1))
    _, near = KDTree(np.log(donors[SIZES])).query(np.log(people[SIZES]), k=ranks)
    drawn = rng.integers(nearest, size=len(people))
    return donors.index.to_numpy()[near[np.arange(len(people)), drawn]]


def with_errors(people: pd.DataFrame, donors: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the `MEASURES` of `people` with the errors of `donors`, row by row."""
    values = {}
    for name in (*CSA.values(), *VOLUME.values()):
        for side in SIDES:
            column = name.format(side)
            values[column] = people[column] * (1 + donors[f"{column}_error"] / donors[column])
        values[name.format("total")] = sum(values[name.format(side)] for side in SIDES)
    for muscle in MUSCLES:
        for side in SIDES:
            column = FAT_FRACTION[muscle].format(side)
            # a large error of a fatty donor must not carry a lean participant past the limits
            values[column] = (people[column] + donors[f"{column}_error"]).clip(0, 1)
        volumes = {side: values[VOLUME[muscle].format(side)] for side in SIDES}
        fat = sum(values[FAT_FRACTION[muscle].format(side)] * volumes[side] for side in SIDES)
        values[FAT_FRACTION[muscle].format("total")] = fat / sum(volumes.values())
    return {name: values[name] for name in MEASURES}

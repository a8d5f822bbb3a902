"""Measurements of the participants whom a synthetic cohort drew and did not image.

Each gets its truth plus an error that was made on somebody else: a donor, who was imaged, whom
training never saw, and whose measured values and truth are both known. The donor is of the same
sex and of like size, since errors depend on both: networks overrate small muscles and underrate
large ones. One donor gives the errors of all measures, so that these keep belonging together.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.muscles import MUSCLES, SIDES
from muscle_study.protocol.outcomes import CSA, FAT_FRACTION, MEASURES, SIZE, VOLUME, derived

#: A donor is drawn from this many nearest in size (our assumption): fewer would repeat single
#: errors, more would lose that errors depend on size. A sex with fewer donors takes both sexes'.
NEAREST = 10

#: What "like size" compares.
SIZES = [column.format("total") for column in SIZE.values()]


class Simulated(NamedTuple):
    """The measurements, and whose errors they hold.

    Parameters
    ----------
    measures
        ``simulated.csv``: identifiers, covariates, and the columns of ``measures.csv`` that are
        sizes, fat fractions, indices and asymmetries.
    donors
        ``donors.csv``, a row a sex: ``donors`` there are, of which sex (``donors_of``), the
        ``nearest`` that each participant's is drawn from, and the participants ``simulated``.
    """

    measures: pd.DataFrame
    donors: pd.DataFrame


def simulate(
    people: pd.DataFrame, donors: pd.DataFrame, seed: int, covariates: Sequence[Covariate] = ()
) -> Simulated:
    """Simulate what imaging would have measured.

    Parameters
    ----------
    people
        Participants who were not imaged: covariates and their true `MEASURES`.
    donors
        Imaged participants: ``sex``, their true `MEASURES`, and under ``<measure>_error`` what
        was measured minus the truth.
    seed
        Start of the random draws.
    covariates
        Declared covariates, beside the built-in ones.

    Raises
    ------
    ValueError
        If there is no donor.

    Notes
    -----
    Areas and volumes take the donor's error as a share of its truth: a boundary that is off moves
    a large muscle by more, and a small one cannot become negative. Fat fractions take it as it is:
    the fat that leaks in from around a muscle does not depend on what is inside. Totals add the
    sides; that of a fat fraction weights them by volume, as the truth's does.
    """
    if donors.empty:
        raise ValueError(
            "nobody whom training never saw was measured, so there is no error to simulate "
            "measurements with: raise cohort.n_imaged"
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
    """Return the index of a donor for each of `people`, drawn from the `nearest` in size.

    Near is what differs little in the logarithms of the true total CSA and gluteus volume, that
    is, in per cent.
    """
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
            # a fraction has limits; a gross error of a fatty donor must not carry a lean one past
            values[column] = (people[column] + donors[f"{column}_error"]).clip(0, 1)
        volumes = {side: values[VOLUME[muscle].format(side)] for side in SIDES}
        fat = sum(values[FAT_FRACTION[muscle].format(side)] * volumes[side] for side in SIDES)
        values[FAT_FRACTION[muscle].format("total")] = fat / sum(volumes.values())
    return {name: values[name] for name in MEASURES}

"""Groups of age and BMI, and suppression of their counts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from muscle_study.publishing.disclosure import protect
from muscle_study.statistics.study.measures import SEXES

#: WHO's lower limit of overweight (kg/m²), and the paper's split.
OVERWEIGHT_KG_M2 = 25.0


@dataclass(frozen=True)
class Grouping:
    """Division of a continuous variable into groups.

    Parameters
    ----------
    name
        Column of the group.
    variable
        Column of the variable.
    edges
        Lower edges after the first group, rising; a value on an edge is in the upper group.
    step
        Resolution of the labels, e.g. 1 year for 30–39 and 40–49.
    """

    name: str
    variable: str
    edges: tuple[float, ...]
    step: float

    @property
    def labels(self) -> list[str]:
        """The groups' names in rising order, e.g. ``["<30", "30–39", "≥40"]``."""
        digits = 0 if self.step >= 1 and all(float(e).is_integer() for e in self.edges) else 1
        inner = [
            f"{low:.{digits}f}–{high - self.step:.{digits}f}"
            for low, high in zip(self.edges[:-1], self.edges[1:], strict=True)
        ]
        return [f"<{self.edges[0]:g}", *inner, f"≥{self.edges[-1]:g}"]

    def assign(self, values: pd.Series) -> pd.Series:
        """Return each value's group as an ordered categorical; NaN for NaN."""
        bins = [-np.inf, *self.edges, np.inf]
        return pd.cut(values, bins, right=False, labels=self.labels)


def bmi_split() -> Grouping:
    """Return the split at 25 kg/m²."""
    return Grouping("bmi_split", "bmi_kg_m2", (OVERWEIGHT_KG_M2,), 0.1)


def count_groups(
    people: pd.DataFrame, groupings: list[Grouping], min_count: int, hidden_sexes: set[str]
) -> pd.DataFrame:
    """Count participants by sex and group, and mark the counts to hide.

    Parameters
    ----------
    people
        Analysis table with ``sex`` and the variable.
    groupings
        Groupings of one variable, hidden together: a coarse one can expose a small group of a
        fine one.
    min_count
        Smallest count that is shown; others that would expose a smaller one are hidden too.
    hidden_sexes
        Sexes without any shown count.

    Returns
    -------
    pandas.DataFrame
        ``sex``, ``grouping``, ``group``, ``n``, ``hidden``; a row for each group, empty ones too.
    """
    variable = groupings[0].variable
    edges = tuple(sorted({edge for grouping in groupings for edge in grouping.edges}))
    # any value inside a cell tells the groups that the cell lies in
    inside = pd.Series([edges[0] - 1, *edges])
    sums = np.vstack(
        [
            np.array([grouping.assign(inside) == label for label in grouping.labels], float)
            for grouping in groupings
        ]
        + [np.ones((1, len(inside)))]
    )
    names = [(grouping.name, label) for grouping in groupings for label in grouping.labels]
    rows = []
    for sex in SEXES:
        values = people.loc[people["sex"] == sex, variable]
        cells = np.histogram(values, [-np.inf, *edges, np.inf])[0]
        hidden = np.ones(len(sums), bool)
        if sex not in hidden_sexes:  # the sex's own count, the last, is shown already
            hidden = protect(cells, sums, min_count, fixed=np.eye(len(sums), dtype=bool)[-1])
        counts = (sums @ cells).astype(int)
        rows += [
            {"sex": sex, "grouping": name, "group": label, "n": n, "hidden": hide}
            for (name, label), n, hide in zip(names, counts[:-1], hidden[:-1], strict=True)
        ]
    return pd.DataFrame(rows)

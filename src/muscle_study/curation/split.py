"""Split into training, validation and test participants, balanced by sex, age and BMI."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

#: Splits in order of precedence when fewer than three participants are annotated.
SPLITS = ("train", "validation", "test")
NOT_ANNOTATED = "none"

AGE_BANDS = 3


def assign_splits(
    participants: pd.DataFrame, validation_fraction: float, test_fraction: float, seed: int
) -> pd.Series:
    """Assign the annotated participants to splits.

    A split given by the export is kept, so that results on public data sets are comparable.
    Participants without one are for training; without validation, some are drawn for it.

    Parameters
    ----------
    participants
        Columns ``annotated, sex, age_years, bmi_kg_m2, given_split``.
    validation_fraction, test_fraction
        Shares of the annotated participants.
    seed
        Seed of the random starts.

    Returns
    -------
    pandas.Series
        One of `SPLITS` for annotated participants, ``"none"`` for others.
    """
    annotated = participants[participants["annotated"]]
    fractions = {
        "train": 1 - validation_fraction - test_fraction,
        "validation": validation_fraction,
        "test": test_fraction,
    }
    given = annotated["given_split"]
    if given.notna().any():
        dealt = given.fillna("train")
        pool = annotated[dealt == "train"]
        if not (dealt == "validation").any() and len(pool) > 1:
            kept = {"train": 1 - validation_fraction, "validation": validation_fraction}
            dealt.update(deal(pool, kept, seed))
    else:
        dealt = deal(annotated, fractions, seed)
    return dealt.reindex(participants.index, fill_value=NOT_ANNOTATED)


def deal(pool: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.Series:
    """Divide a pool in the given proportions by systematic sampling of an ordered list.

    Participants are ordered such that neighbours are similar; each goes to the split furthest
    behind its share. The seed sets where the splits start.
    """
    counts = whole_shares(len(pool), fractions)
    start = dict(zip(counts, np.random.default_rng(seed).random(len(counts)), strict=True))
    dealt = dict.fromkeys(counts, 0)
    splits = []
    for place in range(1, len(pool) + 1):
        behind = {
            name: counts[name] * place / len(pool) + start[name] - dealt[name]
            for name in counts
            if dealt[name] < counts[name]
        }
        split = max(behind, key=behind.get)
        dealt[split] += 1
        splits.append(split)
    return pd.Series(splits, index=ordered_by_similarity(pool), dtype="str").reindex(pool.index)


def whole_shares(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Return whole numbers nearest to the fractions that sum to `total`.

    Every positive fraction gets at least one, as long as `total` suffices.

    Examples
    --------
    >>> whole_shares(10, {"train": 0.5, "validation": 0.15, "test": 0.35})
    {'train': 5, 'validation': 2, 'test': 3}
    >>> whole_shares(3, {"train": 0.9, "validation": 0.05, "test": 0.05})
    {'train': 1, 'validation': 1, 'test': 1}
    >>> whole_shares(3, {"train": 0, "validation": 0, "test": 1})
    {'train': 0, 'validation': 0, 'test': 3}
    """
    shared = [name for name, fraction in fractions.items() if fraction > 0]
    counts = {name: int(name in shared[:total]) for name in fractions}
    for _ in range(total - sum(counts.values())):
        behind = {name: fractions[name] * total - counts[name] for name in counts}
        counts[max(behind, key=behind.get)] += 1
    return counts


def ordered_by_similarity(pool: pd.DataFrame) -> pd.Index:
    """Return the pool's index, ordered such that neighbours are similar in sex, age and BMI.

    Order is by sex, then thirds of age, then BMI, ascending and descending in turn so that the
    row does not jump. Participants with a missing value are grouped.
    """
    ordered = []
    up = True
    for _, same_sex in pool.groupby(pool["sex"].fillna(""), sort=True):
        rank = same_sex["age_years"].rank(method="first", pct=True)
        band = np.ceil(rank * AGE_BANDS).fillna(0)
        for _, alike in same_sex.groupby(band, sort=True):
            by_bmi = alike.sort_values(["bmi_kg_m2", "age_years"], ascending=up, kind="stable")
            ordered.extend(by_bmi.index)
            up = not up
    return pd.Index(ordered)

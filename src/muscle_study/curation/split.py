"""Who trains, who validates, who tests: alike in sex, age and BMI."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

#: In the order in which they are served when fewer than three participants are annotated.
SPLITS = ("train", "validation", "test")
NOT_ANNOTATED = "none"

AGE_BANDS = 3


def assign_splits(
    participants: pd.DataFrame, validation_fraction: float, test_fraction: float, seed: int
) -> pd.Series:
    """Divide the annotated participants.

    The export's own division (``given_split``) is kept, so that results on a public data set
    compare with others'. Those whom it leaves open train; where it names nobody to validate, they
    are drawn from training.

    Parameters
    ----------
    participants
        ``annotated, sex, age_years, bmi_kg_m2, given_split``, a row each.
    validation_fraction, test_fraction
        Shares of the annotated participants.
    seed
        Same seed, same participants: same splits.

    Returns
    -------
    pandas.Series
        One of `SPLITS` for the annotated, ``"none"`` for the others.
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
    """Deal a pool out in the given proportions, so that each part is like the whole.

    People are put in a row in which neighbours are alike, and cards are dealt along it, each to
    the split that is furthest behind its share (systematic sampling of an ordered list). The seed
    decides where in their round the splits begin.
    """
    counts = share_out(len(pool), fractions)
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
    return pd.Series(splits, index=in_a_row(pool), dtype="str").reindex(pool.index)


def share_out(total: int, fractions: Mapping[str, float]) -> dict[str, int]:
    """Return whole numbers nearest to the fractions that sum to `total`.

    Zero is only who has a fraction of zero; below one each, the first splits get theirs.

    Examples
    --------
    >>> share_out(10, {"train": 0.5, "validation": 0.15, "test": 0.35})
    {'train': 5, 'validation': 2, 'test': 3}
    >>> share_out(3, {"train": 0.9, "validation": 0.05, "test": 0.05})
    {'train': 1, 'validation': 1, 'test': 1}
    >>> share_out(3, {"train": 0, "validation": 0, "test": 1})
    {'train': 0, 'validation': 0, 'test': 3}
    """
    shared = [name for name, fraction in fractions.items() if fraction > 0]
    counts = {name: int(name in shared[:total]) for name in fractions}
    for _ in range(total - sum(counts.values())):
        behind = {name: fractions[name] * total - counts[name] for name in counts}
        counts[max(behind, key=behind.get)] += 1
    return counts


def in_a_row(pool: pd.DataFrame) -> pd.Index:
    """Return the pool's index, ordered so that neighbours are alike in sex, age and BMI.

    By sex, within it by thirds of age, within these by BMI, up in one third and down in the next,
    so that the row does not jump. Who lacks one of these stands together with the like.
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

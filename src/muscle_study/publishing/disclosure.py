"""Suppression of counts that would disclose a small group.

An intruder knows every shown count, which counts are sums of which, and that no count is negative.
For a count under the threshold, a value at or above the threshold must stay possible. Suppressing
small counts alone is not enough, as a total gives away a single missing cell; other counts are
suppressed too (complementary suppression).
See Hundepool et al., Statistical Disclosure Control (Wiley, 2012), chapter 4.
"""

import numpy as np
from scipy.optimize import linprog

#: Mark of a suppressed value in tables, small itself or hidden to protect a small one.
MARK = "–"

#: Word for a suppressed number in the text.
SUPPRESSED = "suppressed"

_UNBOUNDED = 3  # linprog's status


def protect(
    cells: np.ndarray,
    sums: np.ndarray,
    min_count: int,
    fixed: np.ndarray | None = None,
    order: np.ndarray | None = None,
) -> np.ndarray:
    """Choose the counts to hide.

    Counts are revealed one by one, each only if it gives no small one away; from the largest to
    the smallest, so that totals stay and nothing is hidden without need.

    Parameters
    ----------
    cells
        Counts of the finest groups, shape (c,); each participant is in exactly one.
    sums
        Cells that each count of the tables adds up, 0 or 1, shape (n, c).
    min_count
        Threshold; counts below it are small, zero included.
    fixed
        Counts shown elsewhere that cannot be hidden, boolean, shape (n,).
    order
        Indices of the counts, those most worth showing first, shape (n,); by default from the
        largest to the smallest.

    Returns
    -------
    numpy.ndarray
        True for each count to hide, shape (n,).

    Raises
    ------
    ValueError
        If the fixed counts give a small one away by themselves.

    Examples
    --------
    Two of 80 are small; the total would tell, so the smallest other count goes too.

    >>> protect(np.array([2, 30, 48]), np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]), 5)
    array([ True,  True, False, False])
    """
    counts = sums @ cells
    small = counts < min_count
    shown = np.zeros(len(counts), bool) if fixed is None else np.asarray(fixed, bool).copy()
    if gives_away(counts, sums, shown, small, min_count):
        raise ValueError("the counts that are shown elsewhere give a small count away")
    for index in np.argsort(-counts, kind="stable") if order is None else order:
        if small[index] or shown[index]:
            continue
        shown[index] = True
        if gives_away(counts, sums, shown, small, min_count):
            shown[index] = False
    return ~shown


def gives_away(
    counts: np.ndarray, sums: np.ndarray, shown: np.ndarray, small: np.ndarray, min_count: int
) -> bool:
    """Return whether the shown counts prove that one of the small ones is under the threshold."""
    return any(
        largest_possible(counts, sums, shown, index) < min_count for index in np.flatnonzero(small)
    )


def largest_possible(counts: np.ndarray, sums: np.ndarray, shown: np.ndarray, index: int) -> float:
    """Return the largest value of count `index` that is consistent with the shown counts."""
    solved = linprog(
        -sums[index], A_eq=sums[shown], b_eq=counts[shown], bounds=(0, None), method="highs"
    )
    if solved.status == _UNBOUNDED:
        return np.inf
    # the solver's tolerance must not turn 5 into 4.9999
    return round(-solved.fun, 6)


def hidden_in_table(table: np.ndarray, min_count: int) -> np.ndarray:
    """Choose the counts to hide in a cross-table shown with its totals.

    Parameters
    ----------
    table
        Counts without totals, shape (rows, columns).
    min_count
        Threshold; counts below it are small.

    Returns
    -------
    numpy.ndarray
        True for each count to hide; totals are the last row and column: (rows + 1, columns + 1).
    """
    rows, columns = table.shape
    pick_rows = np.vstack([np.eye(rows), np.ones(rows)])
    pick_columns = np.vstack([np.eye(columns), np.ones(columns)])
    hidden = protect(table.ravel(), np.kron(pick_rows, pick_columns), min_count)
    return hidden.reshape(rows + 1, columns + 1)


def pool_small(counts: dict[str, int], min_count: int) -> list[tuple[tuple[str, ...], int]]:
    """Add up small categories instead of hiding them.

    Parameters
    ----------
    counts
        Counts by category; zeros are dropped.
    min_count
        Threshold; counts below it are small.

    Returns
    -------
    list of (names, count)
        Largest first; the last may hold several names, pooled until their sum is not small. It is
        itself small only if all categories together are.

    Examples
    --------
    >>> pool_small({"a": 9, "b": 3, "c": 1, "d": 20}, 5)
    [(('d',), 20), (('b', 'c', 'a'), 13)]
    """
    falling = sorted(((n, name) for name, n in counts.items() if n), key=lambda it: (-it[0], it[1]))
    kept = [(name, n) for n, name in falling if n >= min_count]
    pooled = [(name, n) for n, name in falling if n < min_count]
    while pooled and kept and sum(n for _, n in pooled) < min_count:
        pooled.append(kept.pop())
    alone = [((name,), n) for name, n in kept]
    if not pooled:
        return alone
    return [*alone, (tuple(name for name, _ in pooled), sum(n for _, n in pooled))]

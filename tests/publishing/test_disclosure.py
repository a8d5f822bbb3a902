"""Suppression in hand-checkable tables."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from muscle_study.publishing.disclosure import (
    hidden_in_table,
    largest_possible,
    pool_small,
    protect,
)


def in_a_row(cells):
    """Return the sums of a row that is shown with its total."""
    return np.vstack([np.eye(len(cells)), np.ones(len(cells))])


@pytest.mark.parametrize(
    ("cells", "hidden"),
    [
        # nothing small: nothing hidden
        ([10, 20, 30], [0, 0, 0, 0]),
        # one small: the total would tell it, so the next smallest goes too
        ([2, 30, 40], [1, 1, 0, 0]),
        # the two small ones add up to the threshold: no other is needed
        ([1, 4, 40], [1, 1, 0, 0]),
        # their sum is smaller: subtraction shows that both are small
        ([1, 2, 40, 50], [1, 1, 1, 0, 0]),
        # an empty group is small
        ([0, 30, 40], [1, 1, 0, 0]),
        # all together are small: nothing can be shown
        ([1, 2], [1, 1, 1]),
    ],
)
def test_a_row_with_its_total(cells, hidden):
    assert protect(np.array(cells), in_a_row(cells), 5).tolist() == [bool(h) for h in hidden]


def test_fixed_counts_are_shown():
    cells = np.array([2, 30, 48])
    fixed = np.array([False, True, False, False])
    hidden = protect(cells, in_a_row(cells), 5, fixed)
    assert hidden.tolist() == [True, False, True, False]


def test_fixed_counts_that_give_a_small_one_away_are_refused():
    cells = np.array([2, 30])
    with pytest.raises(ValueError, match="give a small count away"):
        protect(cells, in_a_row(cells), 5, fixed=np.array([False, True, True]))


def test_a_coarser_grouping_does_not_give_a_finer_one_away():
    # <18.5, 18.5-25, >=25; shown beside <25 and the total: <25 minus 18.5-25 would tell the 3
    cells = np.array([3, 40, 57])
    sums = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 1, 1]])
    hidden = protect(cells, sums, 5)
    assert hidden[0]
    assert hidden[1]
    assert not hidden[4]


def test_largest_possible_value():
    cells = np.array([2, 30, 40])
    shown = np.array([False, False, True, True])
    assert largest_possible(in_a_row(cells) @ cells, in_a_row(cells), shown, 0) == 32
    nothing = np.zeros(4, bool)
    assert largest_possible(in_a_row(cells) @ cells, in_a_row(cells), nothing, 0) == np.inf


def test_a_table_needs_a_second_row_and_column():
    table = np.array([[2, 30, 31], [20, 40, 41], [21, 50, 51]])
    hidden = hidden_in_table(table, 5)
    assert hidden[0, 0]
    assert hidden[0].sum() >= 2
    assert hidden[:, 0].sum() >= 2
    assert not hidden[-1, -1]


@settings(max_examples=25, deadline=None)
@given(
    hnp.arrays(int, st.tuples(st.integers(1, 4), st.integers(1, 3)), elements=st.integers(0, 30))
)
def test_no_small_count_can_be_worked_out(table):
    """An intruder's best guess, by another road: try all that fits, one cell at a time."""
    hidden = hidden_in_table(table, 5)
    full = np.pad(table, (0, 1))
    full[:-1, -1], full[-1] = table.sum(axis=1), full[:-1].sum(axis=0)
    full[-1, -1] = table.sum()
    assert hidden[full < 5].all()
    # a lone hidden count of a line that is otherwise shown could be subtracted
    for lines, counts in ((hidden, full), (hidden.T, full.T)):
        for line, values in zip(lines, counts, strict=True):
            if (values[line] < 5).any():
                assert line.sum() != 1


@pytest.mark.parametrize(
    ("counts", "pooled"),
    [
        ({}, []),
        ({"a": 7, "b": 0}, [(("a",), 7)]),
        ({"a": 7, "b": 2, "c": 3}, [(("a",), 7), (("c", "b"), 5)]),
        # the pool is small itself: the smallest of the others joins it
        ({"a": 9, "b": 7, "c": 1}, [(("a",), 9), (("c", "b"), 8)]),
        # all together are small
        ({"a": 1, "b": 2}, [(("b", "a"), 3)]),
    ],
)
def test_pooling(counts, pooled):
    assert pool_small(counts, 5) == pooled

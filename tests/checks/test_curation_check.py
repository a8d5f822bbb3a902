"""Faults in the cohort of the curation check, and criteria that are not met."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.checks.curation_check.check import missed
from muscle_study.checks.curation_check.cohort import check_parameters, draw_check_cohort
from muscle_study.checks.curation_check.swaps import COLUMNS, CORRECTED
from muscle_study.protocol.faults import Fault
from muscle_study.running.parameters import load

EACH = 2


@pytest.fixture(scope="module")
def cohort():
    return check_parameters(load("ci").cohort, EACH, sound=5, seed=3)


@pytest.fixture(scope="module")
def drawn(cohort):
    return draw_check_cohort(cohort, EACH)


def test_every_kind_occurs_as_often_as_asked_for(drawn):
    counts = drawn.faults["fault"].value_counts()
    assert counts.to_dict() == dict.fromkeys(Fault, EACH)
    assert drawn.faults["participant_id"].is_unique
    assert len(drawn.imaged) == EACH * len(Fault) + 5


def test_details_and_donors_are_as_the_cohorts_own(drawn):
    by_kind = drawn.faults.set_index("fault")["detail"]
    assert by_kind.ne("").groupby(level=0).all().to_dict() == {
        str(fault): bool(fault.detail) for fault in Fault
    }
    donors = by_kind["duplicate_scan"]
    assert not donors.isin(drawn.faults["participant_id"]).any()
    unknown = drawn.faults.query("fault == 'unknown_label'")["participant_id"]
    assert set(unknown) <= drawn.annotated


def test_same_seed_same_faults(cohort, drawn):
    pd.testing.assert_frame_equal(draw_check_cohort(cohort, EACH).faults, drawn.faults)


def test_too_few_to_lend_are_refused():
    few = check_parameters(load("ci").cohort, EACH, sound=1, seed=3)
    with pytest.raises(ValueError, match="1 sound participants cannot lend images to 2"):
        draw_check_cohort(few, EACH)


def confusion(sensitivity=1.0, specificity=1.0):
    rows = [("swap_whole", sensitivity, 1.0), ("none", np.nan, specificity)]
    return pd.DataFrame(rows, columns=["fault", "sensitivity", "specificity"])


def righted(n=3, difference=0.0):
    rows = [("composed", "swap_whole", 3, n, difference)]
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ((confusion(), righted()), None),
        ((confusion(0.95, 0.98), righted(difference=0.5)), None),
        ((confusion(0.94), righted()), "swap_whole: sensitivity 0.940 < 0.95"),
        ((confusion(specificity=0.97), righted()), "none: specificity 0.970 < 0.98"),
        ((confusion(), righted(n=2)), "swap_whole, composed: 2 of 3 corrected"),
        ((confusion(), righted(difference=0.6)), "measures off by 0.60 %"),
        ((confusion(), righted(difference=np.nan)), "measures off by nan %"),
    ],
)
def test_bars_that_are_missed_are_said(tables, problem):
    problems = missed(*tables)
    assert len(problems) == (problem is not None)
    assert problem is None or problem in problems[0]


def test_what_can_be_put_right_is_compared():
    assert Fault.SWAP_STATION in CORRECTED["stations"]
    assert Fault.SWAP_STATION not in CORRECTED["composed"]  # its border is not known to a voxel

"""The map over participants loses nobody."""

import subprocess
import sys

import pytest

from muscle_study.cluster import attempt, map_participants
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.exclusions import Excluded, Reason

TWO_WORKERS = ClusterParameters(kind="local", workers=2, threads=1)


def work(task: int) -> dict:
    if task == 2:
        raise Excluded(Reason.EMPTY_IMAGE, "water.nii.gz: all voxels are zero")
    if task == 4:
        raise ZeroDivisionError("by chance")
    return {"double": 2 * task}


def test_outcome_of_one_participant():
    assert attempt(work, "a", 1) == {"record": {"participant_id": "a", "double": 2}}
    excluded = attempt(work, "a", 2)["excluded"]
    assert excluded["reason"] is Reason.EMPTY_IMAGE
    assert excluded["detail"] == "water.nii.gz: all voxels are zero"


def test_an_unforeseen_error_names_itself_and_its_place():
    excluded = attempt(work, "a", 4)["excluded"]
    assert excluded["reason"] is Reason.UNEXPECTED_ERROR
    assert excluded["detail"].startswith("ZeroDivisionError: by chance (work, line ")


def test_everyone_comes_back_sorted_kept_or_excluded():
    tasks = {f"p{i}": i for i in (5, 4, 3, 2, 1)}
    records, exclusions = map_participants("stage", work, tasks, TWO_WORKERS)
    assert records["participant_id"].tolist() == ["p1", "p3", "p5"]
    assert records["double"].tolist() == [2, 6, 10]
    assert exclusions[["participant_id", "stage", "reason"]].to_numpy().tolist() == [
        ["p2", "stage", "empty_image"],
        ["p4", "stage", "unexpected_error"],
    ]


@pytest.mark.parametrize("table", [0, 1])
def test_nobody_in_nobody_out(table):
    empty = map_participants("stage", work, {}, TWO_WORKERS)[table]
    assert len(empty) == 0
    assert "participant_id" in empty.columns


WARNS = """
import logging
from muscle_study.cluster import LocalCluster
logging.getLogger("distributed.nanny").warning("Worker process still alive")
"""


def test_warnings_carry_no_date_into_notebooks():
    """The check of the report would take it for one of a scan."""
    done = subprocess.run([sys.executable, "-c", WARNS], capture_output=True, text=True, check=True)
    assert done.stderr == "distributed.nanny: Worker process still alive\n"

"""Training participants are identified by their scans, whatever their identifiers."""

import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.used import check_test_split_unseen, scan_hashes, used_by, used_earlier


@pytest.fixture
def used(paths, parameters):
    """Write who trains the segmenter; return the table."""
    table = used_by(paths, {"segmenter_1": AnnotatedParticipants(paths, parameters, "segmenter")})
    write_example(table, paths.model / "used.csv")
    return table


def rename(table, old, new):
    """Give a participant another name in a table on disk."""
    rows = read_table(table)
    write_example(rows.replace({"participant_id": {old: new}}), table)


def test_the_splits_are_listed_with_their_scans(paths, used):
    assert used["participant_id"].tolist() == ["a", "b", "c"]
    assert used["split"].tolist() == ["train", "train", "validation"]
    assert used["scans_sha256"].nunique() == 3
    check_test_split_unseen(paths)


def test_scans_are_known_whatever_the_name_the_labels_and_the_curation(paths):
    before = scan_hashes(paths)
    table = paths.curated / "inventory.csv"
    rename(table, "a", "z")
    rows = read_table(table).assign(contrast="fat", used=False)
    label = rows.iloc[[0]].assign(kind="label", sha256="drawn again")
    write_example(pd.concat([rows.iloc[::-1], label]), table)
    after = scan_hashes(paths)
    assert after["z"] == before["a"] and after["b"] == before["b"]


def test_a_test_participant_who_trained_is_refused(paths, used):
    rename(paths.curated / "participants.csv", "d", "b")
    rename(paths.curated / "inventory.csv", "d", "e")
    with pytest.raises(ValueError, match=r"used\.csv: training has seen 1 of the 1 participants"):
        check_test_split_unseen(paths)


def test_a_name_that_an_earlier_training_gave_to_someone_else_is_no_matter(paths, used):
    write_example(used_earlier(paths.model, "start_from"), paths.model / "used.csv")
    rename(paths.curated / "participants.csv", "b", "x")
    rename(paths.curated / "participants.csv", "d", "b")
    rename(paths.curated / "inventory.csv", "b", "x")
    rename(paths.curated / "inventory.csv", "d", "b")
    check_test_split_unseen(paths)


def test_scans_of_an_earlier_training_are_refused_in_the_test_split(paths, used):
    earlier = used_earlier(paths.model, "start_from")
    assert set(earlier["network"]) == {"start_from/segmenter_1"}
    write_example(earlier, paths.model / "used.csv")
    check_test_split_unseen(paths)
    inventory = read_table(paths.curated / "inventory.csv")
    inventory["sha256"] = ["s1", "s2", "s3", "s1"]  # d is participant a of the earlier cohort
    write_example(inventory, paths.curated / "inventory.csv")
    with pytest.raises(ValueError, match="training has seen 1 of the 1"):
        check_test_split_unseen(paths)

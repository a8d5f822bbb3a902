"""Files are written atomically, and tables have reproducible bytes."""

import pandas as pd
import pytest

from muscle_study.protocol.files import read_table, whole_file, write_json, write_table


def test_failed_write_leaves_the_old_file_and_nothing_beside(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write_and_fail():
        with whole_file(path) as beside:
            beside.write_text("half")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_and_fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_writers_with_the_same_process_number_do_not_meet(tmp_path):
    """As in two containers."""
    path = tmp_path / "table.csv"
    with whole_file(path) as first:
        first.write_text("first")
        with whole_file(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_temporary_name_keeps_the_ending(tmp_path):
    with whole_file(tmp_path / "new" / "image.nii.gz") as beside:
        assert beside.name.endswith(".nii.gz")
        beside.write_bytes(b"1")
    assert (tmp_path / "new" / "image.nii.gz").read_bytes() == b"1"


def test_identifiers_stay_text_and_bytes_repeat(tmp_path):
    table = pd.DataFrame({"participant_id": ["007", "100"], "value": [0.1 + 0.2, 1e-12]})
    path = tmp_path / "table.csv"
    write_table(table, path)
    first = path.read_bytes()
    assert first == b"participant_id,value\n007,0.3\n100,1e-12\n"
    write_table(read_table(path), path)
    assert path.read_bytes() == first


def test_missing_table_says_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"absent\.csv is missing: run the stage"):
        read_table(tmp_path / "absent.csv")


def test_nan_is_refused_in_json(tmp_path):
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json({"dice": float("nan")}, tmp_path / "card.json")
    assert not (tmp_path / "card.json").exists()

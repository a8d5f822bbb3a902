"""A record is valid while code, settings, inputs and outputs of its work are unchanged."""

import math
import os

import numpy as np
import pytest

from muscle_study.mapping.code_version import code_digest
from muscle_study.mapping.records import Recorded, Records
from muscle_study.protocol.exclusions import Excluded, Reason


class Work:
    """Doubles the number in a file, which is also written; counts what it does."""

    def __init__(self, folder, **changes):
        self.folder, self.done = folder, 0
        records = Records(
            folder / "records",
            inputs=lambda task: [folder / f"{task}.in"],
            outputs=lambda task, record: [folder / f"{task}.out"],
            **changes,
        )
        self.recorded = Recorded(self.double, records)

    def double(self, task):
        self.done += 1
        value = float((self.folder / f"{task}.in").read_text())
        if value < 0:
            raise Excluded(Reason.EMPTY_IMAGE if value > -2 else Reason.IO_ERROR, "negative")
        (self.folder / f"{task}.out").write_text(str(2 * value))
        return {"double": np.float64(2 * value), "rows": [(1, np.array([0.1, np.nan]))]}

    def find(self):
        return self.recorded.recall(("p", "a"))

    def run(self):
        return self.recorded(("p", "a"))


@pytest.fixture
def work(tmp_path):
    (tmp_path / "a.in").write_text("3")
    return Work(tmp_path)


def test_a_recalled_record_is_the_new_one(work):
    assert work.find() is None
    record = work.run()
    assert 0 <= record.pop("seconds") < 10
    assert record == {"double": 6.0, "rows": [[1, [0.1, None]]]}  # as JSON holds it
    again = work.find()
    assert again.pop("seconds") < 10 and again == record and work.done == 1


def test_a_touched_file_is_read_and_not_worked_on(work):
    first = work.run()
    os.utime(work.folder / "a.in", (1, 1))
    assert work.find() is None
    assert work.run() == first == work.find()
    assert work.done == 1


@pytest.mark.parametrize("lost", ["a.out", "records/p.json"])
def test_what_is_lost_is_made_again(work, lost):
    work.run()
    (work.folder / lost).unlink()
    assert work.find() is None
    work.run()
    assert work.done == 2 and work.find() is not None


@pytest.mark.parametrize("changes", [{"settings": {"a": 2}}, {"values": lambda task: task}])
def test_other_settings_or_values_are_other_work(work, changes):
    work.run()
    other = Work(work.folder, **changes)
    assert other.find() is None
    other.run()
    assert other.done == 1


def test_the_order_of_settings_does_not_count(work):
    Work(work.folder, settings={"a": 1, "b": math.pi}).run()
    assert Work(work.folder, settings={"b": math.pi, "a": 1}).find() is not None


def test_an_exclusion_is_recalled_until_the_file_changes(work):
    (work.folder / "a.in").write_text("-1")
    with pytest.raises(Excluded, match="negative"):
        work.run()
    with pytest.raises(Excluded, match="empty_image: negative"):
        work.find()
    (work.folder / "a.in").write_text("1.5")
    assert work.find() is None and work.run()["double"] == 3


def test_an_exclusion_for_a_failure_that_may_pass_is_not_kept(work):
    (work.folder / "a.in").write_text("-3")
    with pytest.raises(Excluded):
        work.run()
    assert work.find() is None


def test_a_record_is_gone_before_its_outputs_are_replaced(work):
    work.run()
    (work.folder / "a.in").write_text("not a number")
    with pytest.raises(ValueError, match="could not convert"):
        work.run()
    assert not list((work.folder / "records").iterdir())


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in which a stage imports a module at its top, one in a function, and machinery."""
    package = tmp_path / "muscle_study"
    for name, text in {
        "stage/work.py": "from muscle_study.other.part import x\nfrom muscle_study import mapping"
        "\nfrom muscle_study.mapping import cluster\nfrom muscle_study.protocol import files"
        "\nfrom muscle_study.protocol.muscles import Label",
        "stage/overview.py": "one",
        "other/part.py": "def f():\n    from muscle_study import volumes\n",
        "other/unused.py": "one",
        "volumes.py": "one",
        "mapping/cluster.py": "from muscle_study.other import unused",
        "protocol/files.py": "one",
        "protocol/muscles.py": "one",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    for module in ("code_version", "imports"):
        monkeypatch.setattr(f"muscle_study.mapping.{module}.PACKAGE", package)
    return package


@pytest.mark.parametrize(
    ("changed", "counts"),
    [("stage/work.py", True), ("other/part.py", True), ("volumes.py", True),
     ("protocol/muscles.py", True), ("protocol/files.py", False), ("stage/overview.py", False),
     ("other/unused.py", False), ("mapping/cluster.py", False)],
)  # fmt: skip
def test_code_digest_follows_what_is_imported_and_has_an_effect(package, changed, counts):
    before = code_digest(package / "stage" / "work.py")
    with (package / changed).open("a") as file:
        file.write("\n# changed\n")
    assert (code_digest(package / "stage" / "work.py") != before) is counts

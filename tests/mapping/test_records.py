"""A record counts only under the key that it was made with."""

import pytest

from muscle_study.mapping.records import (
    PACKAGE,
    code_digest,
    read_record,
    record_key,
    sources_of,
    write_record,
)


def test_record_is_returned_under_its_key_only(tmp_path):
    path = tmp_path / "1.json"
    key = record_key("code", {"a": 1})
    assert read_record(path, key) is None
    write_record(path, key, {"seconds": 2})
    assert read_record(path, key) == {"seconds": 2}
    assert read_record(path, record_key("code", {"a": 2})) is None


def test_key_does_not_depend_on_the_order_of_parameters():
    assert record_key({"a": 1, "b": 2}) == record_key({"b": 2, "a": 1})


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in which a stage imports a module at its top, one in a function, and machinery."""
    package = tmp_path / "muscle_study"
    for name, text in {
        "stage/work.py": "from muscle_study.other.part import x\nfrom muscle_study import cluster",
        "stage/overview.py": "one",
        "other/part.py": "def f():\n    from muscle_study import volumes\n",
        "other/unused.py": "one",
        "volumes.py": "one",
        "cluster.py": "from muscle_study.other import unused",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    monkeypatch.setattr("muscle_study.mapping.records.PACKAGE", package)
    return package


@pytest.mark.parametrize(
    ("changed", "counts"),
    [("stage/work.py", True), ("other/part.py", True), ("volumes.py", True),
     ("stage/overview.py", False), ("other/unused.py", False), ("cluster.py", False)],
)  # fmt: skip
def test_code_digest_follows_what_is_imported(package, changed, counts):
    before = code_digest(package / "stage" / "work.py")
    with (package / changed).open("a") as file:
        file.write("\n# changed\n")
    assert (code_digest(package / "stage" / "work.py") != before) is counts


def test_the_network_and_the_resampling_are_behind_a_label_map():
    sources = {
        str(file.relative_to(PACKAGE)) for file in sources_of(PACKAGE / "inference/stage.py")
    }
    assert {"resampling.py", "training/network.py", "training/preprocessing.py"} <= sources
    assert not sources & {"cluster.py", "records.py", "training/fit.py"}

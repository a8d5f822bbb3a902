"""A record counts only under the key that it was made with."""

from muscle_study.records import SHARED, code_digest, read_record, record_key, write_record


def test_record_is_returned_under_its_key_only(tmp_path):
    path = tmp_path / "1.json"
    key = record_key("code", {"a": 1})
    assert read_record(path, key) is None
    write_record(path, key, {"seconds": 2})
    assert read_record(path, key) == {"seconds": 2}
    assert read_record(path, record_key("code", {"a": 2})) is None


def test_key_does_not_depend_on_the_order_of_parameters():
    assert record_key({"a": 1, "b": 2}) == record_key({"b": 2, "a": 1})


def test_code_digest_follows_the_package_and_the_shared_modules(tmp_path):
    package, other = tmp_path / "stage", tmp_path / "other"
    for folder in (package, other):
        folder.mkdir()
        (folder / "work.py").write_text("one")
    for name in (*SHARED, "runner.py"):
        (tmp_path / name).write_text("one")
    before = code_digest(package)
    (other / "work.py").write_text("two")
    (tmp_path / "runner.py").write_text("two")
    assert code_digest(package) == before
    (package / "work.py").write_text("two")
    changed = code_digest(package)
    assert changed != before
    (tmp_path / SHARED[-1]).write_text("two")
    assert code_digest(package) != changed

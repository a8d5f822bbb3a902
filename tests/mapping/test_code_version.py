"""A worker with other code stops the run; code of other stages may change meanwhile."""

from functools import partial

import pytest

from faulty_work import environment
from muscle_study.inference.label_sources import write_label_map
from muscle_study.mapping.code_version import Code, digest_of
from muscle_study.measurement.participants import measure_participant


def test_the_code_behind_a_function_is_its_module_and_what_that_imports():
    files = set(Code.behind(write_label_map).files)
    assert {"inference/label_sources.py", "networks/network.py", "imaging/resampling.py"} <= files
    assert "protocol/muscles.py" in files
    assert not {"inference/stage.py", "mapping/cluster.py", "protocol/files.py"} & files


def test_a_partial_function_is_the_function_in_it():
    assert Code.behind(partial(measure_participant)) == Code.behind(measure_participant)


def test_a_function_of_elsewhere_has_no_code_of_the_package():
    assert Code.behind(environment).files == ()


@pytest.mark.parametrize("change", ["edited", "removed"])
def test_the_digest_follows_the_files(tmp_path, monkeypatch, change):
    monkeypatch.setattr("muscle_study.mapping.code_version.PACKAGE", tmp_path)
    file = tmp_path / "work.py"
    file.write_text("one")
    before = digest_of(["work.py"])
    file.write_text("two") if change == "edited" else file.unlink()
    assert digest_of(["work.py"]) != before

"""Verifying and auditing the finished smallest run."""

import shutil

import pytest

from muscle_study.checks.chain import check_chain, check_volumes, read_manifests
from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.numbers import read_numbers

pytestmark = pytest.mark.run


@pytest.fixture
def copy(ci_output, tmp_path, monkeypatch):
    """Return the paths of a copy of the smallest run that may be damaged."""
    shutil.copytree(ci_output, tmp_path / "copy")
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path / "copy"))
    return RunPaths("ci")


def test_a_finished_run_verifies_and_is_left_as_it_was(make, ci_run, ci_output):
    def times():
        files = [path for path in ci_output.rglob("*") if path.is_file() and path.name != ".lock"]
        return {path: path.stat().st_mtime_ns for path in files}

    before = times()
    done = make("verify", "RUN=ci", f"OUT={ci_output}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Run ci: verified" in done.stdout and "OFF" not in done.stdout
    assert times() == before
    assert not ci_run.verification.exists()


def test_everything_that_a_stage_read_was_written_by_an_earlier_one(ci_run):
    manifests = read_manifests(ci_run)
    checked = check_chain(ci_run, manifests)
    assert checked.problems == []
    # from outside: figures of the literature alone
    assert [note.split()[0] for note in checked.notes] == ["statistics", "extensions"]
    assert all("data/published" in note for note in checked.notes)
    folders = {f"reports/ci/{name}" for name in ("tables", "figures", "numbers", "published")}
    assert set(manifests["statistics"]["outputs"]) == set(manifests["extensions"]["outputs"])
    assert set(manifests["extensions"]["outputs"]) == folders
    assert "manuscript.html" in manifests["report"]["outputs"]["reports/ci"]


def test_what_was_changed_afterwards_is_named(copy):
    changed = {
        "data/ci/measurements/measures.csv": copy.measurements / "measures.csv",
        "reports/ci/tables/regression.csv": copy.tables / "regression.csv",
        "reports/ci/manuscript.html": copy.reports / "manuscript.html",
    }
    for path in changed.values():
        path.write_text(path.read_text() + "\n")
    (copy.tables / "tests.csv").unlink()
    manifests = read_manifests(copy)
    problems = check_chain(copy, manifests).problems
    for name in changed:
        assert any(problem.startswith(f"{name} is not what") for problem in problems)
    assert "reports/ci/tables/tests.csv is missing" in problems

    label = next(copy.segmentations.glob("*.nii.gz"))
    label.write_bytes(label.read_bytes()[:-1])
    image = next(copy.curated.glob("images/*/water.nii"))
    image.unlink()
    found = check_volumes(copy, manifests).problems
    assert found == [
        f"curated/{image.relative_to(copy.curated)} is missing",
        f"segmentations/{label.name} is not what inference wrote",
    ]


def test_the_chain_of_a_number_is_told_from_the_page_to_the_raw_data(make, ci_run, ci_output):
    said = make("audit", "RUN=ci", f"OUT={ci_output}", "NUMBER=csa.mean_men").stdout
    number = read_json(ci_run.numbers / "statistics.json")["csa.mean_men"]
    assert said.startswith(f"csa.mean_men = {number['text']}\n")
    manifest = read_json(ci_run.measurements / "manifest.json")
    measures = manifest["outputs"]["data/ci/measurements"]["measures.csv"]
    parts = (
        "manuscript.html",
        "muscle_size.measures(study)",
        "05_statistics.html#result-measures",
        "tables/measures.csv",
        f"{measures[:12]}  measures.csv",
        "records.csv",
        "segmenter_1.safetensors",
        "their hashes: curated/inventory.csv",
        "cohort: the raw data (synthetic)",
        manifest["commit"],
    )
    places = [said.find(part) for part in parts]
    assert all(place >= 0 for place in places), dict(zip(parts, places, strict=True))


def test_an_audit_lists_the_numbers_and_helps_with_a_name(make, ci_run, ci_output):
    listed = make("audit", "RUN=ci", f"OUT={ci_output}").stdout.splitlines()
    assert len(listed) == len(read_numbers(ci_run.numbers))
    done = make("audit", "RUN=ci", f"OUT={ci_output}", "NUMBER=csa.mean_man")
    assert done.returncode != 0 and "Did you mean csa.mean_men" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_has_not_finished_cannot_be_verified(make, tmp_path):
    done = make("verify", "RUN=ci", f"OUT={tmp_path}")
    assert done.returncode != 0 and "Run make all RUN=ci" in done.stderr
    assert "Traceback" not in done.stderr

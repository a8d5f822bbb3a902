import pytest

from muscle_study.checks import reference
from muscle_study.protocol.files import write_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.numbers import Numbers
from muscle_study.publishing.result import Publisher, Result


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Return a function that writes a run's numbers and compares them with reference values."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setattr(reference, "REFERENCE", tmp_path / "reference")
    paths = RunPaths("tiny")

    def check(found, values):
        numbers = Numbers()
        for name, value in found.items():
            numbers.number(name, value)
        Publisher(paths, "statistics", show=False)(Result("a", numbers=numbers))
        write_json({"values": values}, tmp_path / "reference" / "tiny.json")
        return reference.check_reference(paths)

    return check


@pytest.mark.parametrize(
    ("name", "value", "reference_value", "off"),
    [
        ("population.men", 15_526, 15_525, True),  # drawn by seed: exact
        ("population.men", 15_525, 15_525, False),
        ("population.age_mean_men", 48.40001, 48.4, False),
        ("population.age_mean_men", 48.41, 48.4, True),
        ("dice.psoas", 0.955, 0.963, False),
        ("dice.psoas", 0.95, 0.963, True),
        ("csa.mean_men", 38.2, 38.49, False),
        ("csa.mean_men", 37.8, 38.49, True),
        ("regression.csa.age", -0.12, -0.123, False),
        ("regression.csa.age", 0.123, -0.123, True),
    ],
)
def test_each_value_has_its_own_width(run, name, value, reference_value, off):
    problems = run({name: value}, {name: reference_value}).problems
    assert bool(problems) == off
    assert all(problem.startswith(f"{name}: ") for problem in problems)


def test_no_width_hides_that_a_finding_turned_round():
    for name in ("regression.gluteus.bmi", "corrected.csa.sex", "csa.sex_d"):
        rule = reference.rule_of(name)
        assert rule is not None and rule.absolute == 0 and rule.relative < 0.1


def test_p_values_and_times_are_not_compared():
    for name in ("csa.sex_p", "regression.csa.age_p", "model.minutes", "cost.hours_one"):
        assert reference.rule_of(name) is None


def test_a_number_that_is_gone_is_off(run):
    assert run({"dice.psoas": 0.9}, {"dice.gluteus": 0.95}).problems == [
        "dice.gluteus: not in the run, reference 0.95"
    ]


def test_a_run_without_reference_values_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(reference, "REFERENCE", tmp_path)
    checked = reference.check_reference(RunPaths("other"))
    assert checked.problems == [] and "not compared" in checked.notes[0]

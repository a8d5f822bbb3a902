"""The notebook's cells, one after the other, on runs of several kinds."""

import json

import matplotlib as mpl
import pytest

from muscle_study.numbers import Numbers
from muscle_study.report.check import find_identifiers
from muscle_study.statistics.names import (
    COMPARED_NAMES,
    NAMES,
    PREDICTED_NAMES,
    SIMULATED_NAMES,
    TRUTH_NAMES,
)
from muscle_study.statistics.stage import missing_outputs, write_numbers

mpl.use("Agg")


@pytest.mark.parametrize(
    "made_up",
    [
        {},
        {"n": 20, "n_test": 3, "n_curation_exclusions": 1, "n_late_exclusions": 0},
        {"n": 60, "n_test": 8, "demographics": False, "truth": False, "synthetic": False},
        {"n": 80, "n_simulated": 400, "compared": True},
    ],
    ids=["usual", "tiny", "real without demographics", "simulated"],
)
def test_everything_is_there_and_nothing_individual(study_of, plan, run_cells, made_up):
    study = study_of(plan(**made_up))
    run_cells(study)
    assert missing_outputs(study) == []
    numbers = json.loads((study.paths.numbers / "statistics.json").read_text())
    expected = {
        *NAMES,
        *PREDICTED_NAMES,
        *(TRUTH_NAMES if made_up.get("truth", True) else []),
        *(COMPARED_NAMES if "compared" in made_up else []),
        *(SIMULATED_NAMES if "n_simulated" in made_up else []),
    }
    assert set(numbers) == expected
    identifiers = set(study.curated["participant_id"])
    for path in study.paths.reports.rglob("*"):
        if path.suffix in (".csv", ".md", ".json"):
            # digits within a number's decimals are no identifier
            assert not find_identifiers(path.read_text(), identifiers), path.name
        if path.name.endswith(".caption.md"):
            assert ("Synthetic cohort" in path.read_text()) == study.synthetic, path.name
            if "n_simulated" not in made_up:
                assert "simulated" not in path.read_text(), path.name


def test_small_numbers_are_said_in_words(study_of, plan, run_cells):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    if not (study.paths.numbers / "statistics.json").exists():
        run_cells(study)
    numbers = json.loads((study.paths.numbers / "statistics.json").read_text())
    assert numbers["split.test"] == {"text": "suppressed", "value": None, "cell": "fig-learning"}
    assert numbers["dice.psoas"]["text"] == "suppressed"
    assert numbers["population.excluded"]["text"] == "suppressed"


def test_a_missing_number_fails_the_run(study):
    with pytest.raises(RuntimeError, match=r"did not write.*dice\.psoas"):
        write_numbers(study, Numbers())

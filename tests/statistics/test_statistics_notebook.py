"""The notebook's cells in order, on several kinds of runs."""

import re

import matplotlib as mpl
import pandas as pd
import pytest

from muscle_study.publishing.numbers import read_numbers
from muscle_study.report.check import find_identifiers

mpl.use("Agg")

#: Columns that count people. The list of steps of training or of grids counts none.
COUNTS = {"n", "measured", "excluded", "participants", "donors", "simulated"}


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
def test_everything_is_there_and_nothing_individual(
    study_of, plan, run_cells, expand_manuscript, made_up
):
    study = study_of(plan(**made_up))
    run_cells(study)
    expand_manuscript(study)
    check_counts(study)
    identifiers = set(study.curated["participant_id"])
    for path in study.paths.reports.rglob("*"):
        if path.suffix in (".csv", ".md", ".json"):
            # digits within a number's decimals are no identifier
            assert not find_identifiers(path.read_text(), identifiers), path.name
        if path.name.endswith(".caption.md"):
            assert ("Synthetic cohort" in path.read_text()) == study.synthetic, path.name
            if "n_simulated" not in made_up:
                assert "simulated" not in path.read_text(), path.name


def check_counts(study):
    """Look for counts under the threshold in every table, figure's data and caption.

    But for those of faults, which are made up as their people are and shown however few.
    """
    for path in [*study.paths.tables.glob("*.csv"), *study.paths.figures.glob("*.csv")]:
        if path.stem == "faults" or not path.read_text().strip():
            continue
        table = pd.read_csv(path)
        if path.stem == "strata":
            table = table[table["by"] != "fault"]
        for column in COUNTS & set(table):
            small = table[column].between(1, study.min_count - 1)
            assert not small.any(), (path.name, column)
    for path in study.paths.reports.rglob("*.md"):
        counts = re.findall(r"\bn = (\d[\d,]*)", path.read_text())
        assert all(int(n.replace(",", "")) >= study.min_count for n in counts), path.name


def test_counts_are_rounded_where_asked(study_of, plan, run_cells, parameters):
    """All counts of people in tables, figures' data, captions and numbers are multiples of ten."""
    coarse = parameters.model_copy(update={"round_counts_to": 10})
    study = study_of(plan(n=180, n_simulated=300, seed=14), coarse)
    run_cells(study)
    for path in [*study.paths.tables.glob("*.csv"), *study.paths.figures.glob("*.csv")]:
        table = pd.read_csv(path)
        for column in (COUNTS & set(table)) - {"donors"}:
            assert (table[column].dropna() % 10 == 0).all(), (path.name, column)
    for path in study.paths.reports.rglob("*.md"):
        for n in re.findall(r"\bn = (\d[\d,]*)", path.read_text()):
            assert int(n.replace(",", "")) % 10 == 0, (path.name, n)
    for name, number in read_numbers(study.paths.numbers).items():
        words = ("population.age", "population.bmi", "population.exclusion_percent")
        people = name.startswith(("population.", "split.", "simulation.donors"))
        if people and not name.startswith(words) and number.value is not None:
            assert number.value % 10 == 0, name


def test_small_numbers_are_said_in_words(study_of, plan, run_cells):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    run_cells(study)
    numbers = read_numbers(study.paths.numbers)
    for name in ("split.test", "dice.psoas", "population.excluded"):
        assert (numbers[name].text, numbers[name].value) == ("suppressed", None), name

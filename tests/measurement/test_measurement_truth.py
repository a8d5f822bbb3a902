import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.measurement.truth import compare_with_truth, pair_with_truth
from muscle_study.protocol.files import read_table
from muscle_study.protocol.outcomes import MEASURES
from muscle_study.protocol.paths import RunPaths


def sizes_of(identifiers, generator):
    """Return true measures whose totals add the sides."""
    table = pd.DataFrame({"participant_id": identifiers})
    for name in MEASURES:
        table[name] = generator.uniform(10, 20, len(table))
    for total in (name for name in MEASURES if "total" in name and "fraction" not in name):
        table[total] = sum(table[total.replace("total", side)] for side in ("left", "right"))
    for fraction in (name for name in MEASURES if "fraction" in name):
        table[fraction] /= 100
    return table


@pytest.fixture
def measures():
    """Five imaged participants, the first used in training."""
    return sizes_of([f"10000{i}" for i in range(1, 6)], np.random.default_rng(3))


@pytest.fixture
def run(tmp_path, monkeypatch, measures):
    """Make a run whose truth is a tenth above what was measured."""
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    truth = measures.assign(**{name: measures[name] * 1.1 for name in MEASURES})
    others = sizes_of([f"10000{i}" for i in range(6, 10)], np.random.default_rng(4))
    population = pd.concat([truth.assign(imaged=True), others.assign(imaged=False)])
    population = population.assign(
        sex=["male", "female", "male"] * 3,
        age_years=50,
        height_cm=170.0,
        weight_kg=75.0,
        bmi_kg_m2=26.0,
        centre="A",
    )
    curated = population[population["imaged"]].assign(
        split=["train", "test", "test", "none", "none"]
    )
    coefficients = pd.DataFrame(
        {"kind": ["regression"], "outcome": ["csa"], "term": ["age"], "value": [-0.1]}
    )
    write_example(curated, paths.curated / "participants.csv")
    write_example(truth, paths.truth / "measures.csv")
    write_example(population, paths.truth / "population.csv")
    faults = pd.DataFrame(
        {"participant_id": ["100003", "100077"], "fault": ["cut_top", "no_images"], "detail": "80"}
    )
    write_example(coefficients, paths.truth / "coefficients.csv")
    coefficients.to_parquet(paths.truth / "population_grid.parquet")
    write_example(faults, paths.truth / "faults.csv")
    return paths


def test_without_truth_nothing_is_compared(run):
    (run.truth / "measures.csv").unlink()
    assert compare_with_truth(run, pd.DataFrame(), 1) is None
    assert not run.measurements.exists()


def test_the_trained_on_are_left_out_of_errors_and_agreement(run, measures):
    compared = compare_with_truth(run, measures, 1)
    errors = read_table(run.measurements / "errors.csv")
    assert errors["participant_id"].tolist() == measures["participant_id"][1:].tolist()
    name = "psoas_csa_left_cm2"
    assert errors[name].to_numpy() == pytest.approx(-0.1 * measures[name][1:].to_numpy())
    n = compared.agreement.set_index(["group", "measure"])["n"]
    assert (n["unseen", name], n["test", name]) == (4, 2)
    assert n["unseen_male", name] + n["unseen_female", name] == 4
    assert read_table(run.measurements / "agreement.csv").shape == (60, 12)


def test_those_not_imaged_get_the_donors_relative_error(run, measures):
    compare_with_truth(run, measures, 1)
    simulated = read_table(run.measurements / "simulated.csv").set_index("participant_id")
    truth = read_table(run.truth / "population.csv").set_index("participant_id")
    assert simulated.index.tolist() == ["100006", "100007", "100008", "100009"]
    name = "gluteus_volume_total_ml"
    # every donor was measured at 1 / 1.1 of its truth
    expected = truth.loc[simulated.index, name] / 1.1
    assert simulated[name].to_numpy() == pytest.approx(expected.to_numpy())
    for copy, original in (
        ("true_coefficients.csv", "coefficients.csv"),
        ("true_population.parquet", "population_grid.parquet"),
    ):
        assert (run.measurements / copy).read_bytes() == (run.truth / original).read_bytes()


def test_faults_of_curated_scans_are_handed_on(run, measures):
    compare_with_truth(run, measures, 1)
    faults = read_table(run.measurements / "faults.csv")
    assert faults.to_dict("list") == {"participant_id": ["100003"], "fault": ["cut_top"]}


def test_where_all_were_imaged_nobody_is_simulated(run, measures):
    population = read_table(run.truth / "population.csv")
    write_example(population[population["imaged"]], run.truth / "population.csv")
    assert compare_with_truth(run, measures, 1).simulated is None
    assert not (run.measurements / "simulated.csv").exists()


def test_a_measured_participant_without_truth_stops_the_run(run, measures):
    curated = read_table(run.curated / "participants.csv")
    with pytest.raises(ValueError, match=r"2 measured participants are not in the truth: make"):
        pair_with_truth(measures, measures[2:], curated)

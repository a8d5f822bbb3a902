import json

import numpy as np
import pytest

from muscle_study.protocol.files import read_table, write_table
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.statistics.analyses.extensions.recovery import recovered, recovery_table
from muscle_study.statistics.analyses.text import imaged_numbers, recovery_numbers
from muscle_study.statistics.study.imaged import beside, imaged_table, results


@pytest.fixture
def simulated(study_of, plan):
    """A study of 189 imaged and 400 simulated participants."""
    return study_of(plan(n_simulated=400))


def of(table, **where):
    """Return the one row of a table with these values."""
    (row,) = table[(table[list(where)] == list(where.values())).all(axis=1)].to_dict("records")
    return row


def test_results_of_all_stand_beside_those_of_the_imaged(simulated):
    table = beside(simulated)
    row = of(table, kind="mean", quantity="psoas_csa_total_cm2", sex="male")
    for study, sample in ((simulated, "all"), (simulated.imaged, "imaged")):
        values = study.of_sex("male")["psoas_csa_total_cm2"]
        assert row[f"value_{sample}"] == pytest.approx(values.mean())
        assert row[f"sd_{sample}"] == pytest.approx(values.std())
    slope = of(table, kind="regression", quantity="gluteus", sex="both", term="age")
    # three times the participants: a narrower interval
    assert slope["high_all"] - slope["low_all"] < slope["high_imaged"] - slope["low_imaged"]
    caption = imaged_table(simulated, table).caption
    assert "imaged n = 189, simulated n = 400" in caption


def test_a_sex_with_too_few_imaged_is_hidden_in_their_column_alone(study_of, plan):
    study = study_of(plan(n=7, n_curation_exclusions=0, n_late_exclusions=0, n_test=1,
                          n_simulated=200, seed=4))  # fmt: skip
    few = study.imaged.hidden_sexes
    assert few
    for sex in few:
        row = of(beside(study), kind="mean", quantity="psoas_csa_total_cm2", sex=sex)
        assert np.isnan(row["value_imaged"])
        assert row["value_all"] > 0


def test_coefficients_are_recovered(simulated):
    table = recovered(simulated, beside(simulated))
    assert len(table) == 20
    row = of(table, kind="regression", outcome="csa", sex="both", term="sex")
    assert row["true"] == 13.4
    assert row["covers_all"] == (row["low_all"] <= 13.4 <= row["high_all"])
    slopes = table[table["kind"] == "regression"]
    # of fourteen 95 % intervals, more than four misses have a chance under one in a thousand
    assert slopes["covers_all"].sum() >= 10
    # r is not 0.3 with all sizes in both sexes
    assert not table.loc[table["kind"] == "correlation", "covers_all"].all()


def test_the_text_counts_what_is_covered(simulated, tmp_path):
    table = recovered(simulated, beside(simulated))
    numbers = CellNumbers()
    recovery_numbers(table, numbers, "cell")
    numbers.write(tmp_path / "n.json")
    written = json.loads((tmp_path / "n.json").read_text())
    assert written["recovery.covered"]["value"] == (table["covers_all"] == True).sum()  # noqa: E712
    assert written["recovery.coefficients"]["value"] == 20


def test_one_sample_needs_one_column(study):
    text = recovery_table(study, recovered(study, beside(study))).text
    assert [name for name in text if "imaged" in name.lower()] == []
    assert set(text["Holds"]) <= {"yes", "no"}


def test_what_cannot_be_estimated_covers_nothing(study_of, plan):
    study = study_of(plan(n=8, n_test=1, n_curation_exclusions=0, n_late_exclusions=0))
    table = recovered(study, beside(study))
    assert table["covers_all"].isna().any()
    assert (table["covers_all"].isna() == table["value_all"].isna()).all()


def test_an_estimate_without_a_true_value_stops_the_run(simulated):
    path = simulated.paths.measurements / "true_coefficients.csv"
    whole = read_table(path)
    write_table(whole[whole["term"] != "bmi"], path)
    try:
        with pytest.raises(ValueError, match=r"no true value for regression, csa, both, bmi: make"):
            recovered(simulated, beside(simulated))
    finally:
        write_table(whole, path)


def test_few_donors_are_not_counted(simulated, tmp_path):
    numbers = CellNumbers()
    imaged_numbers(simulated, numbers, "cell")
    numbers.write(tmp_path / "n.json")
    written = json.loads((tmp_path / "n.json").read_text())
    assert written["simulation.donors_women"]["text"] == "40"
    assert written["simulation.donors_men"]["text"] == "suppressed"
    mean = of(results(simulated.imaged), kind="mean", quantity="psoas_csa_total_cm2", sex="male")
    assert written["imaged.csa.mean_men"]["value"] == pytest.approx(mean["value"])


def test_estimates_that_miss_are_named_where_they_are_few(simulated, tmp_path):
    table = recovered(simulated, beside(simulated))

    def missed(covers):
        numbers = CellNumbers()
        recovery_numbers(table.assign(covers_all=covers), numbers, "cell")
        numbers.write(tmp_path / "n.json")
        return json.loads((tmp_path / "n.json").read_text())["recovery.missed"]["text"]

    assert missed([True] * 20) == "none missed"
    assert missed([False] * 9 + [True] * 11) == "9 missed"
    sex = (table["kind"] == "regression") & (table["term"] == "sex") & (table["outcome"] == "csa")
    row = table[sex].iloc[0]
    numbers = f"{row['value_all']:.2f} for {row['true']:.2f}\u00a0cm²"
    assert missed(~sex) == f"missed: CSA, men − women ({numbers})"
    weight = of(table, kind="correlation", term="weight_kg", sex="female")
    women = (table["term"] == "weight_kg") & (table["sex"] == "female")
    numbers = f"{weight['value_all']:.2f} for {weight['true']:.2f}"
    assert missed(~women) == f"missed: Gluteus volume, correlation with weight in women ({numbers})"


def test_the_table_says_whose_interval_holds_the_truth(simulated):
    table = recovered(simulated, beside(simulated))
    everyone, imaged = [True, True, False, False] * 5, [True, False, True, False] * 5
    text = recovery_table(simulated, table.assign(covers_all=everyone, covers_imaged=imaged)).text
    assert text["Holds"].tolist() == ["both", "everyone", "imaged only", "neither"] * 5

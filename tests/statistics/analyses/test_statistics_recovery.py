from dataclasses import replace

import numpy as np
import pytest

from muscle_study.protocol.covariates import Covariate
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.extensions.imaged import beside, imaged, results
from muscle_study.statistics.analyses.extensions.recovery import (
    recovered,
    recovery,
    recovery_numbers,
    recovery_table,
    true_coefficients,
)
from muscle_study.statistics.parameters import PAPER_MODELS, Model


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
    caption = imaged(simulated).table.caption
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
    table = recovered(simulated)
    assert len(table) == 20
    row = of(table, kind="regression", outcome="csa", sex="both", term="sex")
    assert row["true"] == pytest.approx(13.4)
    assert row["covers_all"] == (row["low_all"] <= 13.4 <= row["high_all"])
    slopes = table[table["kind"] == "regression"]
    # of fourteen 95 % intervals, more than four misses have a chance under one in a thousand
    assert slopes["covers_all"].sum() >= 10
    # r is not 0.3 with all sizes in both sexes
    assert not table.loc[table["kind"] == "correlation", "covers_all"].all()


def test_the_text_counts_what_is_covered(simulated):
    table = recovered(simulated)
    numbers = dict(recovery_numbers(simulated, table).items())
    assert numbers["recovery.covered"].value == (table["covers_all"] == True).sum()  # noqa: E712
    assert numbers["recovery.coefficients"].value == 20


def test_an_adjusted_model_recovers_its_own_truth(simulated):
    """Height raises nothing but goes with weight; smoking is truly zero."""
    smoking = Covariate(
        name="smoking", label="smoking", kind="categorical", levels=["never", "former", "current"]
    )
    people = simulated.everyone.assign(
        smoking=np.resize(smoking.level_names, len(simulated.everyone))
    )
    adjusted = Model(name="adjusted", title="All, adjusted", formula="age_years + sex + smoking")
    study = replace(
        simulated,
        everyone=people,
        parameters=simulated.parameters.model_copy(update={"models": [*PAPER_MODELS, adjusted]}),
        covariates=(smoking,),
    )
    table = recovered(study)
    own = table[table["model"] == "adjusted"].set_index(["outcome", "term"])
    assert own.loc[("csa", "smoking[T.former]"), "true"] == 0
    assert own.loc[("csa", "age"), "true"] == pytest.approx(-0.06)
    assert own["covers_all"].sum() >= 7  # of eight at 95 %
    assert "All, adjusted" in set(recovery_table(study, table).text["Among"])
    numbers = dict(recovery_numbers(study, table).items())
    assert numbers["recovery.coefficients"].value == 28


def test_the_truth_of_a_subset_is_of_that_subset(simulated):
    """With a single age among the old, BMI's slope is that of the population."""
    old = Model(name="old", title="Old", formula="bmi_kg_m2", sex="male", subset="age_years > 50")
    parameters = simulated.parameters.model_copy(update={"models": [old]})
    true = true_coefficients(replace(simulated, parameters=parameters)).set_index(
        ["outcome", "term"]
    )["true"]
    assert true["csa", "bmi"] == pytest.approx(0.25)
    # 37.9 at 47 years and 26 kg/m², of 74 years, and at 0 kg/m²
    assert true["csa", "intercept"] == pytest.approx(37.9 - 0.06 * 27 - 0.25 * 26)


def test_one_sample_needs_one_column(study):
    text = recovery_table(study, recovered(study)).text
    assert [name for name in text if "imaged" in name.lower()] == []
    assert set(text["Covered"]) <= {"yes", "no"}


def test_what_cannot_be_estimated_covers_nothing(study_of, plan):
    study = study_of(plan(n=8, n_test=1, n_curation_exclusions=0, n_late_exclusions=0))
    table = recovered(study)
    assert table["covers_all"].isna().any()
    assert (table["covers_all"].isna() == table["value_all"].isna()).all()


def test_a_run_on_real_people_has_neither(study_of, plan):
    real = study_of(plan(n=60, n_test=6, truth=False, synthetic=False))
    assert isinstance(recovery(real), Absent)
    assert isinstance(imaged(real), Absent)


def test_few_donors_are_not_counted(simulated):
    numbers = dict(imaged(simulated).numbers.items())
    assert numbers["simulation.donors_women"].text == "40"
    assert numbers["simulation.donors_men"].text == "suppressed"
    mean = of(results(simulated.imaged), kind="mean", quantity="psoas_csa_total_cm2", sex="male")
    assert numbers["imaged.csa.mean_men"].value == pytest.approx(mean["value"])


def test_estimates_that_miss_are_named_where_they_are_few(simulated):
    table = recovered(simulated)

    def missed(covers):
        numbers = recovery_numbers(simulated, table.assign(covers_all=covers))
        return dict(numbers.items())["recovery.missed"].text

    assert missed([True] * 20) == "there was no exception"
    assert missed([False] * 9 + [True] * 11) == "there were 9 exceptions"
    row = of(table, kind="regression", term="sex", outcome="csa")
    sex = (table["kind"] == "regression") & (table["term"] == "sex") & (table["outcome"] == "csa")
    numbers = f"{row['value_all']:.2f} for {row['true']:.2f}\u00a0cm²"
    assert missed(~sex) == f"the exception was CSA, men − women ({numbers})"
    women = of(table, kind="regression", term="age", outcome="csa", sex="female")
    age = (table["model"] == "women") & (table["term"] == "age") & (table["outcome"] == "csa")
    numbers = f"{women['value_all']:.3f} for {women['true']:.3f}\u00a0cm²".replace("-", "−")
    assert missed(~age) == f"the exception was CSA, age, per year (women) ({numbers})"
    weight = of(table, kind="correlation", term="weight_kg", sex="female")
    women = (table["term"] == "weight_kg") & (table["sex"] == "female")
    numbers = f"{weight['value_all']:.2f} for {weight['true']:.2f}"
    expected = f"Gluteus volume, correlation with weight in women ({numbers})"
    assert missed(~women) == f"the exception was {expected}"


def test_the_table_says_whose_interval_covers_the_truth(simulated):
    table = recovered(simulated)
    everyone, alone = [True, True, False, False] * 5, [True, False, True, False] * 5
    text = recovery_table(simulated, table.assign(covers_all=everyone, covers_imaged=alone)).text
    assert text["Covered"].tolist() == ["both", "everyone", "imaged only", "neither"] * 5

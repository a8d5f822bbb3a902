import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.statistics.analyses.segmentation import strata
from muscle_study.statistics.analyses.segmentation.strata import (
    hidden_groups,
    mean_interval,
    stratified,
)


def test_the_interval_of_a_mean_is_near_that_of_the_normal_law():
    values = np.random.default_rng(1).normal(0.9, 0.1, 400)
    found = mean_interval(values, 0.95)
    half = 1.96 * values.std() / 20
    assert found["mean"] == values.mean()
    assert found["high"] - found["mean"] == pytest.approx(half, rel=0.06)
    assert found["mean"] - found["low"] == pytest.approx(half, rel=0.06)


def test_one_value_has_no_interval_and_none_no_mean():
    alone = mean_interval(np.array([0.5]), 0.95)
    assert alone["mean"] == 0.5 and np.isnan(alone["low"])
    assert np.isnan(mean_interval(np.array([]), 0.95)["mean"])


@pytest.mark.parametrize(
    ("groups", "hidden"),
    [
        (["a"] * 6 + ["b"] * 7, [False, False]),
        (["a"] * 2 + ["b"] * 7, [True, True]),  # the total would give the two away
        (["a"] * 6 + ["b"] * 7 + [None] * 2, [True, False]),  # and so it would the two unknown
        (["a"] * 2 + ["b"], [True, True]),
    ],
)
def test_small_groups_are_hidden_with_what_gives_them_away(groups, hidden):
    divided = pd.Series(pd.Categorical(groups, categories=["a", "b"]))
    assert hidden_groups(divided, 5).tolist() == hidden


def test_each_stratum_by_hand(study):
    table = stratified(study).set_index(["muscle", "by", "group", "score"])
    quality = read_table(study.paths.measurements / "segmentation_quality.csv")
    psoas = quality[quality["structure"].str.startswith("psoas")]
    assert table.loc[("psoas", "all", "all", "dice"), "mean"] == pytest.approx(psoas["dice"].mean())
    left = quality.loc[quality["structure"] == "gluteus_left", "volume_error"]
    row = table.loc[("gluteus", "side", "left", "volume_error")]
    assert (row["mean"], row["n"]) == (pytest.approx(left.mean()), len(left))
    assert row["low"] < row["mean"] < row["high"]
    sex = study.curated.set_index("participant_id")["sex"]
    women = psoas[psoas["participant_id"].map(sex) == "female"]
    row = table.loc[("psoas", "sex", "Women", "hausdorff95_mm")]
    if pd.notna(row["n"]):
        assert row["mean"] == pytest.approx(women["hausdorff95_mm"].mean())
    assert (table.drop("fault", level="by")["n"].dropna() >= 5).all()


def test_a_fault_of_few_synthetic_participants_is_shown(study):
    text = strata(study).table.text.set_index("Group")
    assert text.loc["Fault: cut sides", "n"].tolist() == ["2", "2"]
    assert "made up" not in strata(study).table.caption


def test_a_real_run_knows_no_fault(study_of, plan):
    study = study_of(plan(synthetic=False, n=60, n_test=8, truth=False))
    table = strata(study).table
    assert "fault" not in set(table.data["by"]) and "Faults" not in table.caption


def test_a_structure_that_few_were_found_in_has_no_distance(study_of, plan):
    study = study_of(plan(n=61, n_test=6))
    path = study.paths.measurements / "segmentation_quality.csv"
    quality = read_table(path)
    missed = quality["participant_id"].isin(quality["participant_id"].unique()[:3])
    quality.loc[missed, ["dice", "hausdorff95_mm"]] = [0, np.nan]
    write_example(quality, path)
    everyone = stratified(study).query("by == 'all' and muscle == 'psoas'").set_index("score")
    assert everyone["n"].tolist() == [6] * 5
    assert np.isnan(everyone.loc["hausdorff95_mm", "mean"]) and everyone.loc["dice", "mean"] < 0.6

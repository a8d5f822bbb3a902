import numpy as np
import pandas as pd
import pytest

from muscle_study.statistics.study.groups import Grouping, bmi_split, count_groups

AGE = Grouping("age_group", "age_years", (30, 40), 1)
BMI = Grouping("bmi_group", "bmi_kg_m2", (18.5, 25), 0.1)


@pytest.mark.parametrize(
    ("grouping", "labels"),
    [
        (AGE, ["<30", "30–39", "≥40"]),
        (BMI, ["<18.5", "18.5–24.9", "≥25"]),
        (bmi_split(), ["<25", "≥25"]),
    ],
)
def test_labels(grouping, labels):
    assert grouping.labels == labels


def test_a_value_on_an_edge_is_in_the_upper_group():
    groups = AGE.assign(pd.Series([29.9, 30, 39, 40, np.nan]))
    assert groups[:4].tolist() == ["<30", "30–39", "30–39", "≥40"]
    assert pd.isna(groups[4])


def table(**bmi_by_sex):
    rows = [{"sex": sex, "bmi_kg_m2": v} for sex, values in bmi_by_sex.items() for v in values]
    return pd.DataFrame(rows)


def test_counts_by_sex_and_group():
    people = table(male=[20] * 6 + [27] * 7, female=[17] * 8 + [30] * 9)
    counts = count_groups(people, [BMI], 5, set())
    assert counts["n"].tolist() == [0, 6, 7, 8, 0, 9]
    # the empty group is small, and its neighbours would tell
    assert counts["hidden"].tolist() == [True, True, False, True, True, False]


def test_the_split_does_not_give_an_underweight_group_away():
    people = table(male=[17] * 3 + [20] * 40 + [27] * 50, female=[17] * 30 + [20] * 40 + [27] * 50)
    counts = count_groups(people, [BMI, bmi_split()], 5, set())
    men = counts[counts["sex"] == "male"].set_index(["grouping", "group"])["hidden"]
    # <25 and ≥25 can be shown, so 18.5-24.9 cannot
    assert men["bmi_group", "<18.5"]
    assert men["bmi_group", "18.5–24.9"]
    assert not men["bmi_split", "<25"]
    assert not counts.loc[counts["sex"] == "female", "hidden"].any()


def test_nothing_of_a_hidden_sex_is_shown():
    people = table(male=[20] * 50, female=[20] * 50)
    counts = count_groups(people, [BMI], 1, {"male"})
    assert counts.loc[counts["sex"] == "male", "hidden"].all()

import numpy as np
import pandas as pd
import pytest

from muscle_study.curation.split import SPLITS, assign_splits, whole_shares


def people(n, seed=0, **columns):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "annotated": True,
        "sex": rng.choice(["male", "female"], n),
        "age_years": rng.uniform(19, 75, n),
        "bmi_kg_m2": rng.lognormal(3.27, 0.16, n),
        "given_split": pd.Series([None] * n, dtype="str"),
    }).assign(**columns)  # fmt: skip


def split(table, validation=0.15, test=0.35, seed=1):
    return assign_splits(table, validation, test, seed)


@pytest.mark.parametrize("seed", range(5))
def test_splits_are_alike_in_sex_age_and_bmi(seed):
    table = people(80, seed)
    table["split"] = split(table, seed=seed)
    assert table["split"].value_counts().to_dict() == {"train": 40, "test": 28, "validation": 12}
    everyone = table[["age_years", "bmi_kg_m2"]]
    for _, part in table.groupby("split"):
        # means of a plain draw of 12 scatter by 0.27 SD, its share of men by 0.13
        off = (part[["age_years", "bmi_kg_m2"]].mean() - everyone.mean()) / everyone.std()
        assert off.abs().max() < 0.45
        assert abs((part["sex"] == "male").mean() - (table["sex"] == "male").mean()) < 0.1


def test_balance_is_better_than_a_plain_draw():
    def worst(deal):
        off = []
        for seed in range(20):
            table = people(60, seed)
            means = table.groupby(deal(table, seed).to_numpy())["bmi_kg_m2"].mean()
            off.append((means - table["bmi_kg_m2"].mean()).abs().max())
        return np.mean(off)

    def plain(table, seed):
        dealt = split(table, seed=seed)
        return pd.Series(np.random.default_rng(seed).permutation(dealt))

    assert worst(lambda table, seed: split(table, seed=seed)) < 0.7 * worst(plain)


def test_same_seed_same_split_whatever_the_index():
    table = people(30)
    again = table.set_axis(range(100, 130))
    assert split(table).tolist() == split(again).tolist()


def test_another_seed_splits_otherwise():
    table = people(30)
    assert split(table, seed=1).tolist() != split(table, seed=2).tolist()


@pytest.mark.parametrize("n", range(3, 12))
@pytest.mark.parametrize(("validation", "test"), [(0.05, 0.05), (0.15, 0.35), (0.4, 0.5)])
def test_no_split_is_empty_from_three_on(n, validation, test):
    dealt = split(people(n), validation, test)
    assert set(dealt) == set(SPLITS)
    assert len(dealt) == n


@pytest.mark.parametrize(("n", "served"), [(0, []), (1, ["train"]), (2, ["train", "validation"])])
def test_too_few_serve_training_first(n, served):
    assert sorted(split(people(n))) == served


def test_who_is_not_annotated_is_in_no_split():
    table = people(10, annotated=[True] * 6 + [False] * 4)
    assert split(table).tolist()[6:] == ["none"] * 4
    assert "none" not in split(table).tolist()[:6]


def test_missing_demographics_are_dealt_evenly_too():
    table = people(40)
    table.loc[:19, ["sex", "age_years", "bmi_kg_m2"]] = None
    counts = split(table).iloc[:20].value_counts()
    assert counts.to_dict() == pytest.approx({"train": 10, "test": 7, "validation": 3}, abs=1)


def test_given_division_is_kept_and_completed():
    given = ["train", "test", "validation", None]
    assert split(people(4, given_split=given)).tolist() == ["train", "test", "validation", "train"]


def test_validation_is_drawn_from_training_where_none_is_given():
    given = ["train"] * 20 + ["test"] * 5
    dealt = split(people(25, given_split=given), validation=0.2)
    assert dealt.value_counts().to_dict() == {"train": 16, "test": 5, "validation": 4}
    assert dealt.tolist()[20:] == ["test"] * 5


@pytest.mark.parametrize(
    ("total", "expected"),
    [(80, (40, 12, 28)), (10, (5, 2, 3)), (3, (1, 1, 1)), (2, (1, 1, 0)), (0, (0, 0, 0))],
)
def test_shares_sum_to_the_whole(total, expected):
    fractions = dict(zip(SPLITS, (0.5, 0.15, 0.35), strict=True))
    assert tuple(whole_shares(total, fractions).values()) == expected

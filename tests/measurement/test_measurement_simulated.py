import numpy as np
import pandas as pd
import pytest

from muscle_study.measurement.simulated import NEAREST, SIZES, draw_donors, simulate
from muscle_study.protocol.covariates import Covariate
from muscle_study.protocol.outcomes import INDICES, MEASURES

CENTRE = Covariate(name="centre", label="centre", kind="categorical", levels=["A", "B"])


def people(n, sex, seed, scale=1.0):
    """Return made-up participants with their true measures."""
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "participant_id": [f"{seed}{i:05d}" for i in range(n)],
            "sex": sex,
            "age_years": 50,
            "height_cm": 200.0,
            "weight_kg": 80.0,
            "bmi_kg_m2": 20.0,
            "centre": "A",
        }
    )
    for name, size in (
        ("psoas_csa_{}_cm2", 18.0),
        ("psoas_volume_{}_ml", 300.0),
        ("gluteus_volume_{}_ml", 1500.0),
    ):
        for side in ("left", "right"):
            table[name.format(side)] = scale * size * generator.uniform(0.7, 1.4, n)
        table[name.format("total")] = table[name.format("left")] + table[name.format("right")]
    for muscle in ("psoas", "gluteus"):
        for side in ("left", "right", "total"):
            table[f"{muscle}_fat_fraction_{side}"] = 0.1
    return table


def donors(n, sex, seed, relative=0.0, fat=0.0, **options):
    """Return donors whose sizes were measured too large by a share, and their fat by points."""
    table = people(n, sex, seed, **options)
    for name in MEASURES:
        error = fat if "fraction" in name else relative * table[name]
        table[f"{name}_error"] = error
    return table


def simulated(*arguments, seed=1):
    found = simulate(*arguments, seed, [CENTRE])
    return found.measures.set_index("participant_id"), found.donors.set_index("sex")


def test_sizes_take_a_share_and_fat_fractions_points():
    given = people(30, "male", 1)
    measures, _ = simulated(given, donors(12, "male", 2, relative=0.05, fat=-0.02))
    truth = given.set_index("participant_id")
    assert measures["centre"].eq("A").all()
    for name in ("psoas_csa_left_cm2", "psoas_volume_total_ml", "gluteus_volume_right_ml"):
        assert measures[name].to_numpy() == pytest.approx(1.05 * truth[name].to_numpy())
    assert measures["gluteus_fat_fraction_total"].to_numpy() == pytest.approx(0.08)


def test_totals_and_what_is_derived_belong_together():
    random = np.random.default_rng(0)
    table = donors(12, "female", 2)
    for name in MEASURES:
        table[f"{name}_error"] = table[name] * random.normal(0, 0.05, len(table))
    measures, _ = simulated(people(30, "female", 1), table)
    for name in ("psoas_csa_{}_cm2", "psoas_volume_{}_ml", "gluteus_volume_{}_ml"):
        sides = measures[name.format("left")] + measures[name.format("right")]
        assert sides.to_numpy() == pytest.approx(measures[name.format("total")].to_numpy())
    fat = measures[[f"psoas_fat_fraction_{side}" for side in ("left", "right")]]
    assert measures["psoas_fat_fraction_total"].between(fat.min(axis=1), fat.max(axis=1)).all()
    for index, name in INDICES.items():  # everyone is 2 m tall
        assert measures[index].to_numpy() == pytest.approx(measures[name].to_numpy() / 4)


def test_errors_come_from_the_own_sex_where_it_has_donors_enough():
    given = pd.concat([people(20, "male", 1), people(20, "female", 2)])
    table = pd.concat(
        [
            donors(NEAREST, "male", 3, relative=0.1),
            donors(NEAREST - 1, "female", 4, relative=-0.1),
        ]
    )
    measures, groups = simulated(given, table)
    ratio = measures[SIZES[0]] / given.set_index("participant_id")[SIZES[0]]
    men = ratio[measures["sex"] == "male"]
    assert men.to_numpy() == pytest.approx(1.1)
    assert set(ratio[measures["sex"] == "female"].round(3)) == {0.9, 1.1}
    assert groups["donors"].to_dict() == {"male": 10, "female": 19}
    assert groups["donors_of"].to_dict() == {"male": "male", "female": "both"}


def test_a_donor_is_among_the_nearest_in_size():
    given = people(40, "male", 1)
    table = pd.concat(
        [
            donors(15, "male", 2, relative=0.1),
            donors(15, "male", 3, relative=-0.1, scale=10.0),
        ]
    )
    measures, _ = simulated(given, table)
    assert (measures[SIZES[1]] > given.set_index("participant_id")[SIZES[1]]).all()


def test_all_the_nearest_are_drawn_and_none_beyond():
    given, table = people(1, "male", 1), donors(20, "male", 2)
    distance = np.log(table[SIZES] / given[SIZES].iloc[0]).pow(2).sum(axis=1)
    many = pd.concat([given] * 300)
    drawn = draw_donors(many, table, 4, np.random.default_rng(0))
    assert set(drawn) == set(distance.nsmallest(4).index)


def test_few_donors_serve_all_and_none_stop_the_run():
    given = people(5, "male", 1)
    _, groups = simulated(given, donors(2, "female", 2))
    assert groups.loc["male", ["donors", "nearest", "simulated"]].tolist() == [2, 2, 5]
    with pytest.raises(ValueError, match=r"no errors for simulated .*n_imaged"):
        simulate(given, donors(0, "male", 2), 1)


def test_the_same_seed_gives_the_same_whatever_the_order():
    given, table = people(30, "male", 1), donors(15, "male", 2)
    table["psoas_csa_left_cm2_error"] = np.linspace(-1, 1, 15)
    first, again, other = (
        simulated(rows, table, seed=seed)[0]
        for rows, seed in ((given, 1), (given[::-1], 1), (given, 2))
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_a_fraction_stays_one():
    measures, _ = simulated(people(3, "male", 1), donors(10, "male", 2, fat=-0.3))
    assert (measures["psoas_fat_fraction_left"] == 0).all()

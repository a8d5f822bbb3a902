import numpy as np
import pandas as pd
import pingouin
import pytest

from muscle_study.measurement.agreement import (
    COLUMNS,
    agreement_row,
    agreement_table,
    bland_altman,
    icc_agreement,
)
from muscle_study.protocol.outcomes import MEASURES

# Bland and Altman, Lancet 1986;327:307-310, table 1: peak expiratory flow (l/min) of 17 subjects,
# first reading of the large Wright meter and of the mini meter.
WRIGHT = np.array([
    494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427.0,
])  # fmt: skip
MINI = np.array([
    512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451.0,
])  # fmt: skip

# Shrout and Fleiss, Psychol Bull 1979;86:420-428, table 2: six subjects rated by four judges.
JUDGES = np.array([
    [9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7.0],
])  # fmt: skip


def test_bland_and_altmans_own_example():
    found = bland_altman(WRIGHT, MINI)
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    assert (found.bias_low, found.bias_high) == pytest.approx((-22.0, 17.8), abs=0.1)
    sd = (found.loa_high - found.loa_low) / (2 * 1.96)
    assert sd == pytest.approx(38.8, abs=0.05)
    # the paper rounds 1.96 to 2
    assert (found.bias - 2 * sd, found.bias + 2 * sd) == pytest.approx((-79.7, 75.5), abs=0.1)


def test_shrout_and_fleiss_own_example():
    found = icc_agreement(JUDGES)
    assert found.icc == pytest.approx(0.29, abs=0.005)
    # the R package psych, ICC(sf): 0.019 and 0.761
    assert (found.icc_low, found.icc_high) == pytest.approx((0.019, 0.761), abs=0.0005)


def test_the_interval_is_not_rounded_and_pingouins_option_is_left_alone():
    truth = np.linspace(20, 40, 30)
    found = icc_agreement(np.column_stack([truth + 0.3 * np.cos(7 * truth), truth]))
    assert 0.99 < found.icc_low < found.icc < found.icc_high < 1
    assert pingouin.options["round.column.CI95"] == 2


def test_an_offset_lowers_absolute_agreement():
    truth = np.linspace(20, 40, 30)
    noise = 0.3 * np.cos(7 * truth)
    near, far = (icc_agreement(np.column_stack([truth + noise + d, truth])) for d in (0, 10))
    assert far.icc < 0.6 < near.icc


def test_a_pair_with_a_missing_value_is_left_out():
    gap = np.array([*MINI, 400.0])
    row = agreement_row(np.array([*WRIGHT, np.nan]), gap)
    assert row == pytest.approx(agreement_row(WRIGHT, MINI))
    assert row["n"] == 17


@pytest.mark.parametrize("n", [0, 2])
def test_too_few_pairs_are_counted_and_not_judged(n):
    assert set(agreement_row(WRIGHT[:n], MINI[:n])) == {"n", "truth_mean"}


def test_every_measure_meets_its_truth_in_every_group():
    random = np.random.default_rng(5)
    people = pd.DataFrame(random.normal(30, 5, (12, len(MEASURES))), columns=MEASURES)
    errors = pd.DataFrame(random.normal(0.5, 1, people.shape), columns=MEASURES)
    people = people.join(errors.add_suffix("_error"))
    table = agreement_table({"test": people[:4], "unseen": people[:9]})
    assert list(table.columns) == COLUMNS
    assert len(table) == 2 * len(MEASURES)
    assert table.groupby("group")["n"].first().to_dict() == {"unseen": 9, "test": 4}
    name = MEASURES[0]
    row = table[(table["measure"] == name) & (table["group"] == "unseen")].iloc[0]
    assert row["truth_mean"] == pytest.approx(people[name][:9].mean())
    assert row["bias"] == pytest.approx(errors[name][:9].mean())

"""The confusion table of findings and faults, in hand-checkable cases."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.curation.confusion import CODES, confusion_table, share
from muscle_study.protocol.faults import Fault

EVERYONE = [f"10000{i}" for i in range(8)]


def faults(*rows):
    return pd.DataFrame(rows, columns=["participant_id", "fault", "detail"])


def found(*rows):
    return pd.DataFrame(rows, columns=["participant_id", "action", "code"])


def test_every_kind_of_fault_has_codes():
    assert list(CODES) == list(Fault)
    assert all(CODES.values())


def test_found_missed_and_false_are_counted_by_kind():
    wrong = faults(
        ("100000", "swap_whole", ""),
        ("100001", "swap_whole", ""),
        ("100002", "swap_whole", ""),
        ("100003", "severe_motion", "20"),
    )
    table = confusion_table(
        wrong,
        found(
            ("100000", "corrected", "water_fat_swap"),
            ("100001", "excluded", "water_fat_swap"),
            ("100001", "flagged", "water_fat_swap"),  # counts once, as the most that was done
            ("100002", "flagged", "noise"),  # of another code: missed
            ("100003", "excluded", "water_fat_swap"),  # false: nothing was swapped
            ("100004", "flagged", "motion"),  # false: nothing is wrong
        ),
        EVERYONE,
    ).set_index("fault")
    swap = table.loc["swap_whole"]
    assert swap[["participants", "excluded", "corrected", "flagged", "missed"]].tolist() == [
        3, 1, 1, 0, 1,
    ]  # fmt: skip
    assert swap["sensitivity"] == pytest.approx(2 / 3)
    assert swap[["others", "false"]].tolist() == [5, 1]
    motion = table.loc["severe_motion"]
    assert motion[["missed", "others", "false"]].tolist() == [1, 7, 1]
    assert motion["specificity"] == pytest.approx(6 / 7)
    assert table.loc["none", ["others", "false"]].tolist() == [4, 1]
    assert list(table.index) == ["swap_whole", "severe_motion", "none"]


def test_kinds_that_share_a_code_are_not_false_to_each_other():
    wrong = faults(("100000", "empty_file", "fat"), ("100001", "truncated_file", "fat"))
    both = found(*((name, "excluded", "unreadable_image") for name in ("100000", "100001")))
    table = confusion_table(wrong, both, EVERYONE).set_index("fault")
    assert table["false"].tolist() == [0, 0, 0]
    assert table.loc["empty_file", "others"] == 6


def test_who_lent_images_to_a_duplicate_has_the_fault_too():
    wrong = faults(("100000", "duplicate_scan", "100001"))
    both = found(*((name, "excluded", "duplicate_scan") for name in ("100000", "100001")))
    table = confusion_table(wrong, both, EVERYONE).set_index("fault")
    assert table.loc["duplicate_scan", ["participants", "missed"]].tolist() == [2, 0]
    assert table.loc["none", ["others", "false"]].tolist() == [6, 0]


def test_without_findings_everything_is_missed():
    table = confusion_table(faults(("100000", "cut_top", "90")), found(), EVERYONE)
    assert table["sensitivity"].tolist()[0] == 0
    assert table["specificity"].tolist() == [1, 1]


def test_interval_of_a_share_is_wilsons():
    # Newcombe, Stat Med 1998;17:857-872, table I: 81 of 263 and 0 of 20
    known = share("x", 81, 263)
    assert [known["x_low"], known["x_high"]] == pytest.approx([0.2553, 0.3662], abs=1e-4)
    none = share("x", 0, 20)
    assert [none["x_low"], none["x_high"]] == pytest.approx([0, 0.1611], abs=1e-4)
    assert np.isnan(share("x", 0, 0)["x"])

"""Faults are drawn at their rates, recorded, and applied to files and table."""

import gzip
import zlib

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from muscle_study.cohort.faults.assign import assign_faults, draw_detail, problems
from muscle_study.cohort.faults.files import break_files, duplicate_scans
from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.cohort.faults.rates import BY_BMI, BmiRule, fault_probabilities
from muscle_study.cohort.faults.table import break_table
from muscle_study.cohort.scanner.scan import CONTRASTS
from muscle_study.imaging.volumes import Volume, save
from muscle_study.protocol.faults import Fault, Problem

N = 20_000


def rates(**of_kinds):
    return FaultParameters(**(dict.fromkeys(Fault, 0.0) | of_kinds))


@pytest.fixture
def people():
    """Return 20,000 people, lean to very obese."""
    bmi = np.random.default_rng(1).lognormal(np.log(26), 0.17, N)
    return pd.DataFrame({"participant_id": [f"{i:06d}" for i in range(N)], "bmi_kg_m2": bmi})


def test_every_fault_has_a_rate():
    assert list(FaultParameters.model_fields) == list(Fault)


def test_faults_with_a_detail_get_one_and_the_others_none():
    rng = np.random.default_rng(0)
    for fault in set(Fault) - {Fault.DUPLICATE_SCAN}:
        assert bool(draw_detail(fault, 4, rng)) == bool(fault.detail), fault


@pytest.mark.parametrize(("bmi", "risk"), [(10, 5), (18, 3), (20, 1), (25, 1), (35, 3), (60, 3)])
def test_risk_is_linear_between_knots(bmi, risk):
    assert BmiRule((16, 20, 30, 35), (5, 1, 1, 3)).at(np.array([bmi])) == pytest.approx(risk)


def test_mean_probability_is_the_rate_whatever_bmi_does(people):
    bmi = people["bmi_kg_m2"].to_numpy()
    annotated = np.arange(N) < 500
    parameters = rates(swap_whole=0.018, cut_sides=0.01, no_images=0.02, unknown_label=0.1)
    by_kind = dict(zip(Fault, fault_probabilities(bmi, annotated, parameters).T, strict=True))
    for fault, rate in (("swap_whole", 0.018), ("cut_sides", 0.01), ("no_images", 0.02)):
        assert by_kind[fault].mean() == pytest.approx(rate)
    assert by_kind["unknown_label"][annotated].mean() == pytest.approx(0.1)
    assert not by_kind["unknown_label"][~annotated].any()
    assert np.ptp(by_kind["no_images"]) == 0


def test_swaps_are_commoner_at_both_ends_and_narrow_fields_in_large_bodies():
    lean, middle, large = 17.0, 25.0, 40.0
    risk = {fault: rule.at(np.array([lean, middle, large])) for fault, rule in BY_BMI.items()}
    for fault in (Fault.SWAP_WHOLE, Fault.SWAP_STATION, Fault.SWAP_SIDE):
        assert risk[fault][0] > 2 * risk[fault][1]
        assert risk[fault][2] > 2 * risk[fault][1]
    assert risk[Fault.CUT_SIDES][2] > 10 * risk[Fault.CUT_SIDES][1]


def test_counts_meet_the_rates(people):
    parameters = rates(swap_station=0.05, severe_motion=0.03, unknown_label=0.2)
    annotated = set(people["participant_id"][:5000])
    table = assign_faults(people, annotated, parameters, 4, np.random.default_rng(0))
    assert table["participant_id"].is_unique
    counts = table["fault"].value_counts()
    expected_counts = {"swap_station": 1000, "severe_motion": 600, "unknown_label": 1000}
    for fault, expected in expected_counts.items():
        assert counts[fault] == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert counts.sum() == len(table)
    assert set(table.loc[table["fault"] == "unknown_label", "participant_id"]) <= annotated
    assert set(table.loc[table["fault"] == "swap_station", "detail"]) == {"1", "2", "3", "4"}
    swapped = people.merge(table[table["fault"] == "swap_station"])
    large = people["bmi_kg_m2"] > 35
    middle = people["bmi_kg_m2"].between(20, 30)
    at_large = (swapped["bmi_kg_m2"] > 35).sum() / large.sum()
    assert at_large > 2 * swapped["bmi_kg_m2"].between(20, 30).sum() / middle.sum()


def test_donors_have_no_fault_and_are_used_once(people):
    parameters = rates(duplicate_scan=0.2, missing_age=0.2)
    table = assign_faults(people, [], parameters, 4, np.random.default_rng(0))
    duplicates = table[table["fault"] == "duplicate_scan"]
    assert duplicates["detail"].is_unique
    assert not duplicates["detail"].isin(table["participant_id"]).any()
    assert problems(table)[duplicates["participant_id"].iloc[0]] == Problem(
        Fault.DUPLICATE_SCAN, duplicates["detail"].iloc[0]
    )


def test_same_seed_same_faults_and_none_at_rate_zero(people):
    draws = [
        assign_faults(people, [], rates(cut_top=0.1), 4, np.random.default_rng(7)) for _ in "ab"
    ]
    pd.testing.assert_frame_equal(*draws)
    none = assign_faults(people, [], rates(), 4, np.random.default_rng(7))
    assert none.empty
    assert problems(none) == {}


def test_impossible_rates_are_refused(people):
    with pytest.raises(ValidationError, match=r"add up to 0\.70"):
        rates(no_images=0.4, cut_top=0.3)
    with pytest.raises(ValidationError, match="hip_hop"):
        rates(hip_hop=0.1)
    with pytest.raises(ValueError, match=r"cohort\.fault_rates: .* lower"):
        assign_faults(people, [], rates(cut_sides=0.5), 4, np.random.default_rng(0))


@pytest.fixture
def written(tmp_path):
    volume = Volume(np.arange(8**3, dtype=np.int16).reshape(8, 8, 8), np.diag([2, 2, 2, 1.0]))
    files = {name: tmp_path / "100001" / f"{name}.nii.gz" for name in CONTRASTS}
    for path in files.values():
        save(volume, path)
    return files


def test_empty_and_truncated_files(written):
    whole = written["fat"].read_bytes()
    break_files(written, Problem(Fault.EMPTY_FILE, "water"))
    break_files(written, Problem(Fault.TRUNCATED_FILE, "fat"))
    break_files(written, Problem(Fault.WRONG_SHAPE, "in_phase"))
    assert written["water"].stat().st_size == 0
    assert written["fat"].read_bytes() == whole[: len(whole) // 2]
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(written["fat"].read_bytes())
    assert written["in_phase"].read_bytes() == whole


def test_duplicate_replaces_all_files_of_the_participant(tmp_path):
    for name, content in {
        "100001_30_W.zip": "donor", "100002_30_W.zip": "own", "100002_30_2_W.zip": "own, again",
        "1000021_30_W.zip": "somebody else",
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)
    (tmp_path / "100001" / "station_1").mkdir(parents=True)
    (tmp_path / "100001" / "station_1" / "100001_water.nii").write_text("donor's water")
    (tmp_path / "100002").mkdir()
    (tmp_path / "100002" / "fat.nii").write_text("own fat")
    faults = pd.DataFrame(
        [["100002", "duplicate_scan", "100001"], ["100001", "cut_top", "90"]],
        columns=["participant_id", "fault", "detail"],
    )
    duplicate_scans(tmp_path, faults)
    content = {
        str(path.relative_to(tmp_path)): path.read_text()
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert content == {
        "100001_30_W.zip": "donor", "100001/station_1/100001_water.nii": "donor's water",
        "100002_30_W.zip": "donor", "100002/station_1/100002_water.nii": "donor's water",
        "1000021_30_W.zip": "somebody else",
    }  # fmt: skip


def test_table_faults():
    table = pd.DataFrame(
        {"participant_id": ["1", "2", "3", "4"], "age_years": [30, 40, 50, 60],
         "bmi_kg_m2": [20.0, 21.0, 22.0, 23.0]}
    )  # fmt: skip
    faults = pd.DataFrame(
        [["1", "missing_age", ""], ["2", "bmi_contradiction", ""], ["3", "duplicate_id", ""],
         ["4", "swap_whole", ""]],
        columns=["participant_id", "fault", "detail"],
    )  # fmt: skip
    broken = break_table(table, faults)
    assert broken["participant_id"].tolist() == ["1", "2", "3", "4", "3"]
    assert broken["age_years"].isna().tolist() == [True, False, False, False, False]
    assert broken["bmi_kg_m2"].tolist() == [20.0, 27.0, 22.0, 23.0, 22.0]

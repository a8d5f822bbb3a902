import os

import numpy as np
import pandas as pd
import pytest

from benchmarks import __main__ as command
from benchmarks import confidence, storage
from benchmarks.inference import mean_dice, muscles_of
from benchmarks.loading import count_patches
from benchmarks.measured import measure, scaled_seconds
from benchmarks.tables import Bar, bars_table, comparison_table
from benchmarks.whole_volume import two_largest
from muscle_study.imaging.volumes import Volume
from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import RunPaths, image_file


def prepare_an_array(megabytes):
    return lambda: (np.ones(megabytes * 125_000).sum(), os.getpid())


# ---- measuring


def test_a_share_is_scaled_up_without_the_rest():
    # 2 s of reading and writing, 8 s for 4 of 20 patches
    assert scaled_seconds(10.0, 8.0, 4 / 20) == pytest.approx(2 + 8 * 5)


def test_a_whole_is_not_scaled():
    assert scaled_seconds(10.0, 8.0, 1.0) == 10.0


@pytest.mark.parametrize("share", [0.0, 1.5])
def test_a_share_outside_of_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match="above 0 and at most 1"):
        scaled_seconds(10.0, 8.0, share)


def test_memory_is_that_of_the_work_alone():
    held = np.ones(100_000_000)  # 0.8 GB here must not count there
    small, large = (measure(prepare_an_array, size, threads=1, runs=1) for size in (1, 401))
    assert small.result[1] != os.getpid() and large.result[0] == 401 * 125_000
    assert large.peak_gb - small.peak_gb == pytest.approx(0.4, abs=0.1)
    assert small.peak_gb < held.nbytes / 1e9


# ---- what is compared


def test_dice_is_the_mean_of_the_muscles_with_their_sides_together():
    true, found = np.zeros((4, 4, 1), np.uint8), np.zeros((4, 4, 1), np.uint8)
    for label in STRUCTURES:
        true[label - 1, :2] = label
        found[label - 1, 1:3] = label  # half of it: Dice 0.5
    of_found, of_true = (muscles_of(Volume(each, np.eye(4))) for each in (found, true))
    assert np.unique(of_true).tolist() == [0, 1, 2]
    assert mean_dice(of_found, of_true) == 0.5


def test_a_part_a_side_is_kept():
    muscles = np.zeros((20, 3, 3), np.uint8)
    muscles[0:4], muscles[5:8], muscles[10], muscles[12:14] = 1, 1, 1, 2
    kept = two_largest(muscles)
    assert not kept[10].any()
    np.testing.assert_array_equal(np.delete(kept, 10, axis=0), np.delete(muscles, 10, axis=0))


def test_patches_are_counted_in_batches_of_any_size():
    assert count_patches([{"image": np.zeros((2, 1))}, {"image": np.zeros((1, 1))}]) == 3


@pytest.mark.parametrize("way", storage.FORMATS, ids=lambda way: way.name)
def test_every_format_gives_the_region_back(way, tmp_path):
    if way.ending == ".b2nd":
        pytest.importorskip("blosc2")
    voxels = np.random.default_rng(0).integers(0, 999, (70, 40, 50)).astype(np.int16)
    path = image_file(tmp_path, "water").with_suffix(way.ending)
    way.write(Volume(voxels, np.eye(4)), path)
    box = (slice(3, 69), slice(0, 40), slice(20, 33))
    storage.forget(path)
    assert np.array_equal(way.read(path, box), voxels[box])
    assert np.array_equal(way.read(path, storage.WHOLE), voxels)


# ---- tables


def test_a_bar_holds_up_to_its_limit():
    assert Bar("seconds", 10.0, most=10.0).held and not Bar("seconds", 10.1, most=10.0).held
    assert Bar("times", 8.0, least=8.0).held and not Bar("times", 7.9, least=8.0).held
    assert not Bar("times", np.nan, least=8.0).held
    assert (Bar("seconds", 1.0, most=10.0).limit, Bar("times", 1.0, least=8.0).limit) == (
        "≤ 10",
        "≥ 8",
    )


def one_comparison(_run):
    rows = pd.DataFrame(
        {"method": ["ours", "other"], "seconds": [1.25, 80.0], "dice": [0.9, np.nan]}
    )
    return [
        comparison_table("inference", rows, ("Method", "Seconds", "Dice"), "Synthetic."),
        bars_table("inference", [Bar("seconds", 1.25, most=1.0)]),
    ]


def test_the_tables_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setitem(command.COMPARISONS, "loading", one_comparison)
    assert command.main(["loading"]) == 0
    folder = RunPaths("bench").reports
    assert read_table(folder / "inference.csv")["seconds"].tolist() == [1.25, 80.0]
    assert read_table(folder / "inference_bars.csv")["held"].tolist() == [False]
    assert "| other | 80 |  |" in (folder / "inference.md").read_text()
    assert "torch" in (folder / "inference.caption.md").read_text()
    assert str(folder) in capsys.readouterr().out


def test_a_run_without_a_network_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    assert command.main(["loading", "--run", "ci"]) == 1
    assert "is missing" in capsys.readouterr().err


# ---- confidence


def test_a_worsened_scan_stays_in_its_place():
    rng = np.random.default_rng(0)
    affine = np.diag([2.0, 2.0, 3.0, 1.0])
    scanned = {name: Volume(rng.random((16, 16, 12)), affine) for name in ("water", "fat")}
    made = confidence.scans(scanned)
    assert set(made) == {"as scanned", *confidence.WORSENED, "channels exchanged"}
    for kind, scan in made.items():
        for volume in scan.values():
            assert volume.same_grid(scanned["water"]), kind
    assert made["channels exchanged"]["water"] is scanned["fat"]
    assert (made["noise"]["fat"].data != scanned["fat"].data).any()


def test_the_area_is_by_kind_and_of_all():
    structures = pd.DataFrame(
        {
            "who": ["a", "a", "b", "b"],
            "kind": ["as scanned", "noise", "as scanned", "noise"],
            "dice": [0.95, 0.5, 0.96, 0.6],
            "predicted": [0.9, 0.3, 0.9, 0.95],
        }
    )
    table, bars = confidence.tables(structures)
    by_kind = table.table.data.set_index("scan")
    assert by_kind["failed"].to_dict() == {"as scanned": 0, "noise": 2, "all": 2}
    assert by_kind["area"].isna().tolist() == [True, True, False]
    assert by_kind.loc["all", "area"] == 0.5  # of four pairs, two are ranked right
    assert not bars.table.data["held"].item()

from dataclasses import replace

import pytest

from muscle_study.protocol.files import read_table
from muscle_study.statistics.analyses.segmentation import compared
from muscle_study.statistics.analyses.segmentation import compared_figure as bland_altman


@pytest.fixture
def other(study_of, plan):
    return study_of(plan(compared=True))


def test_the_table_sets_both_segmentations_beside_each_other(other):
    table = compared.comparison_table(other)
    row = table.text.set_index("Measure").loc["Gluteus volume, total (mL)"]
    pairs = read_table(other.paths.measurements / "compared.csv").merge(
        other.measures, on="participant_id", suffixes=("_other", "")
    )
    bias = (pairs["gluteus_volume_total_ml"] - pairs["gluteus_volume_total_ml_other"]).mean()
    assert row["Bias (CI)"].startswith(f"−{-bias:.0f} (")
    dice = pairs[["dice_gluteus_left", "dice_gluteus_right"]].mean(axis=1)
    assert row["Dice, mean ± SD"].startswith(f"{dice.mean():.3f}")
    assert "VIBESegmentator, whose psoas is the iliopsoas" in table.caption
    assert f"n = {len(pairs)} participants" in table.caption


def test_a_few_who_cannot_be_compared_are_not_told(other):
    assert compared.size(other) == str(len(other.measures) - 6)
    assert compared.size(replace(other, measures=other.measures.iloc[:-3])) == "–"


def test_the_figure_shows_no_single_point(other):
    picture = bland_altman.draw(other)
    assert "Synthetic cohort" in picture.caption and "Bland" not in picture.caption
    assert not any(line.get_marker() != "None" for line in picture.figure.axes[0].lines)


def test_a_run_without_another_has_none(study):
    assert not compared.is_here(study)


def test_a_muscle_that_stands_in_is_named(study):
    masks = {"kind": "masks", "segmenter": "It", "psoas_label": "iliopsoas"}
    of_masks = replace(study, segmentation=masks)
    assert (study.stand_in, of_masks.psoas) == ("", "iliopsoas")
    assert "iliopsoas of It stands in for the psoas major" in of_masks.stand_in

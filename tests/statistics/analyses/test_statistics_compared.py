from dataclasses import replace

import pytest

from muscle_study.protocol.files import read_table
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.segmentation import agreement, comparison
from muscle_study.statistics.analyses.segmentation.comparison import size
from muscle_study.statistics.study.measures import OUTCOMES


@pytest.fixture
def other(study_of, plan):
    return study_of(plan(compared=True))


def test_the_table_sets_both_segmentations_beside_each_other(other):
    table = comparison(other).table
    row = table.text.set_index("Measure").loc["Gluteus volume, total (mL)"]
    pairs = read_table(other.paths.measurements / "compared.csv").merge(
        other.measures, on="participant_id", suffixes=("_other", "")
    )
    bias = (pairs["gluteus_volume_total_ml"] - pairs["gluteus_volume_total_ml_other"]).mean()
    assert row["Bias (CI)"].startswith(f"−{-bias:.0f} (")
    dice = pairs[["dice_gluteus_left", "dice_gluteus_right"]].mean(axis=1)
    assert row["Dice, mean ± SD"].startswith(f"{dice.mean():.3f}")
    assert "VIBESegmentator, whose psoas is the iliopsoas" in table.caption
    assert f"n = {len(pairs)} participants measured by both" in table.caption


def test_a_few_who_cannot_be_compared_are_not_told(other):
    others = other.measures.iloc[:-6]
    assert size(other, others) == str(len(others))
    assert size(replace(other, measures=other.measures.iloc[:-3]), others) == "–"


@pytest.mark.parametrize(("analysis", "other_name"), [(agreement, "truth"), (comparison, "other")])
def test_the_figure_shows_densities_and_the_limits_of_the_table(other, analysis, other_name):
    result = analysis(other)
    data = result.table.data
    rows = data[data["group"] == "unseen"] if "group" in data else data
    for axes, outcome in zip(result.figure.figure.axes, OUTCOMES.values(), strict=True):
        row = rows.set_index("measure").loc[outcome.column]
        levels = [0, *(row[name] * outcome.factor for name in ("bias", "loa_low", "loa_high"))]
        assert [line.get_ydata()[0] for line in axes.lines] == pytest.approx(levels)
        assert not any(line.get_marker() != "None" for line in axes.lines)
        assert other_name in axes.get_xlabel()
    assert set(result.figure.data["outcome"]) == set(OUTCOMES)
    assert "Synthetic cohort" in result.figure.caption


def test_a_run_without_another_has_none(study):
    assert isinstance(comparison(study), Absent)


def test_a_muscle_that_stands_in_is_named(study):
    masks = {"kind": "masks", "segmenter": "It", "psoas_label": "iliopsoas"}
    of_masks = replace(study, segmentation=masks)
    assert (study.stand_in, of_masks.psoas) == ("", "iliopsoas")
    assert "iliopsoas of It stands in for the psoas major" in of_masks.stand_in

import numpy as np
import pandas as pd
import pytest

from muscle_study.measurement.measures import measure
from muscle_study.measurement.overview import (
    captioned,
    distribution,
    draw_mean_profile,
    mean_profile,
    quality_summary,
)
from muscle_study.measurement.voxels import LabelledVoxels


@pytest.fixture
def profiles():
    """Two sides, thickest at 110 and at 215 mm, 5 mm slices; one reaches a slice lower."""
    rows = [("1", "left", 100 + 5 * i, area) for i, area in enumerate([2, 4, 8, 6])]
    rows += [("1", "right", 205 + 5 * i, area) for i, area in enumerate([6, 10, 8, 3, 1])]
    rows += [("2", side, 5 * i, area) for side in "ab" for i, area in enumerate([5, 9, 7])]
    return pd.DataFrame(rows, columns=["participant_id", "side", "z_mm", "csa_cm2"])


def test_profiles_are_aligned_at_their_maxima(profiles):
    mean = mean_profile(profiles).set_index("offset_mm")
    assert mean.loc[0, "mean"] == np.mean([8, 10, 9, 9])
    assert mean.loc[-5, "mean"] == np.mean([4, 6, 5, 5])
    assert mean.loc[5, "sd"] == pytest.approx(np.std([6, 8, 7, 7], ddof=1))


def test_levels_that_few_reach_are_not_shown(profiles):
    assert mean_profile(profiles)["offset_mm"].tolist() == [-5, 0, 5]


@pytest.mark.parametrize(("synthetic", "tags"), [(True, ["synthetic"]), (False, [])])
def test_a_synthetic_picture_says_so(profiles, synthetic, tags):
    (axes,) = draw_mean_profile(mean_profile(profiles), synthetic).axes
    assert [text.get_text() for text in axes.texts] == tags


@pytest.mark.parametrize(
    ("synthetic", "caption"), [(True, "Areas (synthetic data)"), (False, "Areas")]
)
def test_a_synthetic_table_says_so(synthetic, caption):
    table = pd.DataFrame({"mean": [1.23456, np.nan]})
    html = captioned(table, "Areas", synthetic).to_html()
    assert f"<caption>{caption}</caption>" in html
    assert "1.235" in html


def test_quality_is_summarised_by_muscle():
    quality = pd.DataFrame(
        {
            "participant_id": ["1"] * 4,
            "structure": ["psoas_left", "psoas_right", "gluteus_left", "gluteus_right"],
            "dice": [0.8, 0.9, 0.95, 0.97],
            "hausdorff95_mm": [3, 5, 4, 4],
            "surface_distance_mm": [1, 2, np.nan, 1],
        }
    )
    summary = quality_summary(quality)
    assert summary.index.tolist() == ["psoas", "gluteus"]
    assert summary.loc["psoas", ("dice", "mean")] == pytest.approx(0.85)
    assert summary.loc["gluteus", ("surface_distance_mm", "mean")] == 1


def test_the_distribution_shows_no_extremes(four_boxes):
    measures = pd.DataFrame([measure(LabelledVoxels(four_boxes))[0]] * 3)
    table = distribution(measures)
    assert list(table.columns) == ["mean", "SD", "25 %", "median", "75 %"]
    assert table.loc["psoas_csa_total_cm2", "median"] == pytest.approx(12 * 0.06)

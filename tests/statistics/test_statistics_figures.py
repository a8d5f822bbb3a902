import matplotlib as mpl
import numpy as np
import pytest
from scipy import stats

from muscle_study.statistics.figures import distributions, example, flow
from muscle_study.statistics.figures.density import SHARES, levels_of

mpl.use("Agg")


def test_contours_enclose_their_shares():
    # of a standard normal density in two dimensions, 1 - exp(-r²/2) lies within r
    grid = np.linspace(-5, 5, 401)
    x, y = np.meshgrid(grid, grid)
    height = stats.norm.pdf(x) * stats.norm.pdf(y)
    expected = sorted((1 - share) / (2 * np.pi) for share in SHARES)
    assert levels_of(height) == pytest.approx(expected, rel=0.01)


def test_the_same_drawing_is_the_same_bytes(study, tmp_path):
    first = flow.draw(study).write(tmp_path / "a")
    flow.draw(study).write(tmp_path / "b")
    drawn = (tmp_path / "a" / "flow.svg").read_bytes()
    assert drawn == (tmp_path / "b" / "flow.svg").read_bytes()
    assert b"synthetic cohort" in drawn
    assert "Synthetic cohort" in first.caption


def test_an_individual_picture_of_a_real_person_is_withheld(study_of, plan):
    picture = example.draw(study_of(plan(synthetic=False, n=60, n_test=6, truth=False)))
    assert "withheld" in picture.caption
    assert not picture.figure.axes[0].images


def test_small_groups_are_not_drawn(study_of, plan):
    study = study_of(plan(n=20, n_test=3, n_curation_exclusions=1, n_late_exclusions=0))
    picture = distributions.by_bmi(study)
    shown = study.group_counts.query("grouping == 'bmi_group' and not hidden")
    assert len(picture.figure.axes[0].patches) == len(shown) < 6

import matplotlib as mpl
import numpy as np
import pytest
from scipy import stats

from muscle_study.protocol.files import read_table
from muscle_study.publishing.density import SHARES, levels_of
from muscle_study.statistics.analyses.sample import flow
from muscle_study.statistics.analyses.segmentation import cases, dice, example, learning, rendering
from muscle_study.statistics.analyses.segmentation.rendering import depth, normals

mpl.use("Agg")


def test_contours_enclose_their_shares():
    # of a standard normal density in two dimensions, 1 - exp(-r²/2) lies within r
    grid = np.linspace(-5, 5, 401)
    x, y = np.meshgrid(grid, grid)
    height = stats.norm.pdf(x) * stats.norm.pdf(y)
    expected = sorted((1 - share) / (2 * np.pi) for share in SHARES)
    assert levels_of(height) == pytest.approx(expected, rel=0.01)


def test_the_same_drawing_is_the_same_bytes(study, tmp_path):
    first, second = flow(study).figure, flow(study).figure
    first.write(tmp_path / "a", "flow")
    second.write(tmp_path / "b", "flow")
    drawn = (tmp_path / "a" / "flow.svg").read_bytes()
    assert drawn == (tmp_path / "b" / "flow.svg").read_bytes()
    assert b"synthetic cohort" in drawn
    assert "Synthetic cohort" in first.caption


def test_the_flow_chart_shows_every_count(study):
    picture = flow(study).figure
    shown = {" ".join(text.get_text().split()) for text in picture.figure.axes[0].texts} - {""}
    assert shown == {" ".join(text.split()) for text in picture.data["main"] if text} | {
        " ".join(text.split()) for text in picture.data["side"] if text
    }
    n = f"{study.counts['source']:,}"
    assert picture.data["main"].iloc[0] == f"Participants in the source n = {n}"
    excluded = picture.data["side"][picture.data["side"] != ""].iloc[0]
    assert excluded.startswith("Excluded before being measured: n = 11 • ")


@pytest.mark.parametrize("drawn", [example, rendering, cases], ids=lambda drawn: drawn.__name__)
def test_an_individual_picture_of_a_real_person_is_withheld(study_of, plan, drawn):
    picture = drawn(study_of(plan(synthetic=False, n=60, n_test=6, truth=False))).figure
    assert "withheld" in picture.caption
    assert not picture.figure.axes[0].images
    assert drawn(study_of(plan(n=60, n_test=6))).figure.figure.axes[0].images


def test_the_boxes_of_dice_are_the_scores_quartiles(study):
    picture = dice(study).figure
    scores = read_table(study.paths.measurements / "segmentation_quality.csv")
    by_structure = scores.groupby("structure")["dice"]
    box = picture.data.set_index("structure")
    assert box["median"].to_dict() == pytest.approx(by_structure.median().to_dict())
    assert set(box.index) == set(scores["structure"].unique())
    medians = [line for line in picture.figure.axes[0].lines if line.get_linewidth() == 1.2]
    assert [line.get_ydata()[0] for line in medians] == pytest.approx(list(box["median"]))


def test_learning_curves_are_those_of_the_history(study):
    history = read_table(study.paths.model / "history.csv")
    loss, scores = learning(study).figure.figure.axes
    drawn = {line.get_label(): line for line in [*loss.lines, *scores.lines]}
    assert drawn["training"].get_ydata() == pytest.approx(history["train_loss"].to_numpy())
    known = history.dropna(subset=["dice_psoas"])
    assert drawn["psoas"].get_ydata() == pytest.approx(known["dice_psoas"].to_numpy())
    assert list(drawn["psoas"].get_xdata()) == list(known["epoch"])
    kept = [line for line in loss.lines if list(line.get_xdata()) == [12, 12]]
    assert kept, "the epoch that was kept is not marked"


def test_a_sphere_is_seen_where_it_is_and_lit_from_its_side():
    # of radius 8 about (12, 20, 15): nearest to a viewer at the front (y = 39) at y = 28
    x, y, z = np.indices((30, 40, 30))
    distance = np.sqrt((x - 12) ** 2 + (y - 20) ** 2 + (z - 15) ** 2)
    seen = depth(np.clip(8.5 - distance, 0, 1))
    row, column = np.unravel_index(np.nanargmin(seen), seen.shape)
    assert seen.shape == (30, 30)
    assert (row, column) == (29 - 15, 29 - 12)  # from the top; from the participant's right
    assert np.nanmin(seen) == pytest.approx(39 - 28)
    normal = normals(seen)
    assert normal[row, column] == pytest.approx([0, 0, 1], abs=0.05)
    assert normal[row, column + 4][0] > 0.3 and normal[row - 4, column][1] > 0.3
    assert (normal[0, 0] == 0).all()

import numpy as np
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.publishing.density import SHARES
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.segmentation import predicted
from muscle_study.statistics.analyses.segmentation.predicted import (
    area_under_curve,
    predictions,
    ranking,
    within_muscles,
)


@pytest.mark.parametrize(
    ("prediction", "failed", "area"),
    [
        ([0.1, 0.9], [True, False], 1.0),
        ([0.9, 0.1], [True, False], 0.0),
        ([0.5, 0.5], [True, False], 0.5),
        ([0.2, 0.6, 0.5, 0.9], [True, True, False, False], 0.75),
        ([0.2, 0.6], [False, False], np.nan),
    ],
)
def test_area_by_hand(prediction, failed, area):
    found = area_under_curve(np.array(prediction), np.array(failed))
    assert found == pytest.approx(area, nan_ok=True)


def test_area_is_that_of_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(2)
    prediction, failed = random.random(80).round(1), random.random(80) < 0.3
    assert area_under_curve(prediction, failed) == pytest.approx(
        metrics.roc_auc_score(failed, -prediction)
    )


@pytest.fixture
def with_failures(study_of, plan):
    """Return a function that makes a study in which some participants' psoas failed."""

    def make(participants: int, **made_up):
        study = study_of(plan(n=100, n_test=12, seed=participants, **made_up))
        path = study.paths.measurements / "segmentation_quality.csv"
        quality = read_table(path)
        who = quality["participant_id"].isin(quality["participant_id"].unique()[:participants])
        left = who & (quality["structure"] == "psoas_left")
        quality["dice"] = quality["dice"].clip(lower=0.86)
        quality.loc[left, ["dice", "predicted_dice"]] = [0.4, 0.5]
        write_example(quality, path)
        return study

    return make


def numbers_of(study):
    return {name: number.text for name, number in predicted(study).numbers.items()}


def test_failures_are_ranked_with_an_interval(with_failures):
    study = with_failures(3)
    found = ranking(study)
    assert (found.structures, found.failures, found.auc) == (48, 3, 1.0)
    assert found.low <= found.auc <= found.high
    assert numbers_of(study)["predicted.auc"] == "1.000"


def test_without_failures_that_is_said(with_failures):
    numbers = numbers_of(with_failures(0))
    assert numbers["predicted.failures"] == "0"
    assert numbers["predicted.auc"] == "undefined, since none failed"


def test_a_few_real_failures_are_not_told(with_failures):
    numbers = numbers_of(with_failures(2, synthetic=False, truth=False))
    assert numbers["predicted.failures"] == numbers["predicted.auc"] == "suppressed"


def test_predictions_of_few_are_not_drawn(with_failures, study_of, plan):
    few = predicted(with_failures(3)).figure
    assert few.data.empty and not few.figure.axes[0].collections
    many = predicted(study_of(plan(n=100, n_test=30))).figure
    assert set(many.data["share"]) == set(SHARES)
    assert all(not hasattr(drawn, "get_offsets") or len(drawn.get_offsets()) <= 1
               for drawn in many.figure.axes[0].collections)  # fmt: skip


def test_predictions_are_judged_within_a_muscle(study):
    """Two clusters of sides would correlate by themselves."""
    table = predictions(study)
    psoas = table[table["structure"].str.startswith("psoas")]
    found = within_muscles(study)
    assert set(found) == {"psoas", "gluteus"}
    assert found["psoas"].bias == pytest.approx((psoas["predicted_dice"] - psoas["dice"]).mean())
    ranks = psoas[["dice", "predicted_dice"]].rank()
    assert found["psoas"].correlation == pytest.approx(ranks.corr().iloc[0, 1])


def test_few_participants_are_not_judged_within_a_muscle(study_of, plan):
    found = within_muscles(study_of(plan(n_test=4)))
    assert all(np.isnan(value) for of_muscle in found.values() for value in of_muscle)


def test_masks_from_elsewhere_have_no_prediction(with_failures):
    study = with_failures(1)
    path = study.paths.measurements / "segmentation_quality.csv"
    write_example(read_table(path).assign(predicted_dice=np.nan), path)
    assert isinstance(predicted(study), Absent)

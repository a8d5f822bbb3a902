import shutil

import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.publishing.result import Absent
from muscle_study.statistics.analyses.segmentation import learning_curve


@pytest.fixture
def measured(study_of, plan):
    """A run whose curve has a point at ten participants, worse by 0.1 in Dice."""
    study = study_of(plan(seed=7))
    paths = study.paths
    own = read_table(paths.measurements / "segmentation_quality.csv")
    worse = own.assign(dice=own["dice"] - 0.1, training_participants=10)
    scores = [*worse.to_dict("records"), *own.assign(training_participants=30).to_dict("records")]
    write_example(worse.from_records(scores), paths.learning_curve / "scores.csv")
    shutil.copy(paths.model / "card.json", paths.learning_curve / "card.json")
    return study


def test_the_curve_by_size_and_muscle(measured):
    table = learning_curve(measured).table
    assert table.text["Training participants"].tolist() == ["10", "30"]
    mean = table.data.pivot(index="muscle", columns="training_participants", values="mean")
    assert (mean[30] - mean[10]).tolist() == pytest.approx([0.1, 0.1])
    assert "Synthetic cohort" in table.caption


def test_the_curve_of_another_model_is_not_shown(measured):
    (measured.paths.learning_curve / "card.json").write_text("{}")
    assert isinstance(learning_curve(measured), Absent)


def test_without_a_curve_there_is_none(study):
    assert isinstance(learning_curve(study), Absent)

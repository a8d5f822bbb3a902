"""A learning curve on the smallest run, with one short training."""

import json

import pytest

from muscle_study.checks.learning_curve import measure_curve, with_as_many_steps
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.running.documents import ParameterError
from muscle_study.running.parameters import load

SHORT = [f"training.{name}.max_epochs=4" for name in ("localiser", "segmenter")]


@pytest.fixture
def run(ci_output, tmp_path, monkeypatch):
    """The smallest run, linked: what is written beside it stays here."""
    (tmp_path / "data" / "ci").mkdir(parents=True)
    for folder in (ci_output / "data" / "ci").iterdir():
        (tmp_path / "data" / "ci" / folder.name).symlink_to(folder)
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    monkeypatch.setenv("MUSCLE_STUDY_PLAIN_PROGRESS", "1")
    return RunPaths("ci")


@pytest.mark.run
def test_a_smaller_training_and_the_runs_own_are_points_of_the_curve(run):
    parameters = load("ci", ["learning_curve.sizes=[4]", "cluster.workers=1", *SHORT])
    scores = measure_curve(run, parameters)
    splits = read_table(run.curated / "participants.csv").set_index("participant_id")["split"]
    tested = set(splits.index[splits == "test"])
    by_size = dict(list(scores.groupby("training_participants")))
    assert list(by_size) == [4, (splits == "train").sum()]
    assert all(set(of_size["participant_id"]) == tested for of_size in by_size.values())

    used = read_table(run.learning_curve / "4/model/used.csv")
    trained = used[used["split"] == "train"].groupby("network")["participant_id"].agg(set)
    assert all(len(who) == 4 and set(splits[list(who)]) == {"train"} for who in trained)
    card = json.loads((run.learning_curve / "4/model/card.json").read_text())
    wanted = load("ci").training.segmenter.patches_per_volume * (splits == "train").sum() / 4
    assert card["parameters"]["segmenter"]["patches_per_volume"] == wanted
    assert len(read_table(run.learning_curve / "scores.csv")) == len(scores)


@pytest.mark.run
def test_a_size_that_is_no_part_is_refused(run):
    with pytest.raises(ParameterError, match=r"learning_curve\.sizes: 500 is not below the"):
        measure_curve(run, load("ci", ["learning_curve.sizes=[500]"]))


def test_a_finished_model_has_no_learning_curve(tmp_path, monkeypatch):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    with pytest.raises(ParameterError, match=r"pretrained: a/model is taken as it is, whatever"):
        measure_curve(RunPaths("ci"), load("ci", ["training.pretrained=a/model"]))


def test_all_trainings_take_as_many_steps():
    parameters = load("demo").training
    fewer = with_as_many_steps(parameters, 2.5)
    before, after = (each.segmenter.patches_per_volume for each in (parameters, fewer))
    assert after == round(2.5 * before)


@pytest.mark.parametrize("sizes", ["[]", "[0, 3]", "[5, 5]"])
def test_sizes_must_rise(sizes):
    with pytest.raises(ParameterError, match=r"learning_curve"):
        load("ci", [f"learning_curve.sizes={sizes}"])

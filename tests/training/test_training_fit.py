"""A whole training on tiny volumes: repeatable, and blind to the test split."""

import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from example_tables import write_example
from muscle_study.networks.classes import CLASSES
from muscle_study.networks.model import load_model
from muscle_study.networks.network import HEADS
from muscle_study.protocol.files import read_json, read_table, write_json
from muscle_study.protocol.paths import RunPaths
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.fit import psoas_of_labels, train
from muscle_study.training.module import Segmentation
from muscle_study.training.used import check_test_split_unseen

WEIGHTS = ("localiser.safetensors", "segmenter_1.safetensors")


def weights(paths):
    return [(paths.model / name).read_bytes() for name in WEIGHTS]


def with_networks(parameters, changes):
    """Return parameters with changed values in both networks."""
    return parameters.model_copy(
        update={
            name: getattr(parameters, name).model_copy(update=changes)
            for name in ("localiser", "segmenter")
        }
    )


class Killed(Exception):  # noqa: N818
    """Stands for the end of the process."""


def test_same_seed_same_weights_and_no_test_participant(paths, parameters):
    history = train(paths, parameters)
    assert history["network"].tolist() == ["localiser"] * 2 + ["segmenter_1"] * 2
    assert history["epoch"].tolist() == [1, 2, 1, 2]
    assert history["validation_dice"].notna().all()
    card = read_json(paths.model / "card.json")
    assert card["psoas"] == "iliopsoas"
    (learned,) = card["segmenters"]
    assert (learned["training_participants"], learned["validation_participants"]) == (2, 1)
    assert learned["best_epoch"] in (1, 2)
    used = pd.read_csv(paths.model / "used.csv")
    assert set(used["participant_id"]) == {"a", "b", "c"}
    check_test_split_unseen(paths)
    first = weights(paths)
    shutil.rmtree(paths.model)
    train(paths, parameters)
    assert weights(paths) == first
    assert read_json(paths.model / "card.json") == card


def test_fewer_epochs_than_between_validations_are_validated_at_their_end(paths, parameters):
    rarely = {"validate_every": 5}
    history = train(paths, with_networks(parameters, rarely))
    assert history["epoch"].tolist() == [1, 2, 1, 2]
    assert history["validation_dice"].notna().tolist() == [False, True] * 2
    assert read_json(paths.model / "card.json")["localiser"]["best_epoch"] == 2


def train_until_killed(paths, parameters, monkeypatch, step_number):
    """Train, and stop with an exception in a step, counted from 1 over all networks."""
    steps, step = iter(range(1, 100)), Segmentation.training_step

    def killed(self, *arguments):
        if next(steps) == step_number:
            raise Killed
        return step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Segmentation, "training_step", killed)
        with pytest.raises(Killed):
            train(paths, parameters)


def train_counted(paths, parameters, monkeypatch):
    """Train; return which network's which epoch each step was of."""
    taken, step = [], Segmentation.training_step

    def counted(self, *arguments):
        taken.append((len(self.classes.names), self.trainer.current_epoch))
        return step(self, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Segmentation, "training_step", counted)
        train(paths, parameters)
    return taken


SEGMENTER = len(CLASSES["segmenter"].names)


@pytest.mark.parametrize("loader_workers", [0, 1])
def test_killed_and_started_again_gives_the_same_weights(
    paths, parameters, monkeypatch, loader_workers
):
    parameters = parameters.model_copy(update={"loader_workers": loader_workers})
    train(paths, parameters)
    undisturbed, history = weights(paths), (paths.model / "history.csv").read_bytes()
    shutil.rmtree(paths.model)
    # two steps an epoch: in the segmenter's second
    train_until_killed(paths, parameters, monkeypatch, 7)
    resumed = train_counted(paths, parameters, monkeypatch)
    assert resumed == [(SEGMENTER, 1)] * 2, "only the second epoch of the segmenter is done again"
    assert weights(paths) == undisturbed
    assert (paths.model / "history.csv").read_bytes() == history


def test_an_average_of_the_weights_is_kept_and_survives_a_kill(paths, parameters, monkeypatch):
    parameters = with_networks(parameters, {"ema_decay": 0.9, "deep_supervision": 1})
    train(paths, parameters)
    undisturbed, history = weights(paths), (paths.model / "history.csv").read_bytes()
    (best,) = (paths.model / "checkpoints/segmenter_1").rglob("best*.ckpt")
    checkpoint = torch.load(best, weights_only=False)
    saved = load_file(paths.model / "segmenter_1.safetensors")
    assert not [name for name in saved if name.startswith(HEADS)]
    first = next(iter(saved))  # far from the output's bias, which calibration shifts
    assert torch.equal(saved[first], checkpoint["state_dict"][f"network.{first}"])
    assert not torch.equal(saved[first], checkpoint["current_model_state"][f"network.{first}"])

    shutil.rmtree(paths.model)
    train_until_killed(paths, parameters, monkeypatch, 7)
    assert train_counted(paths, parameters, monkeypatch) == [(SEGMENTER, 1)] * 2
    assert weights(paths) == undisturbed
    assert (paths.model / "history.csv").read_bytes() == history


def test_a_network_that_is_finished_is_not_trained_again(paths, parameters, monkeypatch):
    # too slow to become better, so that each stops after two of the epochs
    slow = {"learning_rate": 1e-12, "max_epochs": 4, "patience": 1}
    parameters = with_networks(parameters, slow)
    assert train(paths, parameters)["epoch"].tolist() == [1, 2, 1, 2]
    undisturbed, history = weights(paths), (paths.model / "history.csv").read_bytes()
    shutil.rmtree(paths.model)
    train_until_killed(paths, parameters, monkeypatch, 7)
    assert train_counted(paths, parameters, monkeypatch) == [(SEGMENTER, 1)] * 2
    assert weights(paths) == undisturbed
    assert (paths.model / "history.csv").read_bytes() == history

    assert train_counted(paths, parameters, monkeypatch) == []
    (paths.model / WEIGHTS[0]).write_bytes(b"of another training")
    assert train_counted(paths, parameters, monkeypatch) == [], "the best epoch is still known"
    assert weights(paths) == undisturbed
    assert (paths.model / "history.csv").read_bytes() == history


def test_the_number_of_workers_changes_no_weight(paths, parameters):
    train(paths, parameters)
    alone = weights(paths)
    shutil.rmtree(paths.model)
    train(paths, parameters.model_copy(update={"loader_workers": 2}))
    assert weights(paths) == alone


def test_other_parameters_start_afresh(paths, parameters):
    train(paths, parameters)
    other = parameters.model_copy(update={"seed": 5})
    train(paths, other)
    changed = weights(paths)
    kept = [len(list(of.iterdir())) for of in (paths.model / "checkpoints").iterdir()]
    assert kept == [1, 1], "checkpoints of the earlier training are left"
    shutil.rmtree(paths.model)
    train(paths, other)
    assert weights(paths) == changed


def test_folds_validate_on_everyone_once(paths, parameters):
    parameters = parameters.model_copy(update={"folds": 3})
    train(paths, parameters)
    assert [each["weights"] for each in read_json(paths.model / "card.json")["segmenters"]] == [
        f"segmenter_{fold}.safetensors" for fold in (1, 2, 3)
    ]
    used = pd.read_csv(paths.model / "used.csv")
    of_segmenters = used[used["network"] != "localiser"]
    validated = of_segmenters.loc[of_segmenters["split"] == "validation", "participant_id"]
    assert sorted(validated) == ["a", "b", "c"]
    assert not of_segmenters.duplicated(["network", "participant_id"]).any()


def test_training_can_start_from_another_model(paths, parameters):
    train(paths, parameters)
    earlier = paths.model.rename(paths.data / "earlier")
    network = parameters.segmenter
    still = {"learning_rate": 1e-12, "max_epochs": 1}
    started = with_networks(parameters, still).model_copy(update={"start_from": str(earlier)})
    train(paths, started)
    before, after = load_model(earlier), load_model(paths.model)
    *one, _ = before.segmenters[0].parameters()
    *other, _ = after.segmenters[0].parameters()  # all but the bias, which calibration shifts
    torch.testing.assert_close(one, other, rtol=0, atol=1e-9)
    used = pd.read_csv(paths.model / "used.csv")
    assert used["network"].value_counts().to_dict() == dict.fromkeys(
        ("localiser", "segmenter_1", "start_from/localiser", "start_from/segmenter_1"), 3
    )

    wider = network.model_copy(update={"features": [4, 16, 8]})
    with pytest.raises(ValueError, match=r"has features \[4, 8, 8\], this run \[4, 16, 8\]"):
        train(paths, started.model_copy(update={"segmenter": wider}))


def test_split_without_participants_is_named(paths, parameters):
    table = read_table(paths.curated / "participants.csv")
    write_example(table[table["split"] != "validation"], paths.curated / "participants.csv")
    with pytest.raises(ValueError, match="no participant in split 'validation'"):
        AnnotatedParticipants(paths, parameters, "segmenter")


def test_a_finished_model_is_taken_as_it_is(paths, parameters):
    history = train(paths, parameters)
    before, card = weights(paths), read_json(paths.model / "card.json")
    finished = paths.model.rename(paths.data / "finished")
    shutil.rmtree(paths.curated)  # nothing is learned from

    taken = parameters.model_copy(update={"pretrained": str(finished), "seed": 99})
    pd.testing.assert_frame_equal(train(paths, taken), history, check_dtype=False)
    assert weights(paths) == before
    assert read_json(paths.model / "card.json") == card
    used = pd.read_csv(paths.model / "used.csv")
    assert set(used["network"]) == {"pretrained/localiser", "pretrained/segmenter_1"}
    assert set(used["participant_id"]) == {"a", "b", "c"}

    (finished / "used.csv").unlink()  # as of a model that comes without
    train(paths, taken)
    assert pd.read_csv(paths.model / "used.csv").empty

    other = taken.model_copy(update={"channels": ["in_phase"]})
    with pytest.raises(ValueError, match=r"sees \['water', 'fat'\], this run has"):
        train(paths, other)


def test_images_of_random_contrast_say_what_their_psoas_holds(tmp_path, monkeypatch, parameters):
    monkeypatch.setenv("MUSCLE_STUDY_OUTPUT", str(tmp_path))
    paths = RunPaths("tiny")
    made = {"parameters": {"randomised": {"psoas": "iliopsoas"}}}
    write_json(made, paths.raw / "manifest.json")
    learns = parameters.model_copy(update={"learn_from": "randomised"})
    assert psoas_of_labels(paths, learns) == "iliopsoas"

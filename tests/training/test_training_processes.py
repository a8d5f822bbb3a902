"""Several processes train together, and the command that starts them."""

import signal
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from muscle_study.__main__ import main
from muscle_study.networks.model import load_model
from muscle_study.protocol.files import read_json
from muscle_study.training.finished import FINISHED
from muscle_study.training.fit import train
from muscle_study.training.used import check_test_split_unseen

#: Of which processes that wait for each other for ever would take more.
SECONDS_AT_MOST = 300


@pytest.fixture
def bounded():
    """Fail what takes too long."""

    def fail(*_):
        raise TimeoutError(f"not ended after {SECONDS_AT_MOST} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(SECONDS_AT_MOST)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("strategy", ["ddp", "auto"])
def test_two_processes_train_together(paths, parameters, strategy, bounded, monkeypatch, capfd):
    monkeypatch.setenv("SLURM_NTASKS", "1")  # within a job, but not started by srun
    together = parameters.model_copy(update={"devices": 2, "strategy": strategy})
    history = train(paths, together)
    assert history["epoch"].tolist() == [1, 2, 1, 2]
    assert history["validation_dice"].notna().all()
    assert len(pd.read_csv(paths.model / "history.csv")) == 4
    for last in paths.model.rglob("last.ckpt"):  # each took one of the two batches of an epoch
        assert torch.load(last, weights_only=False)["global_step"] == 2
    assert load_model(paths.model).card.parameters.model_dump() == together.model_dump()
    assert set(pd.read_csv(paths.model / "used.csv")["participant_id"]) == {"a", "b", "c"}
    check_test_split_unseen(paths)
    said = capfd.readouterr().out
    assert said.count("localiser epoch 2/2") == said.count("segmenter_1 epoch 2/2") == 1


def test_what_failed_in_the_processes_is_said(paths, parameters, bounded):
    (paths.curated / "labels/a.nii.gz").unlink()
    with pytest.raises(RuntimeError, match="on 2 devices ended with exit code 1") as caught:
        train(paths, parameters.model_copy(update={"devices": 2}))
    assert "FileNotFoundError: [Errno 2] a.nii.gz: No such file" in str(caught.value)
    assert "File " not in str(caught.value)


def test_several_nodes_are_started_by_the_user(paths, parameters):
    with pytest.raises(FileNotFoundError, match=r"srun python -m muscle_study train --run tiny"):
        train(paths, parameters.model_copy(update={"nodes": 2}))


def test_the_command_trains_what_the_notebook_then_finds(paths, parameters, monkeypatch):
    used = SimpleNamespace(training=parameters)
    monkeypatch.setattr("muscle_study.__main__.load", lambda run, overrides: used)
    assert main(["train", "--run", "tiny"]) == 0
    written = {place: place.stat().st_mtime_ns for place in paths.model.rglob(FINISHED)}
    assert len(written) == 2 and not (paths.model / "card.json").exists()
    train(paths, parameters)
    assert {place: place.stat().st_mtime_ns for place in written} == written
    assert read_json(paths.model / "card.json")["data_sha256"]


def test_a_finished_model_leaves_the_command_nothing_to_train(parameters, monkeypatch, capsys):
    used = SimpleNamespace(training=parameters.model_copy(update={"pretrained": "somewhere"}))
    monkeypatch.setattr("muscle_study.__main__.load", lambda run, overrides: used)
    assert main(["train", "--run", "tiny"]) == 1
    assert "training.pretrained names a finished model" in capsys.readouterr().err

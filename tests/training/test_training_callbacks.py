"""The share of waiting covers the whole training and excludes the GPU's work."""

import time
from types import SimpleNamespace

import pytest
import torch

from muscle_study.training.callbacks import Waiting


class Clock:
    """A clock advanced by the test, also while waiting for a GPU."""

    def __init__(self, monkeypatch):
        self.now = self.queued = 0.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)
        monkeypatch.setattr(torch.cuda, "synchronize", self.synchronise)

    def synchronise(self, _device):
        self.now, self.queued = self.now + self.queued, 0.0


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def trainer_on(device):
    return SimpleNamespace(strategy=SimpleNamespace(root_device=torch.device(device)))


def take_step(waiting, trainer, clock, waited, computed, queued=0.0):
    """Let a step wait and compute for so long, and leave a GPU so much to do."""
    clock.now += waited
    waiting.on_train_batch_start(trainer)
    clock.now += computed
    clock.queued = queued
    waiting.on_train_batch_end(trainer)


def test_waiting_of_a_resumed_training_is_of_the_whole(clock):
    cpu = trainer_on("cpu")
    before = Waiting()
    before.on_train_epoch_start(cpu)
    take_step(before, cpu, clock, waited=3, computed=1)
    resumed = Waiting()
    resumed.load_state_dict(before.state_dict())
    clock.now += 100  # of starting again
    resumed.on_train_epoch_start(cpu)
    take_step(resumed, cpu, clock, waited=0, computed=4)
    assert resumed.share == 3 / 8
    assert Waiting().share is None


def test_what_a_gpu_still_computes_is_no_waiting(clock):
    gpu = trainer_on("cuda")
    waiting = Waiting()
    waiting.on_train_epoch_start(gpu)
    take_step(waiting, gpu, clock, waited=1, computed=1, queued=8)
    assert waiting.share == 1 / 10

"""Lightning callbacks: learning curves, early stopping, waiting for data."""

import time
from math import isnan
from typing import Any

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from muscle_study.mapping.progress import Progress
from muscle_study.networks.classes import Classes

HISTORY_COLUMNS = ["epoch", "train_loss", "validation_loss", "validation_dice"]


def history_columns(classes: Classes) -> list[str]:
    """Return the columns of the learning curves of a network."""
    return [*HISTORY_COLUMNS, *(f"dice_{each}" for each in classes.names)]


class History(Callback):
    """Keep a row per epoch, and advance the progress display if there is one."""

    def __init__(self):
        self.rows: list[dict] = []
        self.progress: Progress | None = None

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """Keep the epoch's row, after its validation."""
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch:
            # the metrics still hold those of an earlier validation
            measured = {"train_loss": measured["train_loss"]}
        self.rows.append({"epoch": trainer.current_epoch + 1, **measured})
        if self.progress is None:
            return
        note = " ".join(
            f"{name.replace('_', ' ')} {measured[name]:.3f}"
            for name in ("train_loss", "validation_dice")
            if name in measured
        )
        self.progress.advance(note=note)

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the rows of an interrupted training."""
        self.rows = state_dict["rows"]
        if self.progress is not None:
            self.progress.done = self.progress.earlier = len(self.rows)

    def measured(self) -> list[dict]:
        """Return the rows without NaN."""
        return [
            {name: value for name, value in row.items() if not isnan(value)} for row in self.rows
        ]


class Patience(EarlyStopping):
    """Early stopping that holds in a resumed training."""

    def on_fit_start(self, trainer: lightning.Trainer, *_: object) -> None:
        """Stop at once if an earlier process had stopped; Lightning would train on."""
        trainer.should_stop = self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED


class Waiting(Callback):
    """Measure the share of training time spent waiting for data."""

    def __init__(self):
        self.waiting = self.computing = 0.0
        self.since = time.monotonic()

    def on_train_epoch_start(self, trainer: lightning.Trainer, *_: object) -> None:
        """Restart the clock: time between epochs does not count."""
        self._elapsed(trainer)

    def on_train_batch_start(self, trainer: lightning.Trainer, *_: object) -> None:
        """Count the time since the last batch as waiting."""
        self.waiting += self._elapsed(trainer)

    def on_train_batch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """Count the batch's own time as computing."""
        self.computing += self._elapsed(trainer)

    def _elapsed(self, trainer: lightning.Trainer) -> float:
        if trainer.strategy.root_device.type == "cuda":
            # otherwise work queued on the GPU would count as waiting
            torch.cuda.synchronize(trainer.strategy.root_device)
        before, self.since = self.since, time.monotonic()
        return self.since - before

    def state_dict(self) -> dict[str, Any]:
        """Return the state for a checkpoint."""
        return {"waiting": self.waiting, "computing": self.computing}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the sums of an interrupted training."""
        self.waiting, self.computing = state_dict["waiting"], state_dict["computing"]

    @property
    def share(self) -> float | None:
        """Share of step time spent waiting; None before the first step."""
        total = self.waiting + self.computing
        return self.waiting / total if total else None

"""One training, from curated volumes to weights with a card."""

import logging
import shutil
import warnings

import lightning
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint

from muscle_study.files import read_json, write_table
from muscle_study.labels import STRUCTURES
from muscle_study.paths import RunPaths
from muscle_study.progress import Progress
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.model import ModelCard, save_model
from muscle_study.training.module import Segmentation
from muscle_study.training.network import trainable_parameters
from muscle_study.training.parameters import TrainingParameters
from muscle_study.training.preprocessing import NORMALISATION

HISTORY_COLUMNS = [
    "epoch",
    "train_loss",
    "validation_loss",
    "validation_dice",
    *(f"dice_{label.name.lower()}" for label in STRUCTURES),
]


class History(Callback):
    """Keeps a row an epoch and shows progress."""

    def __init__(self, epochs: int):
        self.rows: list[dict] = []
        self.progress = Progress("training epoch", epochs)

    def on_train_epoch_end(self, trainer: lightning.Trainer, *_: object) -> None:
        """Keep the epoch's row; its validation, if any, has run by now."""
        measured = {name: float(value) for name, value in trainer.callback_metrics.items()}
        if (trainer.current_epoch + 1) % trainer.check_val_every_n_epoch:
            # metrics of an earlier validation are still there
            measured = {"train_loss": measured["train_loss"]}
        self.rows.append({"epoch": trainer.current_epoch + 1, **measured})
        note = " ".join(
            f"{name.replace('_', ' ')} {measured[name]:.3f}"
            for name in ("train_loss", "validation_dice")
            if name in measured
        )
        self.progress.advance(note=note)

    def table(self) -> pd.DataFrame:
        """Return the learning curves."""
        return pd.DataFrame(self.rows, columns=HISTORY_COLUMNS)


def train(paths: RunPaths, parameters: TrainingParameters) -> pd.DataFrame:
    """Train on the training split, keep the epoch with the best validation Dice.

    Writes ``weights.safetensors``, ``card.json`` and ``history.csv`` to ``paths.model``. The same
    seed on the same machine gives the same weights.

    Returns
    -------
    pandas.DataFrame
        Learning curves, a row an epoch.
    """
    _quiet()
    lightning.seed_everything(parameters.seed, workers=True, verbose=False)
    data = AnnotatedParticipants(paths, parameters)
    module = Segmentation.from_parameters(parameters)
    # a killed training starts afresh: half-trained checkpoints must not be mistaken for its own
    checkpoints = paths.model / "checkpoints"
    shutil.rmtree(checkpoints, ignore_errors=True)
    best = ModelCheckpoint(
        checkpoints, "best", monitor="validation_dice", mode="max", save_last=True
    )
    history = History(parameters.max_epochs)
    trainer = lightning.Trainer(
        max_epochs=parameters.max_epochs,
        check_val_every_n_epoch=min(parameters.validate_every, parameters.max_epochs),
        accelerator=parameters.accelerator,
        devices=parameters.devices,
        num_nodes=parameters.nodes,
        strategy=parameters.strategy,
        precision=parameters.precision,
        # convolutions on a GPU have no deterministic 3D kernels for every step: warn, do not stop
        deterministic=True if not torch.cuda.is_available() else "warn",
        callbacks=[best, history],
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with history.progress:
        trainer.fit(module, data)
    checkpoint = torch.load(best.best_model_path, map_location="cpu", weights_only=True)
    module.load_state_dict(checkpoint["state_dict"])
    save_model(module.network, _card(paths, parameters, data, module, checkpoint), paths.model)
    write_table(history.table(), paths.model / "history.csv")
    return history.table()


def _card(
    paths: RunPaths,
    parameters: TrainingParameters,
    data: AnnotatedParticipants,
    module: Segmentation,
    checkpoint: dict,
) -> ModelCard:
    kept = next(
        state for name, state in checkpoint["callbacks"].items() if "ModelCheckpoint" in name
    )
    return ModelCard(
        channels=parameters.channels,
        spacing_mm=parameters.spacing_mm,
        patch_size=parameters.patch_size,
        features=parameters.features,
        normalisation=NORMALISATION,
        synthetic=read_json(paths.curated / "source.json")["synthetic"],
        training_participants=len(data.ids["train"]),
        validation_participants=len(data.ids["validation"]),
        data_sha256=data.sha256(),
        parameters=parameters.model_dump(),
        best_epoch=checkpoint["epoch"] + 1,
        validation_dice=float(kept["best_model_score"]),
        trainable_parameters=trainable_parameters(module.network),
    )


def _quiet() -> None:
    """Silence advice that does not apply here: the data are in memory, workers would only copy."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*number of training batches.*")
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # between Lightning and torch

"""A training, from curated volumes to weights with a card."""

import logging
import shutil
import warnings
from pathlib import Path

import lightning
import pandas as pd
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, ModelCheckpoint

from muscle_study.files import read_json, write_table, write_text
from muscle_study.labels import Psoas
from muscle_study.paths import ROOT, RunPaths
from muscle_study.records import code_digest, record_key
from muscle_study.training.calibration import log_odds_shifts, shift_log_odds
from muscle_study.training.callbacks import History, Waiting
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.model import (
    Learned,
    ModelCard,
    load_model,
    save_card,
    save_weights,
)
from muscle_study.training.module import Segmentation
from muscle_study.training.network import trainable_parameters
from muscle_study.training.parameters import TrainingParameters
from muscle_study.training.precision import device_of, resolved
from muscle_study.training.preprocessing import NORMALISATION
from muscle_study.training.pretrained import USED_COLUMNS, adopt


def train(paths: RunPaths, parameters: TrainingParameters) -> pd.DataFrame:
    """Train the localiser and the segmenters; of each, the epoch of best validation Dice is kept.

    A model that the parameters name as trained already is taken instead (`adopt`).

    Writes the weights, ``card.json``, ``history.csv``, ``used.csv`` (who trained and validated)
    and ``timing.csv`` to ``paths.model``. The same seed on the same machine gives the same
    weights, also where a training was killed and started again.

    Returns
    -------
    pandas.DataFrame
        Learning curves, a row an epoch of each network.
    """
    if parameters.pretrained is not None:
        return adopt(ROOT / parameters.pretrained, parameters.channels, paths.model)
    _quiet()
    trainings = {"localiser": AnnotatedParticipants(paths, parameters, "localiser")}
    for fold in range(parameters.folds):
        data = AnnotatedParticipants(paths, parameters, "segmenter", fold)
        trainings[f"segmenter_{fold + 1}"] = data
    learned, histories, used, timings = {}, [], [], []
    for name, data in trainings.items():
        learned[name], history, waiting = train_network(paths.model, parameters, name, data)
        histories.append(history.assign(network=name))
        timings.append({"network": name, "waiting_share": waiting})
        used += [(name, split, who) for split, ids in data.ids.items() for who in ids]
    card = ModelCard(
        normalisation=NORMALISATION,
        psoas=psoas_of_labels(paths, parameters),
        synthetic=read_json(paths.curated / "source.json")["synthetic"],
        data_sha256=data.sha256(),
        parameters=parameters,
        localiser=learned.pop("localiser"),
        segmenters=list(learned.values()),
    )
    curves = pd.concat(histories, ignore_index=True)
    write_table(curves, paths.model / "history.csv")
    write_table(pd.DataFrame(used, columns=USED_COLUMNS), paths.model / "used.csv")
    write_table(pd.DataFrame(timings), paths.model / "timing.csv")
    save_card(card, paths.model)
    return curves


def psoas_of_labels(paths: RunPaths, parameters: TrainingParameters) -> Psoas:
    """Return what the psoas' label holds in what the networks learn from."""
    if parameters.learn_from == "curated":
        return read_json(paths.curated / "source.json")["psoas_label"]
    return read_json(paths.raw / "manifest.json")["parameters"]["randomised"]["psoas"]


def train_network(
    folder: Path,
    parameters: TrainingParameters,
    name: str,
    data: AnnotatedParticipants,
) -> tuple[Learned, pd.DataFrame, float]:
    """Train one network, from its last checkpoint if it was interrupted, and calibrate it.

    Parameters
    ----------
    folder
        Of the model.
    parameters
        Of training.
    name
        Of the weights and of what is shown.
    data
        What it learns from, with the parameters of the network.

    Returns
    -------
    learned : Learned
        What the card says of it.
    history : pandas.DataFrame
        Learning curves.
    waiting : float
        Share of step time that waited for data, since the last interruption.
    """
    lightning.seed_everything(data.seed, workers=True, verbose=False)
    network = data.network
    module = Segmentation(len(parameters.channels), data.classes, network, parameters.weight_decay)
    if parameters.start_from is not None:
        module.network.load_state_dict(weights_to_start_from(parameters, name))
    checkpoints = folder / "checkpoints" / name
    last = _last_checkpoint(
        checkpoints,
        record_key(code_digest(Path(__file__)), parameters.model_dump(), data.sha256()),
    )
    best = ModelCheckpoint(
        checkpoints, "best", monitor="validation_dice", mode="max",
        every_n_epochs=network.validation_interval, save_on_train_epoch_end=True,
    )  # fmt: skip
    # after `best`, whose state it holds: whoever resumes from it knows the best epoch so far
    latest = ModelCheckpoint(
        checkpoints, LAST, save_on_train_epoch_end=True, enable_version_counter=False
    )
    history, waiting = History(name, data.classes, network.max_epochs), Waiting()
    callbacks: list[Callback] = [history, waiting, best, latest]
    if network.patience is not None:
        callbacks.append(EarlyStopping("validation_dice", mode="max", patience=network.patience))
    trainer = lightning.Trainer(
        max_epochs=network.max_epochs,
        check_val_every_n_epoch=network.validation_interval,
        accelerator=parameters.accelerator,
        devices=parameters.devices,
        num_nodes=parameters.nodes,
        strategy=parameters.strategy,
        precision=resolved(parameters.precision, device_of(parameters.accelerator)),
        # convolutions on a GPU have no deterministic 3D kernels for every step: warn, do not stop
        deterministic=True if not torch.cuda.is_available() else "warn",
        callbacks=callbacks,
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with history.progress:
        trainer.fit(module, data, ckpt_path=last, weights_only=False)
    kept = torch.load(best.best_model_path, map_location="cpu", weights_only=False)
    module.load_state_dict(kept["state_dict"])
    shifts = calibrate(module.eval(), data, device_of(parameters.accelerator))
    weights = f"{name}.safetensors"
    save_weights(module.network, folder / weights)
    learned = Learned(
        weights=weights,
        training_participants=len(data.ids["train"]),
        validation_participants=len(data.ids["validation"]),
        best_epoch=kept["epoch"] + 1,
        validation_dice=float(best.best_model_score),
        log_odds_shifts=shifts,
        trainable_parameters=trainable_parameters(module.network),
    )
    return learned, history.table(), waiting.share


def calibrate(
    module: Segmentation, data: AnnotatedParticipants, device: torch.device
) -> dict[str, float]:
    """Give a network's masks the volumes of the validation scans; return by what shifts."""
    module.to(device)
    scans = (
        {name: tensor.to(device) for name, tensor in scan.items()} for scan in data.val_dataloader()
    )
    shifts = log_odds_shifts(module.network, data.network, data.classes, scans)
    module.cpu()
    shift_log_odds(module.network, shifts)
    return shifts


LAST = "last"


def _last_checkpoint(folder: Path, key: str) -> Path | None:
    """Return the checkpoint to go on from; one of another training is removed."""
    note = folder / "key"
    if note.exists() and note.read_text() == key:
        last = folder / f"{LAST}.ckpt"
        return last if last.exists() else None
    shutil.rmtree(folder, ignore_errors=True)
    write_text(key, note)
    return None


def weights_to_start_from(parameters: TrainingParameters, name: str) -> dict[str, torch.Tensor]:
    """Return the weights of the network's kind in the model of ``training.start_from``.

    Raises
    ------
    ValueError
        If that network has another shape, naming the difference.
    """
    model = load_model(ROOT / parameters.start_from)
    before = model.card.parameters
    of_localiser = name == "localiser"
    network, earlier = (
        (each.localiser if of_localiser else each.segmenter) for each in (parameters, before)
    )
    for name in ("features", "strides"):
        if getattr(earlier, name) != getattr(network, name):
            raise ValueError(
                f"training.start_from: {parameters.start_from} has {name} "
                f"{getattr(earlier, name)}, this run {getattr(network, name)}: make them equal, or "
                "start from null"
            )
    if len(before.channels) != len(parameters.channels):
        raise ValueError(
            f"training.start_from: {parameters.start_from} sees {before.channels}, "
            f"this run {parameters.channels}: as many are needed, or start from null"
        )
    return (model.localiser if of_localiser else model.segmenters[0]).state_dict()


def _quiet() -> None:
    """Silence advice that does not apply here: the data are mapped, more workers would not help."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*number of training batches.*")
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # to resume from
    warnings.filterwarnings("ignore", message=".*`srun`.*")  # SLURM is there, for Dask
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # between Lightning and torch

"""Training of one network, from its data to calibrated weights."""

from contextlib import nullcontext
from pathlib import Path
from typing import NamedTuple

import lightning
import torch
from lightning.pytorch.callbacks import Callback, EMAWeightAveraging, ModelCheckpoint
from torch.utils.data import DataLoader

from muscle_study.mapping.code_version import code_digest
from muscle_study.mapping.progress import Progress
from muscle_study.mapping.records import contents, record_key
from muscle_study.networks.model import Learned, load_model, model_files, save_weights
from muscle_study.networks.network import layout, learned_weights
from muscle_study.networks.parameters import NetworkParameters
from muscle_study.networks.precision import device_of, resolved
from muscle_study.protocol.files import sha256
from muscle_study.protocol.paths import ROOT
from muscle_study.training.calibration import log_odds_shifts, shift_log_odds
from muscle_study.training.callbacks import History, Patience, Waiting
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.finished import Finished, read_finished, write_finished
from muscle_study.training.module import Segmentation
from muscle_study.training.parameters import TrainingParameters

#: Digits of a training's key in folder names.
KEY_LENGTH = 16

LAST = "last"


class Training(NamedTuple):
    """Training of one network.

    Parameters
    ----------
    name
        Name of the network.
    data
        Its data, with the parameters of the network.
    place
        Folder of its checkpoints.
    """

    name: str
    data: AnnotatedParticipants
    place: Path


def train_network(folder: Path, parameters: TrainingParameters, training: Training) -> None:
    """Train one network, from its last checkpoint if it was interrupted, and calibrate it.

    A finished network is not trained again. Every process that trains calls this; the first
    calibrates and writes the record (`Finished`).

    Parameters
    ----------
    folder
        Folder of the model.
    parameters
        Parameters of the stage.
    training
        The network's training.
    """
    name, data, place = training
    if read_finished(place, folder) is not None:
        return
    lightning.seed_everything(data.seed, workers=True, verbose=False)
    # stays deterministic without filling each new array first, which takes 5 % of a step
    torch.utils.deterministic.fill_uninitialized_memory = False
    network = data.network
    device = device_of(parameters.accelerator)
    module = Segmentation(len(parameters.channels), data.classes, network, parameters.weight_decay)
    module.network.to(memory_format=layout(device))
    if parameters.start_from is not None:
        # models hold no heads of deep supervision: these start anew
        module.network.load_state_dict(weights_to_start_from(parameters, name), strict=False)
    best = ModelCheckpoint(
        place, "best", monitor="validation_dice", mode="max",
        every_n_epochs=network.validation_interval, save_on_train_epoch_end=True,
    )  # fmt: skip
    # after `best`, so that its state, with the best epoch so far, is in the checkpoint
    latest = ModelCheckpoint(
        place, LAST, save_on_train_epoch_end=True, enable_version_counter=False
    )
    history, waiting = History(), Waiting()
    callbacks: list[Callback] = [history, waiting, best, latest]
    if network.ema_decay is not None:
        # validation and checkpoints use the averaged weights
        callbacks.append(EMAWeightAveraging(device, decay=network.ema_decay))
    if network.patience is not None:
        callbacks.append(Patience("validation_dice", mode="max", patience=network.patience))
    trainer = trainer_of(parameters, network, callbacks)
    last = place / f"{LAST}.ckpt"
    if trainer.is_global_zero:
        history.progress = Progress(f"{name} epoch", network.max_epochs)
    with history.progress or nullcontext():
        trainer.fit(module, data, ckpt_path=last if last.exists() else None, weights_only=False)
    if trainer.is_global_zero:
        weights = folder / f"{name}.safetensors"
        learned = keep_best(module, best, data, device, weights)
        finished = Finished(
            learned=learned,
            history=history.measured(),
            waiting_share=waiting.share,
            weights_sha256=sha256(weights),
        )
        write_finished(finished, place)
    trainer.strategy.barrier()  # no process begins the next network earlier


def keep_best(
    module: Segmentation,
    best: ModelCheckpoint,
    data: AnnotatedParticipants,
    device: torch.device,
    weights: Path,
) -> Learned:
    """Calibrate the weights of the best epoch and save them."""
    kept = torch.load(best.best_model_path, map_location="cpu", weights_only=False)
    module.load_state_dict(kept["state_dict"])
    shifts = calibrate(module.eval(), data, device)
    save_weights(module.network, weights)
    return Learned(
        weights=weights.name,
        training_participants=len(data.ids["train"]),
        validation_participants=len(data.ids["validation"]),
        best_epoch=kept["epoch"] + 1,
        validation_dice=float(best.best_model_score),
        log_odds_shifts=shifts,
        trainable_parameters=sum(map(torch.numel, learned_weights(module.network).values())),
    )


def trainer_of(
    parameters: TrainingParameters, network: NetworkParameters, callbacks: list[Callback]
) -> lightning.Trainer:
    """Return Lightning's trainer for a network."""
    return lightning.Trainer(
        max_epochs=network.max_epochs,
        check_val_every_n_epoch=network.validation_interval,
        accelerator=parameters.accelerator,
        devices=parameters.devices,
        num_nodes=parameters.nodes,
        strategy=parameters.strategy,
        precision=resolved(parameters.precision, device_of(parameters.accelerator)),
        # some 3D convolutions have no deterministic kernel on a GPU: warn
        deterministic=True if not torch.cuda.is_available() else "warn",
        callbacks=callbacks,
        use_distributed_sampler=False,  # the data module distributes by itself
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def checkpoints_of(
    folder: Path, parameters: TrainingParameters, name: str, data: AnnotatedParticipants
) -> Path:
    """Return the folder of a network's checkpoints, named by code, parameters and data."""
    start = parameters.start_from and contents(model_files(ROOT / parameters.start_from))
    code = code_digest(Path(__file__))
    key = record_key(code, parameters.model_dump(), data.sha256(), start)
    return folder / "checkpoints" / name / key[:KEY_LENGTH]


def calibrate(
    module: Segmentation, data: AnnotatedParticipants, device: torch.device
) -> dict[str, float]:
    """Shift a network's logits to reproduce the volumes of the validation scans; return shifts."""
    module.to(device)
    scans = (
        {name: tensor.to(device) for name, tensor in scan.items()}
        for scan in DataLoader(data.validation)
    )
    shifts = log_odds_shifts(module.network, data.network, data.classes, scans)
    module.cpu()
    shift_log_odds(module.network, shifts)
    return shifts


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

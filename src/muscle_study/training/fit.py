"""Training, from curated volumes to weights with a card."""

import logging
import warnings

import pandas as pd

from muscle_study.networks.model import ModelCard, save_card
from muscle_study.networks.preprocessing import NORMALISATION
from muscle_study.protocol.files import read_json, write_table
from muscle_study.protocol.muscles import Psoas
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.training.callbacks import history_columns
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.finished import FINISHED, Finished, read_finished
from muscle_study.training.fit_network import Training, checkpoints_of, train_network
from muscle_study.training.parameters import TrainingParameters
from muscle_study.training.pretrained import adopt
from muscle_study.training.processes import is_distributed, train_in_processes
from muscle_study.training.used import used_by, used_earlier


def train(paths: RunPaths, parameters: TrainingParameters) -> pd.DataFrame:
    """Train the localiser and the segmenters, keeping each one's epoch of best validation Dice.

    A pretrained model that the parameters name is copied instead (`adopt`).

    Writes the weights, ``card.json``, ``history.csv``, ``used.csv`` (participants who trained and
    validated the networks or a model that they build on) and ``timing.csv`` to ``paths.model``.
    The same seed on the same machine gives the same weights, also after a kill and restart.

    Returns
    -------
    pandas.DataFrame
        Learning curves, one row per epoch and network.
    """
    if parameters.pretrained is not None:
        return adopt(ROOT / parameters.pretrained, parameters.channels, paths.model)
    trainings = trainings_of(paths, parameters)
    if not is_distributed(parameters):
        train_networks(paths, parameters, trainings)
    elif parameters.nodes == 1:
        train_in_processes(paths, parameters)
    finished = [finished_network(paths, parameters, training) for training in trainings]
    curves = pd.concat(
        [
            pd.DataFrame(each.history, columns=history_columns(training.data.classes)).assign(
                network=training.name
            )
            for training, each in zip(trainings, finished, strict=True)
        ],
        ignore_index=True,
    )
    used = used_by(paths, {training.name: training.data for training in trainings})
    if parameters.start_from is not None:
        earlier = used_earlier(ROOT / parameters.start_from, "start_from")
        used = pd.concat([used, earlier], ignore_index=True)
    shares = [each.waiting_share for each in finished]
    names = [training.name for training in trainings]
    localiser, *segmenters = (each.learned for each in finished)
    card = ModelCard(
        normalisation=NORMALISATION,
        psoas=psoas_of_labels(paths, parameters),
        synthetic=read_json(paths.curated / "source.json")["synthetic"],
        data_sha256=trainings[-1].data.sha256(),
        parameters=parameters,
        localiser=localiser,
        segmenters=segmenters,
    )
    write_table(curves, paths.model / "history.csv")
    write_table(used, paths.model / "used.csv")
    timing = pd.DataFrame({"network": names, "waiting_share": shares})
    write_table(timing, paths.model / "timing.csv")
    save_card(card, paths.model)
    return curves


def psoas_of_labels(paths: RunPaths, parameters: TrainingParameters) -> Psoas:
    """Return the muscle that the psoas label covers in the training data."""
    if parameters.learn_from == "curated":
        return read_json(paths.curated / "source.json")["psoas_label"]
    return read_json(paths.raw / "manifest.json")["parameters"]["randomised"]["psoas"]


def train_networks(
    paths: RunPaths, parameters: TrainingParameters, trainings: list[Training]
) -> None:
    """Train each network that is not finished; called in each of several processes."""
    _quiet()
    for training in trainings:
        train_network(paths.model, parameters, training)


def trainings_of(paths: RunPaths, parameters: TrainingParameters) -> list[Training]:
    """Return the trainings of the localiser and of one segmenter per fold."""
    data = {"localiser": AnnotatedParticipants(paths, parameters, "localiser")}
    for fold in range(parameters.folds):
        of_fold = AnnotatedParticipants(paths, parameters, "segmenter", fold)
        data[f"segmenter_{fold + 1}"] = of_fold
    return [
        Training(name, each, checkpoints_of(paths.model, parameters, name, each))
        for name, each in data.items()
    ]


def finished_network(
    paths: RunPaths, parameters: TrainingParameters, training: Training
) -> Finished:
    """Return the record of a network; FileNotFoundError if its training has not ended."""
    finished = read_finished(training.place, paths.model)
    if finished is None:
        raise FileNotFoundError(
            f"{training.place / FINISHED} is missing, or the weights are others: {training.name} "
            f"is not trained with these parameters. With training.nodes above 1 (it is "
            f"{parameters.nodes}), train first: srun python -m muscle_study train --run "
            f"{paths.run}, with the same --set; see params/README.md"
        )
    return finished


def _quiet() -> None:
    """Silence advice that does not apply: the data are mapped, and more workers do not help."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*number of training batches.*")
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # to resume from
    warnings.filterwarnings("ignore", message=".*`srun`.*")  # SLURM serves Dask
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # between Lightning and torch

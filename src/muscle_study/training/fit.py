"""A training, from curated volumes to weights with a card."""

import logging
import warnings

import pandas as pd

from muscle_study.files import read_json, write_table
from muscle_study.labels import Psoas
from muscle_study.paths import ROOT, RunPaths
from muscle_study.training.callbacks import history_columns
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.finished import FINISHED, Finished, read_finished
from muscle_study.training.fit_network import checkpoints_of, train_network
from muscle_study.training.model import ModelCard, save_card
from muscle_study.training.parameters import TrainingParameters
from muscle_study.training.preprocessing import NORMALISATION
from muscle_study.training.pretrained import adopt
from muscle_study.training.processes import is_distributed, train_in_processes
from muscle_study.training.used import used_by, used_earlier

SEGMENTER = "segmenter_{}"


def train(paths: RunPaths, parameters: TrainingParameters) -> pd.DataFrame:
    """Train the localiser and the segmenters; of each, the epoch of best validation Dice is kept.

    A model that the parameters name as trained already is taken instead (`adopt`).

    Writes the weights, ``card.json``, ``history.csv``, ``used.csv`` (who trained and validated
    them, or a model that they build on) and ``timing.csv`` to ``paths.model``. The same seed on
    the same machine gives the same weights, also where a training was killed and started again.

    Returns
    -------
    pandas.DataFrame
        Learning curves, a row an epoch of each network.
    """
    if parameters.pretrained is not None:
        return adopt(ROOT / parameters.pretrained, parameters.channels, paths.model)
    if not is_distributed(parameters):
        train_networks(paths, parameters)
    elif parameters.nodes == 1:
        train_in_processes(paths, parameters)
    trainings = trainings_of(paths, parameters)
    finished = {
        name: finished_network(paths, parameters, name, data) for name, data in trainings.items()
    }
    learned = {name: each.learned for name, each in finished.items()}
    curves = pd.concat(
        [
            pd.DataFrame(each.history, columns=history_columns(trainings[name].classes)).assign(
                network=name
            )
            for name, each in finished.items()
        ],
        ignore_index=True,
    )
    used = used_by(paths, trainings)
    if parameters.start_from is not None:
        earlier = used_earlier(ROOT / parameters.start_from, "start_from")
        used = pd.concat([used, earlier], ignore_index=True)
    timing = pd.DataFrame(
        [(name, each.waiting_share) for name, each in finished.items()],
        columns=["network", "waiting_share"],
    )
    card = ModelCard(
        normalisation=NORMALISATION,
        psoas=psoas_of_labels(paths, parameters),
        synthetic=read_json(paths.curated / "source.json")["synthetic"],
        data_sha256=trainings[SEGMENTER.format(parameters.folds)].sha256(),
        parameters=parameters,
        localiser=learned.pop("localiser"),
        segmenters=list(learned.values()),
    )
    write_table(curves, paths.model / "history.csv")
    write_table(used, paths.model / "used.csv")
    write_table(timing, paths.model / "timing.csv")
    save_card(card, paths.model)
    return curves


def psoas_of_labels(paths: RunPaths, parameters: TrainingParameters) -> Psoas:
    """Return what the psoas' label holds in what the networks learn from."""
    if parameters.learn_from == "curated":
        return read_json(paths.curated / "source.json")["psoas_label"]
    return read_json(paths.raw / "manifest.json")["parameters"]["randomised"]["psoas"]


def train_networks(paths: RunPaths, parameters: TrainingParameters) -> None:
    """Train each network that is not finished; each of several processes calls this."""
    _quiet()
    for name, data in trainings_of(paths, parameters).items():
        train_network(paths.model, parameters, name, data)


def trainings_of(
    paths: RunPaths, parameters: TrainingParameters
) -> dict[str, AnnotatedParticipants]:
    """Return what each network learns from, by its name."""
    segmenters = {
        SEGMENTER.format(fold + 1): AnnotatedParticipants(paths, parameters, "segmenter", fold)
        for fold in range(parameters.folds)
    }
    return {"localiser": AnnotatedParticipants(paths, parameters, "localiser"), **segmenters}


def finished_network(
    paths: RunPaths, parameters: TrainingParameters, name: str, data: AnnotatedParticipants
) -> Finished:
    """Return what the training of a network left.

    Raises
    ------
    FileNotFoundError
        If it has not ended, saying how several nodes train.
    """
    place = checkpoints_of(paths.model, parameters, name, data)
    finished = read_finished(place, paths.model)
    if finished is None:
        raise FileNotFoundError(
            f"{place / FINISHED} is missing, or the weights are others: {name} is not trained with "
            f"these parameters. On several nodes (training.nodes is {parameters.nodes}) train "
            f"first: srun python -m muscle_study train --run {paths.run}, with the same --set; "
            "see params/README.md"
        )
    return finished


def _quiet() -> None:
    """Silence advice that does not apply here: the data are mapped, more workers would not help."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", message=".*does not have many workers.*")
    warnings.filterwarnings("ignore", message=".*number of training batches.*")
    warnings.filterwarnings("ignore", message=".*exists and is not empty.*")  # to resume from
    warnings.filterwarnings("ignore", message=".*`srun`.*")  # SLURM is there, for Dask
    warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # between Lightning and torch

"""Learning curve: trainings on subsets, each scored on the run's test split."""

import shutil

import numpy as np
import pandas as pd

from muscle_study.inference.stage import segment_cohort
from muscle_study.measurement.quality import score_test_split
from muscle_study.networks.model import CARD
from muscle_study.protocol.files import read_json, read_table, write_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.running.documents import ParameterError
from muscle_study.running.parameters import StudyParameters
from muscle_study.training.fit import train
from muscle_study.training.parameters import TrainingParameters

#: Files of the run that a training reads.
SHARED = (
    "curated/images",
    "curated/labels",
    "curated/files.csv",
    "curated/inventory.csv",
    "curated/source.json",
    "raw",
)


def measure_curve(paths: RunPaths, parameters: StudyParameters) -> pd.DataFrame:
    """Train with each size, score each on the test split, and add the run's own model.

    Smaller subsets are contained in larger ones. Validation and test participants are the
    run's. Every training takes as many steps: the fewer participants, the more patches of each.

    Writes ``scores.csv`` and, beside it, the card of the model that it belongs to.

    Parameters
    ----------
    paths, parameters
        Paths of a run with finished measurement.

    Returns
    -------
    pandas.DataFrame
        ``scores.csv``: ``training_participants`` before the columns of the test split's scores.

    Raises
    ------
    ParameterError
        If a size is not smaller than the run's training split, or nothing is trained.
    """
    if parameters.training.pretrained is not None:
        raise ParameterError(
            f"training.pretrained: {parameters.training.pretrained} is taken as it is, whatever "
            "the size, so that there is no learning curve: set it to null"
        )
    participants = read_table(paths.curated / "participants.csv")
    everyone = participants.loc[participants["split"] == "train", "participant_id"].to_numpy()
    if parameters.learning_curve.sizes[-1] >= len(everyone):
        raise ParameterError(
            f"learning_curve.sizes: {parameters.learning_curve.sizes[-1]} is not below the "
            f"{len(everyone)} training participants of {paths.run}, whose model is the last point"
        )
    order = np.random.default_rng(parameters.training.seed).permutation(everyone)
    inference = parameters.inference.model_copy(
        update={"source": "network", "compare_with": None, "masks": None}
    )
    scores = []
    for size in parameters.learning_curve.sizes:
        part = part_of_run(paths, participants, order[:size])
        train(part, with_as_many_steps(parameters.training, len(everyone) / size))
        segment_cohort(part, inference, parameters.cluster)
        quality, _ = score_test_split(part, parameters.cluster)
        scores.append(quality.assign(training_participants=size))
    if read_json(paths.segmentations / "source.json")["kind"] == "network":
        own = read_table(paths.measurements / "segmentation_quality.csv")
        scores.append(own.assign(training_participants=len(everyone)))
    table = pd.concat(scores, ignore_index=True)
    table.insert(0, "training_participants", table.pop("training_participants"))
    write_table(table, paths.learning_curve / "scores.csv")
    shutil.copy(paths.model / CARD, paths.learning_curve / CARD)
    return table


def part_of_run(paths: RunPaths, participants: pd.DataFrame, chosen: np.ndarray) -> RunPaths:
    """Return a run below the run whose training split holds the `chosen` participants only.

    It has the annotated participants only; volumes are links to the run's.
    """
    part = RunPaths(f"{paths.run}/learning_curve/{len(chosen)}")
    kept = participants["split"].isin(["validation", "test"])
    kept |= participants["participant_id"].isin(chosen)
    write_table(participants[kept], part.curated / "participants.csv")
    cache = paths.model / "cache"
    cache.mkdir(exist_ok=True)
    links = {part.data / name: paths.data / name for name in SHARED}
    for link, target in (links | {part.model / "cache": cache}).items():
        if target.exists() and not link.is_symlink():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(target)
    return part


def with_as_many_steps(parameters: TrainingParameters, factor: float) -> TrainingParameters:
    """Return the parameters with `factor` times as many patches per participant and epoch."""
    more = {
        name: network.model_copy(
            update={"patches_per_volume": round(network.patches_per_volume * factor)}
        )
        for name, network in (
            ("localiser", parameters.localiser),
            ("segmenter", parameters.segmenter),
        )
    }
    return parameters.model_copy(update=more)

"""Effect of deep supervision and weight averaging on the validation Dice."""

import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from benchmarks.tables import comparison_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load
from muscle_study.training.data import AnnotatedParticipants
from muscle_study.training.finished import read_finished
from muscle_study.training.fit_network import Training, train_network
from muscle_study.training.parameters import TrainingParameters

#: Changed parameters of the segmenter by variant.
VARIANTS: dict[str, dict[str, Any]] = {
    "neither": {},
    "deep supervision of 2 levels": {"deep_supervision": 2},
    "average of weights, decay 0.99": {"ema_decay": 0.99},
}
#: Epochs of a training, less than half of the demo's: enough to compare the speed of learning.
EPOCHS = 12
SEEDS = (1, 2, 3)

HEADS = (
    "Segmenter", "Trainings", "Dice, psoas", "Dice, gluteus", "Mean Dice", "Lowest", "Highest",
    "More than neither", "Times the seconds",
)  # fmt: skip
CAPTION = (
    f"Segmenters of a run, trained for {EPOCHS} epochs from {len(SEEDS)} seeds each and scored on "
    "the run's validation scans after the last epoch; mean, lowest and highest over the seeds. "
    "Times the seconds: of training and validation, relative to neither."
)


def train_variant(run: str, changes: dict[str, Any], seed: int) -> dict[str, float]:
    """Train a run's segmenter with changes; return its last validation and duration."""
    paths, parameters = RunPaths(run), load(run).training
    network = parameters.segmenter.model_dump() | {
        "max_epochs": EPOCHS, "validate_every": EPOCHS, "patience": None, **changes,
    }  # fmt: skip
    parameters = TrainingParameters.model_validate(
        parameters.model_dump() | {"segmenter": network, "seed": seed, "folds": 1}
    )
    data = AnnotatedParticipants(paths, parameters, "segmenter")
    data.prepare_data()
    with TemporaryDirectory() as folder:
        model = Path(folder)
        training = Training("segmenter_1", data, model / "checkpoints" / "segmenter_1")
        started = time.perf_counter()
        train_network(model, parameters, training)
        seconds = time.perf_counter() - started
        finished = read_finished(training.place, model)
    return finished.history[-1] | {"seconds": seconds}


def compare(run: str) -> list[Result]:
    """Train each variant with each seed."""
    done = [
        {"variant": name} | train_variant(run, changes, seed)
        for seed in SEEDS
        for name, changes in VARIANTS.items()
    ]
    by_variant = pd.DataFrame(done).groupby("variant", sort=False)
    table = by_variant.agg(
        trainings=("seconds", "size"),
        dice_psoas=("dice_psoas", "mean"),
        dice_gluteus=("dice_gluteus", "mean"),
        dice=("validation_dice", "mean"),
        lowest=("validation_dice", "min"),
        highest=("validation_dice", "max"),
        seconds=("seconds", "mean"),
    ).reset_index()
    table["more"] = table["dice"] - table["dice"].iloc[0]
    seconds = table.pop("seconds")
    table["times_seconds"] = seconds / seconds.iloc[0]
    return [comparison_table("variants", table, HEADS, CAPTION)]

"""Numbers for the text on the model's settings and its training."""

from collections import defaultdict
from pathlib import Path

import nibabel as nib
import numpy as np

from muscle_study.protocol.files import read_json
from muscle_study.protocol.paths import IMAGE_ENDING
from muscle_study.publishing.disclosure import SUPPRESSED
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.statistics.study.study import Study

#: Words for times and settings that only a run by `make` records.
NOT_RECORDED = "a time that was not recorded"
NO_SETTING = "a threshold that was not recorded"

#: Names of training's augmentations in the text.
AUGMENTATIONS = {
    "affine": "affine deformation",
    "elastic": "elastic deformation",
    "bias_field": "bias field",
    "gamma": "contrast",
    "noise": "noise",
    "motion": "motion or ghosts",
    "flip": "a reflection that exchanges the left and right labels",
}


def settings(study: Study) -> Numbers:
    """Return the settings of model and statistics, and the outcome of the training."""
    numbers = Numbers()
    _split(study, numbers)
    card = read_json(study.paths.model / "card.json")
    chosen, learned = card["parameters"], card["segmenters"][0]
    segmenter, localiser = chosen["segmenter"], chosen["localiser"]
    numbers.word("settings.spacing", f"{_times(_curated_spacing(study))}\u00a0mm")
    numbers.word("settings.network_spacing", f"{_times(segmenter['spacing_mm'])}\u00a0mm")
    numbers.word("settings.localiser_spacing", f"{_times(localiser['spacing_mm'])}\u00a0mm")
    numbers.word("settings.patch", f"{_times(segmenter['patch_size'])} voxels")
    numbers.number("settings.max_epochs", segmenter["max_epochs"])
    numbers.number("settings.batch", segmenter["batch_size"])
    rate = segmenter["learning_rate"]
    numbers.word("settings.learning_rate", f"{rate:g}", rate)
    numbers.word("settings.channels", _and([name.replace("_", "-") for name in chosen["channels"]]))
    numbers.word("settings.augmentation", _augmentation(chosen["augmentation"]))
    agreeing = _parameters(study.paths.segmentations)["min_predicted_dice"]
    numbers.number("settings.min_predicted_dice", agreeing, 2, otherwise=NO_SETTING)
    found = _parameters(study.paths.measurements)["min_muscle_ml"]
    numbers.number("settings.min_muscle", found, 0, "mL", otherwise=NO_SETTING)
    numbers.word("settings.seed", str(chosen["seed"]), chosen["seed"])
    numbers.number("settings.confidence", 100 * study.parameters.confidence, 0, "%")
    numbers.number("settings.min_cell", study.min_count)
    step = study.parameters.round_counts_to
    rounding = f"rounded to multiples of {format_number(step)}"
    numbers.word("settings.rounding", rounding if step > 1 else "not rounded")
    numbers.number("model.localiser_parameters", card["localiser"]["trainable_parameters"])
    numbers.number("model.parameters", learned["trainable_parameters"])
    numbers.number("model.best_epoch", learned["best_epoch"])
    numbers.number("model.validation_dice", learned["validation_dice"], 3)
    seconds = _manifest(study.paths.model).get("seconds", np.nan)
    numbers.number("model.minutes", seconds / 60, 1, "min", otherwise=NOT_RECORDED)
    return numbers


def _split(study: Study, numbers: Numbers) -> None:
    splits = study.curated["split"].value_counts()
    for split in ("train", "validation", "test"):
        n = splits.get(split, 0)
        shown = np.nan if n < study.min_count else study.rounded(n)
        numbers.number(f"split.{split}", shown, otherwise=SUPPRESSED)


def _manifest(folder: Path) -> dict:
    """Return a stage's manifest; empty for a stage run by hand."""
    path = folder / "manifest.json"
    return read_json(path) if path.exists() else {}


def _parameters(folder: Path) -> dict:
    """Return a stage's recorded parameters, NaN for those not recorded."""
    return defaultdict(lambda: np.nan, _manifest(folder).get("parameters", {}))


def _augmentation(probabilities: dict[str, float]) -> str:
    """Return the transforms of training patches, each with its percentage of patches."""
    drawn = [name for name, probability in probabilities.items() if probability]
    return _and(
        [
            f"{AUGMENTATIONS[name]} ({format_number(100 * probabilities[name])}\u00a0%)"
            for name in sorted(drawn, key=list(AUGMENTATIONS).index)
        ]
        or ["nothing"]
    )


def _curated_spacing(study: Study) -> list[float]:
    """Return the voxel edges of curated volumes in mm, the same for all."""
    first = study.curated["participant_id"].iloc[0]
    path = next((study.paths.curated / "images" / first).glob(f"*{IMAGE_ENDING}"))
    return [float(edge) for edge in nib.load(path).header.get_zooms()[:3]]


def _times(values: list[float]) -> str:
    return " × ".join(f"{round(value, 3):g}" for value in values)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

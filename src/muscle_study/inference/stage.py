"""Inference over a cohort: every participant once, the model loaded once a worker."""

import time
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.cluster import map_participants
from muscle_study.cluster_parameters import ClusterParameters
from muscle_study.files import read_table, sha256, write_table
from muscle_study.inference.parameters import InferenceParameters
from muscle_study.inference.segment import Segmenter, keep_largest_components
from muscle_study.paths import RunPaths
from muscle_study.records import code_digest, read_record, record_key, write_record
from muscle_study.training.model import load_model, model_files
from muscle_study.training.parameters import Precision
from muscle_study.training.precision import device_of, resolved
from muscle_study.training.preprocessing import load_channels
from muscle_study.volumes import save


@dataclass(frozen=True)
class Setting:
    """What all participants share.

    Parameters
    ----------
    model, segmentations
        Folders.
    parameters
        Of inference.
    key
        Of code, parameters and weights.
    """

    model: Path
    segmentations: Path
    parameters: InferenceParameters
    key: str


@cache
def load_segmenter(model: Path, accelerator: str, precision: Precision, _key: str) -> Segmenter:
    """Load the model, once a worker and version."""
    device = device_of(accelerator)
    loaded = load_model(model)
    for network in (loaded.localiser, *loaded.segmenters):
        network.to(device)
    return Segmenter(loaded, device, resolved(precision, device))


def segment_participant(images: Path, setting: Setting) -> dict:
    """Write one participant's label map; return what the records table holds.

    A participant who was finished with the same images, weights, parameters and code is not
    segmented again.

    Parameters
    ----------
    images
        Folder of the participant's curated images.
    setting
        What all participants share.
    """
    participant_id = images.name
    files = [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in sorted(images.iterdir())]
    key = record_key(setting.key, files)
    record_file = setting.segmentations / "records" / f"{participant_id}.json"
    label_file = setting.segmentations / f"{participant_id}.nii.gz"
    if label_file.exists() and (finished := read_record(record_file, key)) is not None:
        return finished
    started = time.monotonic()
    of = setting.parameters
    segmenter = load_segmenter(setting.model, of.accelerator, of.precision, setting.key)
    wanted = segmenter.model.card.parameters.channels
    segmented = segmenter(load_channels(images, wanted, of.channels))
    labels, removed = keep_largest_components(segmented.labels)
    save(labels, label_file)
    record = {
        "seconds": round(time.monotonic() - started, 3),
        **{
            f"predicted_dice_{label.name.lower()}": None if np.isnan(dice) else round(dice, 4)
            for label, dice in segmented.predicted_dice.items()
        },
        **removed,
    }
    write_record(record_file, key, record)
    return record


def segment_cohort(
    paths: RunPaths, parameters: InferenceParameters, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Segment every curated participant.

    Writes a label map each, ``records.csv`` and ``exclusions.csv`` to ``paths.segmentations``.

    Returns
    -------
    records, exclusions : pandas.DataFrame
    """
    load_model(paths.model)  # a missing model stops the run here, not in each participant
    setting = Setting(
        paths.model,
        paths.segmentations,
        parameters,
        record_key(
            code_digest(Path(__file__).parent),
            {file.name: sha256(file) for file in model_files(paths.model)},
            parameters.model_dump(),
        ),
    )
    participants = read_table(paths.curated / "participants.csv")
    tasks = {
        participant_id: paths.curated / "images" / participant_id
        for participant_id in participants["participant_id"]
    }
    records, exclusions = map_participants(
        "inference", partial(segment_participant, setting=setting), tasks, cluster
    )
    kept = set(records["participant_id"])
    for label_file in paths.segmentations.glob("*.nii.gz"):
        if label_file.name.removesuffix(".nii.gz") not in kept:
            label_file.unlink()  # left by an earlier cohort of this run
    write_table(records, paths.segmentations / "records.csv")
    write_table(exclusions, paths.segmentations / "exclusions.csv")
    return records, exclusions

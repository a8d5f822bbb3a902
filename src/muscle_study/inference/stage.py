"""Inference over a cohort: a label map of every participant, once, from wherever it comes."""

import shutil
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from muscle_study.imaging.volumes import Volume, open_mapped, save
from muscle_study.inference.masks import label_map, mask_files
from muscle_study.inference.parameters import InferenceParameters, MasksParameters, Source
from muscle_study.inference.segment import Segmenter, without_unsure
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import (
    code_digest,
    contents,
    keep_records,
    read_record,
    recall,
    record_key,
    stamps,
    write_exclusion,
    write_record,
)
from muscle_study.networks.model import load_model, model_files, read_card
from muscle_study.networks.parameters import Precision
from muscle_study.networks.precision import device_of, resolved
from muscle_study.networks.preprocessing import load_channels
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.files import read_table, sha256, write_json, write_table
from muscle_study.protocol.paths import RunPaths


class LabelSource(ABC):
    """Where a participant's label map comes from. It pickles: workers ask it."""

    #: Of all that a label map depends on beside the participant's files.
    version: str

    def inputs(self, images: Path) -> list[Path]:
        """Return the files that the participant's label map depends on.

        Parameters
        ----------
        images
            Folder of the participant's curated images.
        """
        return sorted(images.iterdir())

    @abstractmethod
    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map on the images' grid, and what the records table holds of it."""


@dataclass(frozen=True)
class FromNetwork(LabelSource):
    """Our network.

    Parameters
    ----------
    model
        Its folder.
    parameters
        Of inference.
    version
        Of code, parameters and weights.
    """

    model: Path
    parameters: InferenceParameters
    version: str

    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map, the predicted Dice, and how many stray voxels were removed."""
        of = self.parameters
        segmenter = load_segmenter(self.model, of.accelerator, of.precision, self.version)
        wanted = segmenter.model.card.parameters.channels
        segmented = segmenter(load_channels(images, wanted, of.channels))
        labels = without_unsure(segmented.labels, segmented.predicted_dice, of.min_predicted_dice)
        predicted = {
            f"predicted_dice_{label.name.lower()}": None if np.isnan(dice) else round(dice, 4)
            for label, dice in segmented.predicted_dice.items()
        }
        removed = {
            f"removed_{label.name.lower()}": count for label, count in segmented.removed.items()
        }
        return labels, {**predicted, **removed}


@dataclass(frozen=True)
class FromMasks(LabelSource):
    """Masks that another segmenter made; nothing is predicted of them.

    Parameters
    ----------
    parameters
        Where they are.
    version
        Of code and parameters.
    """

    parameters: MasksParameters
    version: str

    def inputs(self, images: Path) -> list[Path]:
        """Return the images and the masks."""
        return [*super().inputs(images), *mask_files(self.parameters, images.name)]

    def label(self, images: Path) -> tuple[Volume, dict]:
        """Return the label map alone."""
        files = mask_files(self.parameters, images.name)
        own = open_mapped(min(images.iterdir()))
        return label_map(files, own, binary=self.parameters.a_file_a_structure), {}


@cache
def load_segmenter(model: Path, accelerator: str, precision: Precision, _key: str) -> Segmenter:
    """Load the model, once a worker and version."""
    device = device_of(accelerator)
    return Segmenter(load_model(model, device), device, resolved(precision, device))


@dataclass(frozen=True)
class Work:
    """What is done for each participant, and where it goes.

    Parameters
    ----------
    source
        Where label maps come from.
    folder
        Where they go.
    """

    source: LabelSource
    folder: Path

    def record_of(self, images: Path) -> Path:
        """Return the file of the participant's record."""
        return self.folder / "records" / f"{images.name}.json"

    def label_map_of(self, images: Path) -> Path:
        """Return the file of the participant's label map."""
        return self.folder / f"{images.name}.nii.gz"

    def seen(self, images: Path) -> str:
        """Return a hash of what the label map depends on, without reading any file."""
        return record_key(self.source.version, stamps(self.source.inputs(images)))

    def finished(self, images: Path) -> dict | None:
        """Return the record of a participant who need not be segmented again.

        Raises
        ------
        Excluded
            If the participant was set aside, with the same files.
        """
        record = recall(self.record_of(images), self.seen(images))
        return record if self.label_map_of(images).exists() else None

    def segment(self, images: Path) -> dict:
        """Write a participant's label map; return what the records table holds.

        A participant who was finished with the same inputs, parameters and code is not segmented
        again.

        Parameters
        ----------
        images
            Folder of the participant's curated images.
        """
        seen = self.seen(images)
        key = record_key(self.source.version, contents(self.source.inputs(images)))
        done = read_record(self.record_of(images), key, seen)
        if done is not None and self.label_map_of(images).exists():
            return done
        started = time.monotonic()
        try:
            labels, about = self.source.label(images)
        except Excluded as excluded:
            write_exclusion(self.record_of(images), seen, excluded)
            raise
        # the label map before would be taken for this one's, or this one for that before
        self.record_of(images).unlink(missing_ok=True)
        save(labels, self.label_map_of(images))
        seconds = round(time.monotonic() - started, 3)
        record = {"seconds": seconds, "sha256": sha256(self.label_map_of(images)), **about}
        write_record(self.record_of(images), key, record, seen)
        return record


def segment_cohort(
    paths: RunPaths, parameters: InferenceParameters, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Segment every curated participant.

    Writes a label map each, ``records.csv`` and ``exclusions.csv`` to ``paths.segmentations``, and
    ``source.json``, which says whose label maps they are; the same of those that they are compared
    with to ``paths.compared``, if there are any.

    Returns
    -------
    records, exclusions : pandas.DataFrame
    """
    if parameters.compare_with is None:
        shutil.rmtree(paths.compared, ignore_errors=True)  # of an earlier run
    else:
        segment_all(paths, parameters, parameters.compare_with, paths.compared, cluster)
    return segment_all(paths, parameters, parameters.source, paths.segmentations, cluster)


def segment_all(
    paths: RunPaths,
    parameters: InferenceParameters,
    source: Source,
    folder: Path,
    cluster: ClusterParameters,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Write everyone's label map from one source, and the tables, to `folder`."""
    labels = label_source(paths, parameters, source)
    participants = read_table(paths.curated / "participants.csv")
    tasks = {
        participant_id: paths.curated / "images" / participant_id
        for participant_id in participants["participant_id"]
    }
    work = Work(labels, folder)
    records, exclusions = map_participants(
        "inference",
        work.segment,
        tasks,
        cluster,
        finished=work.finished,
        folders=[paths.curated, folder],
        on_gpu=True,
    )
    keep_records(folder / "records", set(tasks))
    kept = set(records["participant_id"])
    for label_file in folder.glob("*.nii.gz"):
        if label_file.name.removesuffix(".nii.gz") not in kept:
            label_file.unlink()  # left by an earlier cohort of this run
    write_table(records, folder / "records.csv")
    write_table(exclusions, folder / "exclusions.csv")
    write_json(about(paths, parameters, source), folder / "source.json")
    return records, exclusions


def label_source(paths: RunPaths, parameters: InferenceParameters, source: Source) -> LabelSource:
    """Return what gives the label maps.

    Raises
    ------
    FileNotFoundError
        Where the network is wanted and there is none: not in each participant, but here.
    """
    code = code_digest(Path(__file__))
    if source == "masks":
        return FromMasks(parameters.masks, record_key(code, parameters.masks.model_dump()))
    load_model(paths.model)
    weights = {file.name: sha256(file) for file in model_files(paths.model)}
    settings = parameters.model_dump(
        include={"channels", "accelerator", "precision", "min_predicted_dice"}
    )
    return FromNetwork(paths.model, parameters, record_key(code, weights, settings))


def about(paths: RunPaths, parameters: InferenceParameters, source: Source) -> dict:
    """Return what ``source.json`` says: whose label maps they are, and what psoas holds in them."""
    if source == "masks":
        masks = parameters.masks
        return {"kind": source, "segmenter": masks.title, "psoas_label": masks.psoas_label}
    learned = read_card(paths.model).psoas
    return {"kind": source, "segmenter": "the network", "psoas_label": learned}

"""Inference over a cohort: one label map per participant."""

import shutil
from functools import partial
from pathlib import Path

import pandas as pd

from muscle_study.inference.label_sources import (
    FromMasks,
    FromNetwork,
    LabelSource,
    label_map_file,
    write_label_map,
)
from muscle_study.inference.parameters import InferenceParameters, Source
from muscle_study.mapping.cluster import map_participants
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.mapping.records import Records
from muscle_study.networks.model import load_model, model_files, read_card
from muscle_study.protocol.files import read_table, sha256, write_json, write_table
from muscle_study.protocol.paths import RunPaths


def segment_cohort(
    paths: RunPaths, parameters: InferenceParameters, cluster: ClusterParameters
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Segment every curated participant.

    Writes a label map each, ``records.csv``, ``exclusions.csv`` and ``source.json``, which names
    the segmenter, to ``paths.segmentations``; with `compare_with`, the same files of the other
    segmenter to ``paths.compared``.

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
    """Write all label maps of one source, and the tables, to `folder`."""
    labels = label_source(paths, parameters, source)
    participants = read_table(paths.curated / "participants.csv")
    tasks = {
        participant_id: paths.curated / "images" / participant_id
        for participant_id in participants["participant_id"]
    }
    records, exclusions = map_participants(
        "inference",
        partial(write_label_map, source=labels, folder=folder),
        tasks,
        cluster,
        records=Records(
            folder / "records",
            settings=labels.settings,
            inputs=labels.inputs,
            outputs=lambda images, _: [label_map_file(images, folder)],
        ),
        folders=[paths.curated, folder],
        on_gpu=True,
    )
    kept = {label_map_file(tasks[name], folder) for name in records["participant_id"]}
    for label_map in folder.glob("*.nii.gz"):
        if label_map not in kept:
            label_map.unlink()  # left by an earlier cohort of this run
    write_table(records, folder / "records.csv")
    write_table(exclusions, folder / "exclusions.csv")
    write_json(about(paths, parameters, source), folder / "source.json")
    return records, exclusions


def label_source(paths: RunPaths, parameters: InferenceParameters, source: Source) -> LabelSource:
    """Return the source of the label maps.

    Raises
    ------
    FileNotFoundError
        If the network is missing: once, before the map, rather than for each participant.
    """
    if source == "masks":
        return FromMasks(parameters.masks)
    load_model(paths.model)
    weights = tuple((file.name, sha256(file)) for file in model_files(paths.model))
    return FromNetwork(paths.model, parameters, weights)


def about(paths: RunPaths, parameters: InferenceParameters, source: Source) -> dict:
    """Return the content of ``source.json``: the segmenter, and what its psoas label covers."""
    if source == "masks":
        masks = parameters.masks
        return {"kind": source, "segmenter": masks.title, "psoas_label": masks.psoas_label}
    learned = read_card(paths.model).psoas
    return {"kind": source, "segmenter": "the network", "psoas_label": learned}

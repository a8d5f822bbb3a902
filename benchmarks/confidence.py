"""Detection of failures by predicted Dice in degraded scans of test participants."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torchio as tio

from benchmarks.study import load_network_of
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.imaging.volumes import Volume, load
from muscle_study.mapping.progress import Progress
from muscle_study.measurement.quality import compare as compare_labels
from muscle_study.networks.preprocessing import load_channels
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.result import Result
from muscle_study.statistics.analyses.segmentation.predicted import FAILURE, area_under_curve

SEED = 20260108
RESAMPLES = 2000
LEAST_AREA = 0.9

Channels = Mapping[str, Volume]

#: Degradations of a scan that leave its reference labels valid.
WORSENED: dict[str, tio.Transform] = {
    "noise": tio.RandomNoise(std=(0.1, 0.5)),
    "motion": tio.RandomMotion(degrees=10, translation=20, num_transforms=3),
    "ghosts": tio.RandomGhosting(intensity=(0.8, 2)),
    "spikes": tio.RandomSpike(intensity=(0.5, 3)),
    "bias field": tio.RandomBiasField(coefficients=1.5),
    "blur": tio.RandomBlur(std=(3, 8)),
    "thick slices": tio.RandomAnisotropy(axes=(2,), downsampling=(3, 8)),
}

HEADS = ("Scan", "Structures", "Failed", "Mean Dice", "Mean predicted Dice", "Area under the curve")
CAPTION = (
    "Original and degraded scans of test participants, segmented by the run's networks. A "
    "structure, one side of a muscle, failed if its Dice with the reference is below "
    f"{FAILURE:g}. Area under the ROC curve for detecting failures by predicted Dice: of all scans "
    "with a 95 % bootstrap interval (participants resampled), and of each kind with both failed "
    "and other structures."
)


def compare(run: str) -> list[Result]:
    """Segment original and degraded scans of test participants; evaluate predicted Dice."""
    paths = RunPaths(run)
    segmenter = load_network_of(run)
    channels = segmenter.model.card.parameters.channels
    people = read_table(paths.curated / "participants.csv")
    tested = people.loc[people["split"] == "test", "participant_id"].tolist()
    torch.manual_seed(SEED)  # TorchIO draws from torch's generator
    rows = []
    with Progress("confidence", len(tested)) as progress:
        for who in tested:
            rows += [{"who": who, **row} for row in _structures(paths, who, channels, segmenter)]
            progress.advance()
    return tables(pd.DataFrame(rows))


def _structures(
    paths: RunPaths, who: str, channels: list[str], segmenter: Callable[[Channels], object]
) -> list[dict]:
    scanned = load_channels(paths.curated / "images" / who, channels)
    reference = load(Path(paths.curated / "labels" / f"{who}.nii.gz"))
    rows = []
    for kind, scan in scans(scanned).items():
        segmented = segmenter(scan)
        predicted = {name.name.lower(): dice for name, dice in segmented.predicted_dice.items()}
        rows += [
            # without any prediction: certain failure
            {"kind": kind, "dice": dice, "predicted": np.nan_to_num(predicted[structure])}
            for structure, dice, *_ in compare_labels(segmented.labels, reference)
            if not np.isnan(dice)
        ]
    return rows


def scans(scanned: Channels) -> dict[str, Channels]:
    """Return a scan unchanged, with each degradation, and with its channels exchanged."""
    made = {"as scanned": dict(scanned)}
    subject = tio.Subject(
        {
            name: tio.ScalarImage(
                tensor=torch.from_numpy(np.float32(volume.data))[None], affine=volume.affine
            )
            for name, volume in scanned.items()
        }
    )
    scaled = tio.RescaleIntensity((0, 1))(subject)
    for kind, transform in WORSENED.items():
        worse = transform(scaled)
        made[kind] = {
            name: Volume(worse[name].numpy()[0], volume.affine) for name, volume in scanned.items()
        }
    names = list(scanned)
    if len(names) > 1:
        made["channels exchanged"] = dict(
            zip(names, [scanned[name] for name in reversed(names)], strict=True)
        )
    return made


def tables(structures: pd.DataFrame) -> list[Result]:
    """Return the table by kind of scan, and its bar.

    Parameters
    ----------
    structures
        Table with ``who``, ``kind``, ``dice`` and ``predicted``, one row per structure.
    """
    failed = (structures["dice"] < FAILURE).to_numpy()
    predicted = structures["predicted"].to_numpy()
    rows = [
        _row(kind, structures.loc[index], area_under_curve(predicted[index], failed[index]))
        for kind, index in structures.groupby("kind", sort=False).groups.items()
    ]
    area = area_under_curve(predicted, failed)
    low, high = _interval(structures, failed, predicted)
    rows.append(_row("all", structures, area))
    table = comparison_table(
        "confidence", pd.DataFrame(rows), HEADS, f"{CAPTION} All: {low:.3f} to {high:.3f}."
    )
    bar = Bar("area under the curve of predicted Dice", area, least=LEAST_AREA)
    return [table, bars_table("confidence", [bar])]


def _row(kind: str, structures: pd.DataFrame, area: float) -> dict:
    return {
        "scan": kind,
        "structures": len(structures),
        "failed": int((structures["dice"] < FAILURE).sum()),
        "dice": structures["dice"].mean(),
        "predicted_dice": structures["predicted"].mean(),
        "area": area,
    }


def _interval(
    structures: pd.DataFrame, failed: np.ndarray, predicted: np.ndarray
) -> tuple[float, float]:
    """Return the bootstrap interval of the area under the curve, resampling participants."""
    rows = list(structures.groupby("who").indices.values())
    rng = np.random.default_rng(SEED)
    areas = []
    for _ in range(RESAMPLES):
        drawn = np.concatenate([rows[i] for i in rng.integers(len(rows), size=len(rows))])
        areas.append(area_under_curve(predicted[drawn], failed[drawn]))
    low, high = np.nanquantile(areas, [0.025, 0.975])
    return float(low), float(high)

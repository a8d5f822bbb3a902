"""Segmentation of real scans by the repository's networks, trained on synthetic images alone."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from benchmarks.tables import comparison_table
from muscle_study.curation.sources.dicom import is_dicom, read_slices, stack_volume, stacks
from muscle_study.curation.sources.intake import SourceFile
from muscle_study.curation.sources.totalsegmentator import TotalSegmentatorSource
from muscle_study.imaging.labels import merge_labels
from muscle_study.imaging.volumes import Volume, load, to_ras
from muscle_study.inference.label_sources import load_segmenter
from muscle_study.inference.segment import without_unsure
from muscle_study.measurement.quality import compare as compare_labels
from muscle_study.protocol.exclusions import Excluded
from muscle_study.protocol.muscles import STRUCTURES
from muscle_study.protocol.paths import ROOT, RunPaths
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import load as load_parameters

REAL = Path(os.environ.get("MUSCLE_STUDY_REAL", ROOT.parent / "shared" / "real"))
MODEL = ROOT / "data" / "models" / "randomised"
IMAGES = ("mri.nii.gz", "ct.nii.gz")
#: Slices per axis in a figure, and colours of the outlines in the order of `STRUCTURES`.
SHOWN = 4
COLOURS = ("#E69F00", "#56B4E9", "#D55E00", "#009E73")

HEADS = (
    "Scan", "Voxels", "Structure", "Reference, mL", "Found, mL", "Predicted Dice", "Reported",
    "Dice",
)  # fmt: skip


class RealScan(NamedTuple):
    """A scan with its labels, if any."""

    name: str
    image: Volume
    labels: Volume | None


def existing(path: Path) -> Path:
    """Return an existing path of real scans.

    Raises
    ------
    FileNotFoundError
        If the path is missing.
    """
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: name the real scans in MUSCLE_STUDY_REAL")
    return path


def real_scans(folder: Path) -> Iterator[RealScan]:
    """Yield every scan under a folder: TotalSegmentator's layout, DICOM heaps, magnitude NIfTI."""
    for path in sorted(folder.rglob("*.nii.gz")):
        if path.name in IMAGES:
            source = TotalSegmentatorSource(path.parent.parent, ("image",), "3D", ())
            image, who = load(path), path.parent.name
            files = source.label_files(who).items()
            labels = merge_labels(
                ((mask.name, load(mask), meaning) for mask, meaning in files), image
            )
            yield RealScan(who, image, labels)
        elif not {"segmentations", "seg"} & set(path.parts) and not path.stem.endswith("_ph.nii"):
            yield RealScan(path.relative_to(folder).parts[-2] + "/" + path.name, load(path), None)
    for heap in sorted({path.parent for path in folder.rglob("*.dcm")}):
        slices = [
            plane
            for path in sorted(heap.iterdir())
            if is_dicom((file := SourceFile.read(path, heap)).content)
            for plane in read_slices(file)
        ]
        for stack in stacks(slices):
            name = f"{heap.name}/{stack[0].number}"
            try:
                yield RealScan(name, stack_volume(stack, name), None)
            except Excluded as no_volume:
                print(f"{name} is left out: {no_volume.detail}")


def compare(_run: str) -> list[Result]:
    """Segment the scans under MUSCLE_STUDY_REAL; draw them under ``data/bench/real_scans``."""
    existing(REAL)
    least = load_parameters("totalsegmentator").inference.min_predicted_dice
    segmenter = load_segmenter(MODEL, "cpu", "auto", ())
    pictures = RunPaths("bench").data / "real_scans"
    pictures.mkdir(parents=True, exist_ok=True)
    rows = []
    for scan in real_scans(REAL):
        found = segmenter({segmenter.model.card.parameters.channels[0]: scan.image})
        labels = found.labels
        kept = without_unsure(labels, found.predicted_dice, least)
        draw(scan.image, labels, scan.labels).savefig(
            pictures / f"{scan.name.replace('/', '_')}.png", dpi=80
        )
        dice = {}
        if scan.labels is not None:
            dice = {structure: score for structure, score, *_ in compare_labels(kept, scan.labels)}
        for label in STRUCTURES:
            size = (labels.data == label).sum() * labels.voxel_ml
            in_reference = None if scan.labels is None else (scan.labels.data == label).sum()
            rows.append(
                {
                    "scan": scan.name,
                    "voxels": "x".join(map(str, scan.image.data.shape)),
                    "structure": label.name.lower(),
                    "reference_ml": np.nan
                    if in_reference is None
                    else float(in_reference * labels.voxel_ml),
                    "found_ml": float(size),
                    "predicted_dice": float(found.predicted_dice[label]),
                    "reported": "yes" if (kept.data == label).any() else "no",
                    "dice": float(dice.get(label.name.lower(), np.nan)),
                }
            )
    caption = (
        "Real scans, segmented by the networks in data/models/randomised, trained on synthetic "
        f"images alone. Reported: the predicted Dice is at least {least:g}. Dice: of reported "
        "structures in scans with labels, whose psoas is the iliopsoas. Figures of all "
        "segmentations, reported or not, are in data/bench/real_scans."
    )
    return [comparison_table("real_scans", pd.DataFrame(rows), HEADS, caption)]


def draw(image: Volume, found: Volume, reference: Volume | None) -> Figure:
    """Draw axial and coronal slices with outlines of the segmentation; the reference is white."""
    upright, outlined = to_ras(image), to_ras(found)
    truth = None if reference is None else to_ras(reference)
    figure = Figure(figsize=(3 * SHOWN, 5.5), layout="constrained")
    low, high = np.percentile(upright.data, [1, 99.5])
    for row, (axis, across) in enumerate(((2, 1), (1, 2))):
        n = upright.data.shape[axis]
        for column in range(SHOWN):
            axes = figure.add_subplot(2, SHOWN, row * SHOWN + column + 1)
            index = int((column + 0.5) / SHOWN * n)
            plane = upright.data.take(index, axis).T[:, ::-1]
            aspect = upright.spacing_mm[across] / upright.spacing_mm[0]
            axes.imshow(plane, cmap="gray", origin="lower", aspect=aspect, vmin=low, vmax=high)
            for labels, colours in ((truth, ("white",) * 4), (outlined, COLOURS)):
                if labels is None:
                    continue
                shown = labels.data.take(index, axis).T[:, ::-1]
                for label, colour in zip(STRUCTURES, colours, strict=True):
                    if (shown == label).any():
                        axes.contour(shown == label, [0.5], colors=colour, linewidths=1)
            axes.set_axis_off()
    return figure

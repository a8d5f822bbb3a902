"""Segmentation of a participant on the NAKO's grid: ours, MONAI and nnU-Net."""

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
import pandas as pd

from benchmarks import whole_volume
from benchmarks.measured import Measured, measure, scaled_seconds
from benchmarks.participant import make_nako_participant
from benchmarks.study import Network, prepare_segmentation
from benchmarks.tables import Bar, bars_table, comparison_table
from muscle_study.imaging.volumes import Volume, load
from muscle_study.networks.classes import CLASSES
from muscle_study.networks.model import CPU
from muscle_study.networks.precision import resolved
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.result import Result

THREADS = 2
#: Ours is repeated so that one-time costs do not count; the others take too long.
OUR_RUNS, WHOLE_RUNS = 7, 1
#: Patches of a volume that nnU-Net predicts, each eight times for its mirror images.
NNUNET_PATCHES = 2

#: Network grid at the full resolution of the scan.
NAKO_SPACING_MM = (1.40625, 1.40625, 3.0)

#: Floating-point formats of ours on this machine, and of MONAI by default.
OUR_FORMAT, PLAIN_FORMAT = resolved("auto", CPU), "32-true"

MOST_SECONDS, MOST_GB = 10.0, 2.0
LEAST_TIMES_MONAI, LEAST_TIMES_NNUNET = 8.0, 40.0
MOST_DICE_LOST = 0.003

HEADS = (
    "Method",
    "Patch, voxels",
    "Patches done",
    "Seconds",
    "Peak memory, GB",
    "Dice",
    "Seconds, times ours",
    "Memory, times ours",
)
CAPTION = (
    "One synthetic participant at the NAKO's grid (1.40625 x 1.40625 x 3.0 mm, 320 x 260 x 160), "
    f"from image files to labels on that grid, on {THREADS} threads. Ours: as the stage segments, "
    f"median of {OUR_RUNS} runs. MONAI: its sliding window with the same network and grid over the "
    f"whole volume, patches overlapping by half, {whole_volume.TOGETHER} seen together, in the "
    f"floating-point format that ours takes on this machine ({OUR_FORMAT}), and, if that is "
    "another, in 32 bits, as it is without any setting. Both are run with the network on the "
    "scan's own grid, on which it did not learn, so that there is no Dice; and on the grid on "
    "which it did. "
    "nnU-Net: its predictor as it is by default, with the network of its default plan for this "
    "grid, once with a patch as large as ours and once with the one that its planner chooses; "
    f"weights are random. It does {NNUNET_PATCHES} patches with their mirror images, and the "
    "seconds of its patches are scaled up to all of the volume's. Dice: mean of psoas and gluteus, "
    "both sides together. Memory: the most that the process held. Times ours: of the first row."
)


def mean_dice(found: np.ndarray, true: np.ndarray) -> float:
    """Return the mean Dice similarity coefficient of psoas and gluteus, both sides together."""
    overlaps = [
        2
        * ((found == muscle) & (true == muscle)).sum()
        / ((found == muscle).sum() + (true == muscle).sum())
        for muscle in range(1, CLASSES["segmenter"].count)
    ]
    return float(np.mean(overlaps))


def muscles_of(labels: Volume) -> np.ndarray:
    """Return the segmenter's class of each voxel: muscles without sides."""
    return np.array(CLASSES["segmenter"].of_label, np.uint8)[labels.data]


def check_installed() -> None:
    """Stop early if nnU-Net is not installed."""
    if find_spec("nnunetv2") is None:
        raise ModuleNotFoundError(
            "nnunetv2 is not installed: `make bench` without PYTHON= installs it; elsewhere, "
            "install what pyproject.toml lists as the extra `bench`, with --no-deps"
        )


def compare(run: str) -> list[Result]:
    """Measure all methods on one participant with the run's network on two threads."""
    from benchmarks import nnunet

    participant = make_nako_participant(RunPaths("bench"))
    reference = muscles_of(load(participant.labels))
    network = Network.of(run)
    images = participant.images

    def both(spacing_mm: tuple[float, ...] | None) -> tuple[Measured, Measured]:
        return (
            measure(prepare_segmentation, run, images, spacing_mm, threads=THREADS, runs=OUR_RUNS),
            measure(
                whole_volume.prepare, run, images, spacing_mm, threads=THREADS, runs=WHOLE_RUNS
            ),
        )

    learned, monai_learned = both(None)
    our_dice = mean_dice(muscles_of(learned.result), reference)
    monai_dice = mean_dice(monai_learned.result.data, reference)
    ours, monai = both(NAKO_SPACING_MM)
    patch, learned_grid = network.patch_size, _times(network.spacing_mm)
    rows = [
        _row("ours", patch, "all", ours, ours.seconds, np.nan),
        _row("MONAI, whole volume", patch, "all", monai, monai.seconds, np.nan),
        _row(f"ours, {learned_grid}", patch, "all", learned, learned.seconds, our_dice),
        _row(
            f"MONAI, whole volume, {learned_grid}",
            patch, "all", monai_learned, monai_learned.seconds, monai_dice,
        ),
    ]  # fmt: skip
    if OUR_FORMAT != PLAIN_FORMAT:
        plain = measure(
            whole_volume.prepare, run, images, NAKO_SPACING_MM, PLAIN_FORMAT,
            threads=THREADS, runs=WHOLE_RUNS,
        )  # fmt: skip
        rows.append(
            _row("MONAI, whole volume, 32 bits", patch, "all", plain, plain.seconds, np.nan)
        )
    for plan, shape in (("our patch", network.patch_size), ("its own patch", reference.shape)):
        done = measure(
            nnunet.prepare, images, network.channels, shape, NNUNET_PATCHES, threads=THREADS, runs=1
        )
        part: nnunet.Prediction = done.result
        seconds = scaled_seconds(part.seconds, part.patch_seconds, part.done / part.patches)
        share = f"{part.done} of {part.patches}"
        rows.append(_row(f"nnU-Net, {plan}", part.patch_size, share, done, seconds, np.nan))
    table = pd.DataFrame(rows)
    table["times_our_seconds"] = table["seconds"] / ours.seconds
    table["times_our_gb"] = table["peak_gb"] / ours.peak_gb

    _, times_monai, *_ = table["times_our_seconds"]
    nnunet_rows = table[table["method"].str.startswith("nnU-Net")]
    times_learned = monai_learned.seconds / learned.seconds
    bars = [
        Bar("ours: seconds a participant", ours.seconds, most=MOST_SECONDS),
        Bar("ours: GB", ours.peak_gb, most=MOST_GB),
        Bar("MONAI takes times our seconds", times_monai, least=LEAST_TIMES_MONAI),
        Bar(f"the same at {learned_grid}", times_learned, least=LEAST_TIMES_MONAI),
        Bar("Dice that ours is under MONAI's", monai_dice - our_dice, most=MOST_DICE_LOST),
        *(
            Bar(f"{name} takes times our seconds", times, least=LEAST_TIMES_NNUNET)
            for name, times in zip(
                nnunet_rows["method"], nnunet_rows["times_our_seconds"], strict=True
            )
        ),
    ]
    return [comparison_table("inference", table, HEADS, CAPTION), bars_table("inference", bars)]


def _times(spacing_mm: Sequence[float]) -> str:
    return " x ".join(f"{edge:g}" for edge in spacing_mm) + " mm"


def _row(
    method: str,
    patch_size: list[int],
    patches: str,
    done: Measured,
    seconds: float,
    dice: float,
) -> dict:
    return {
        "method": method,
        "patch_size": "x".join(map(str, patch_size)),
        "patches_done": patches,
        "seconds": seconds,
        "peak_gb": done.peak_gb,
        "dice": dice,
    }

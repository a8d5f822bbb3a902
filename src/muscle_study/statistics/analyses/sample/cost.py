"""Hours and terabytes for the whole NAKO, estimated from this run.

Measured are the seconds in participants' records, the bytes of their files and the overhead of the
map (``data/reference/scheduler.csv``). Times and bytes are scaled to the NAKO's grid by the number
of voxels: same field of view, smaller voxels. A stage takes as long as its workers or as its single
scheduler, whichever is slower.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.paths import PUBLISHED, SCHEDULER
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.style import (
    BLUE,
    GREY,
    INK,
    TWO_COLUMNS,
    VERMILION,
    house_style,
    tag_synthetic,
)
from muscle_study.publishing.table import Table
from muscle_study.statistics.study.paper import published
from muscle_study.statistics.study.study import Study

#: Voxel edges of the NAKO's Dixon series (``params/nako.yaml``).
NAKO_SPACING_MM = (1.40625, 1.40625, 3.0)

#: Stages that map over participants, with their names in the table.
STAGES = {"curation": "Curation", "inference": "Inference", "measurement": "Measurement"}
GPU = "inference_gpu"

#: Numbers of workers in the table; those that the text names.
WORKERS = (1, 8, 32, 128, 512, 2048)
TOLD = {"one": 1, "some": 32, "many": 512}

#: Colour and line of each stage in the figure.
LINES = {
    "curation": (BLUE, "-"),
    "inference": (VERMILION, "-"),
    GPU: (VERMILION, (0, (4, 1.5))),
    "measurement": (INK, (0, (1, 1))),
}

#: Largest number of participants whose records and files are read.
SAMPLE = 100
SEED = 1

MB, TB = 1e6, 1e12


def cost(study: Study) -> Result | Absent:
    """Return estimated hours by number of workers, and terabytes."""
    if not _manifest(study).exists():
        return Absent("cost", "the stages' times are recorded by make only")
    spent = parts(study)
    table = hours(spent, published("participants", "n"), overhead_seconds())
    caption = (
        "Estimated hours of each stage for the whole NAKO by number of workers, both axes "
        "logarithmic. Dotted: the scheduler's time to hand out and collect every participant, a "
        "lower limit for any number of workers." + study.origin
    )
    picture = Picture(_draw(table, study.synthetic), caption)
    return Result("cost", cost_table(study, spent, table), picture, cost_numbers(spent, table))


def _manifest(study: Study) -> Path:
    return study.paths.curated / "manifest.json"


def voxel_factor(spacing_mm: list[float]) -> float:
    """Return the number of the NAKO's voxels in one of this run's.

    Examples
    --------
    >>> round(voxel_factor([2.8125, 2.8125, 3.0]), 6)
    4.0
    """
    return float(np.prod(spacing_mm) / np.prod(NAKO_SPACING_MM))


def parts(study: Study) -> pd.DataFrame:
    """Return the cost of one participant on the NAKO's grid.

    Returns
    -------
    pandas.DataFrame
        ``stage``; ``run_seconds`` on one worker in this run, ``seconds`` on the NAKO's grid;
        ``read_mb``, ``kept_mb`` there. The last row is inference on a GPU.
    """
    paths = study.paths
    curation = read_json(_manifest(study))["parameters"]
    factor = voxel_factor(curation["spacing_mm"])
    measured = read_table(paths.measurements / "measures.csv")["participant_id"]
    some = measured.sample(min(SAMPLE, len(measured)), random_state=SEED).tolist()
    took = {
        "curation": _mean_seconds(paths.curated, some),
        "inference": float(read_table(paths.segmentations / "records.csv")["seconds"].mean()),
        "measurement": _mean_seconds(paths.measurements, some),
    }
    raw, curated, labels = (factor * size for size in _megabytes(study, some))
    volumes = len(curation["contrasts"])
    shown = len(read_json(paths.model / "card.json")["parameters"]["channels"])
    read = {
        "curation": raw,
        "inference": curated * min(shown, volumes) / volumes,
        "measurement": curated * min(2, volumes) / volumes + labels,
    }
    kept = {"curation": curated, "inference": labels, "measurement": 0.0}
    rows = [
        {
            "stage": stage,
            "run_seconds": took[stage],
            "seconds": factor * took[stage],
            "read_mb": read[stage],
            "kept_mb": kept[stage],
        }
        for stage in STAGES
    ]
    on_gpu = dict(rows[1], stage=GPU, run_seconds=np.nan, seconds=rows[1]["seconds"] / gpu_speed())
    return pd.DataFrame([*rows, on_gpu])


def gpu_speed() -> float:
    """Return the published speed-up of a segmenter by a GPU, at its least.

    The shortest published time without a GPU over the longest with one.
    """
    found = pd.read_csv(PUBLISHED / "gpu_speed.csv").set_index("quantity")
    return float(60 * found.loc["cpu_minutes", "low"] / found.loc["gpu_seconds", "high"])


def _mean_seconds(folder: Path, names: list[str]) -> float:
    records = [read_json(folder / "records" / f"{name}.json")["record"] for name in names]
    return float(np.mean([record["seconds"] for record in records]))


def _megabytes(study: Study, names: list[str]) -> tuple[float, float, float]:
    """Return a participant's megabytes of raw images, curated images and label map."""
    inventory = read_table(study.paths.curated / "inventory.csv")
    used = inventory[inventory["used"] & (inventory["kind"] == "image")]
    raw = used.groupby("participant_id")["bytes"].sum().mean()
    curated = [_bytes_in(study.paths.curated / "images" / name) for name in names]
    labels = [
        (study.paths.segmentations / f"{name}.nii.gz").stat().st_size for name in names
    ]  # fmt: skip
    return raw / MB, float(np.mean(curated)) / MB, float(np.mean(labels)) / MB


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())


def overhead_seconds() -> float:
    """Return the map's overhead for a participant, measured on empty tasks."""
    return float(read_table(SCHEDULER).set_index("way").loc["ours", "ms"]) / 1000


def hours(costs: pd.DataFrame, participants: float, overhead: float) -> pd.DataFrame:
    """Return the hours of each stage by number of workers.

    Parameters
    ----------
    costs
        ``stage`` and ``seconds`` of `parts`.
    participants
        Number of participants.
    overhead
        The scheduler's seconds per participant; it hands participants out one after the other.

    Returns
    -------
    pandas.DataFrame
        ``workers``, a column per stage, ``all`` (without GPUs), ``all_gpu``, ``disk_mb_s`` (read
        and written by all workers together, without GPUs) and ``limit`` (``scheduler`` if it limits
        at least one stage, else ``workers``).
    """
    rows = []
    moved_mb = costs.loc[costs["stage"] != GPU, ["read_mb", "kept_mb"]].to_numpy().sum()
    for workers in WORKERS:
        each = costs.set_index("stage")["seconds"] / workers
        took = (participants * each.clip(lower=overhead) / 3600).to_dict()
        everything = sum(took[stage] for stage in STAGES)
        rows.append(
            {
                "workers": workers,
                **took,
                "all": everything,
                "all_gpu": everything - took["inference"] + took[GPU],
                "disk_mb_s": participants * moved_mb / (3600 * everything),
                "limit": "scheduler" if (each[list(STAGES)] < overhead).any() else "workers",
            }
        )
    return pd.DataFrame(rows)


def cost_table(study: Study, costs: pd.DataFrame, table: pd.DataFrame) -> Table:
    """Return the hours of `hours` as a table of the manuscript."""
    heads = {**STAGES, GPU: "Inference, GPU", "all": "All", "all_gpu": "All, GPU"}
    text = {"Workers": [format_number(count) for count in table["workers"]]}
    text |= {
        f"{head}, h": [format_number(value, _digits(value)) for value in table[column]]
        for column, head in heads.items()
    }
    text["Disk, MB/s"] = [format_number(value) for value in table["disk_mb_s"]]
    text["Limited by"] = table["limit"].tolist()
    seconds = costs.set_index("stage")["run_seconds"]
    spent = ", ".join(
        f"{name.lower()} {format_number(seconds[stage], 2)} s" for stage, name in STAGES.items()
    )
    caption = (
        f"Estimated hours for the NAKO's {format_number(published('participants', 'n'))} "
        f"participants by number of workers of one core each. In this run a participant took "
        f"{spent} on one worker; times and bytes are multiplied by "
        f"{format_number(_factor(costs), 1)}, the number of the NAKO's voxels in one of this "
        "run's. GPU: each worker has one and infers "
        f"{format_number(gpu_speed())} times faster, the least of a published range for another "
        "network; reading and writing included. Disk: read and written by all workers together, "
        "without GPUs. Limited by the scheduler: it hands out participants more slowly than the "
        "workers of at least one stage finish them. Training is not included." + study.origin
    )
    return Table(table, pd.DataFrame(text), caption)


def _digits(value: float) -> int:
    return 0 if value >= 100 else 1 if value >= 1 else 2


def _factor(costs: pd.DataFrame) -> float:
    return float(costs["seconds"].iloc[0] / costs["run_seconds"].iloc[0])


def cost_numbers(costs: pd.DataFrame, table: pd.DataFrame) -> Numbers:
    """Return seconds, terabytes, and the hours with few and with many workers."""
    numbers = Numbers()
    participants = published("participants", "n")
    by_stage, by_workers = costs.set_index("stage"), table.set_index("workers")
    numbers.number("cost.participants", participants)
    numbers.number("cost.factor", _factor(costs), 1)
    numbers.number("cost.gpu_speed", gpu_speed())
    numbers.number("cost.overhead", 1000 * overhead_seconds(), 2, "ms")
    for name, stage, column in (
        ("raw", "curation", "read_mb"),
        ("curated", "curation", "kept_mb"),
        ("labels", "inference", "kept_mb"),
    ):
        size = participants * by_stage.loc[stage, column] * MB / TB
        numbers.number(f"cost.{name}_tb", size, 2 if size < 1 else 1, "TB")
    for name, workers in TOLD.items():
        numbers.number(f"cost.workers_{name}", workers)
        numbers.number(f"cost.hours_{name}", by_workers.loc[workers, "all"], 1, "h")
    numbers.number("cost.hours_gpu", by_workers.loc[TOLD["some"], "all_gpu"], 1, "h")
    quickest = by_stage.loc[list(STAGES), "seconds"].min()
    numbers.number("cost.most_workers", np.floor(quickest / overhead_seconds()))
    return numbers


def _draw(table: pd.DataFrame, synthetic: bool) -> Figure:
    """Draw each stage's hours against workers, and the scheduler's least."""
    least = published("participants", "n") * overhead_seconds() / 3600
    names = {stage: name.lower() for stage, name in STAGES.items()} | {GPU: "inference, GPU"}
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(TWO_COLUMNS, 2.8))
        for stage, (colour, line) in LINES.items():
            axes.plot(
                table["workers"], table[stage], color=colour, ls=line, marker="o", markersize=2.5,
                label=names[stage],
            )  # fmt: skip
        axes.axhline(least, color=GREY, lw=0.8, ls=":", label="scheduler")
        axes.set(xscale="log", yscale="log", xlabel="Workers", ylabel="Hours")
        axes.set_xticks(table["workers"], [f"{count:,}" for count in table["workers"]])
        axes.minorticks_off()
        axes.legend(loc="upper right")
        tag_synthetic(figure, synthetic)
    return figure

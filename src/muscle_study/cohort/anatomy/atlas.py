"""Comparison of the synthetic muscles with one real body: the SPL abdominal atlas.

The atlas (Surgical Planning Laboratory, Brigham and Women's Hospital; 3D Slicer licence) guided the
tables of `muscles`, `spine` and `trunk`, so agreement is no independent evidence; the comparison
shows where shapes differ. The atlas' stated voxel spacing is unreliable, so all measures are ratios
within a slice or counts of voxels.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from muscle_study.cohort.anatomy.habitus import REFERENCE_HEIGHT_CM
from muscle_study.cohort.anatomy.sampling import Body
from muscle_study.cohort.anatomy.spine import DISC_MM, VERTEBRA_MM, end_plate_mm, level_z_mm
from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import Label
from muscle_study.protocol.paths import PUBLISHED

ATLAS = PUBLISHED / "spl_atlas_shape.csv"

#: The atlas' labels of the lumbar vertebrae, from the head down.
LEVELS = {"L1": 501, "L2": 502, "L3": 503, "L4": 504, "L5": 505}

#: The atlas' labels of right and left muscles, and of the disc between L3 and L4.
PSOAS = (131, 231)
GLUTEUS = {"maximus": (143, 241), "medius": (140, 240), "minimus": (139, 239)}
DISC_L3_L4 = 553

#: Distance from the promontory to the last slice of the atlas, relative to the height from the
#: upper end plate of L1 to the lower end plate of L5.
ATLAS_DEPTH = 22 / 60

COLUMNS = ["quantity", "at", "value"]


def atlas_shape(labels: np.ndarray) -> pd.DataFrame:
    """Describe the muscles of the atlas.

    Parameters
    ----------
    labels
        Label map of the atlas, shape (slices from the head down, rows, columns).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, means of both sides: ``psoas_csa``, axial section at the middle of a vertebra
        relative to the largest section; ``psoas_distance``, distance from the section's middle to
        the vertebra's, relative to the breadth of the disc L3–L4; ``gluteus_share``, share of a
        muscle in the gluteus volume within the atlas.
    """
    disc = np.flatnonzero((labels == DISC_L3_L4).any(axis=(0, 1)))
    breadth = int(disc[-1] - disc[0] + 1)
    rows = []
    sections = {label: (labels == label).sum(axis=(1, 2)) for label in PSOAS}
    for level, vertebra in LEVELS.items():
        slices = np.flatnonzero((labels == vertebra).any(axis=(1, 2)))
        # the label includes the processes, which reach lower than the vertebral body
        middle = slices[0] + round(0.45 * (len(slices) - 1))
        plane = labels[middle]
        centre = np.nonzero(plane == vertebra)[1].mean()
        share = np.mean([areas[middle] / areas.max() for areas in sections.values()])
        away = np.mean([abs(np.nonzero(plane == label)[1].mean() - centre) for label in PSOAS])
        rows += [("psoas_csa", level, share), ("psoas_distance", level, away / breadth)]
    volume = {part: np.isin(labels, pair).sum() for part, pair in GLUTEUS.items()}
    rows += [
        ("gluteus_share", part, count / sum(volume.values())) for part, count in volume.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def body_shape(body: Body, height_cm: float) -> pd.DataFrame:
    """Describe the continuous shapes of a synthetic body as `atlas_shape` does the atlas."""
    scale = height_cm / REFERENCE_HEIGHT_CM
    breadth = 2 * end_plate_mm("L4") * scale
    (right,) = (part.stack for part in body.muscles[Label.PSOAS_RIGHT])
    (left,) = (part.stack for part in body.muscles[Label.PSOAS_LEFT])
    rows = []
    for level in LEVELS:
        height = np.array([np.mean(level_z_mm(level))]) * scale
        share = np.mean([side.area_mm2(height)[0] / side.max_area_mm2() for side in (right, left)])
        away = np.mean([abs(side.sections(height).x_mm[0]) for side in (right, left)])
        rows += [("psoas_csa", level, share), ("psoas_distance", level, away / breadth)]
    lumbar = scale * (5 * VERTEBRA_MM + 4 * DISC_MM)
    volume = dict.fromkeys(GLUTEUS, 0.0)
    for label in (Label.GLUTEUS_RIGHT, Label.GLUTEUS_LEFT):
        for name, part in zip(GLUTEUS, body.muscles[label], strict=True):
            height = part.stack.heights_mm()
            area = np.where(height > -ATLAS_DEPTH * lumbar, part.stack.area_mm2(height), 0)
            volume[name] += np.trapezoid(area, height)
    rows += [
        ("gluteus_share", part, value / sum(volume.values())) for part, value in volume.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


PANELS = {
    "psoas_csa": "psoas section / its largest",
    "psoas_distance": "psoas from midline / disc breadth",
    "gluteus_share": "share of the gluteus above the atlas' end",
}


def compare(shapes: pd.DataFrame) -> Figure:
    """Draw median and central 90 % of synthetic bodies, from their `body_shape`, and the atlas."""
    atlas = read_table(ATLAS).set_index(["quantity", "at"])["value"]
    figure, axes = plt.subplots(1, 3, figsize=(9.5, 3.0), layout="constrained")
    for panel, (quantity, title) in zip(axes, PANELS.items(), strict=True):
        ours = shapes[shapes["quantity"] == quantity].groupby("at", sort=False)["value"]
        names = list(ours.groups)
        low, middle, high = (ours.quantile(q)[names].to_numpy() for q in (0.05, 0.5, 0.95))
        place = np.arange(len(names))
        panel.errorbar(place - 0.08, middle, [middle - low, high - middle], fmt="o", ms=4,
                       color="#0072B2", label="synthetic, median and 90 %")  # fmt: skip
        panel.plot(place + 0.08, [atlas[quantity, name] for name in names], "D", ms=5,
                   color="#D55E00", label="atlas, one person")  # fmt: skip
        panel.set_xticks(place, names)
        panel.set_title(title, fontsize=9, loc="left")
        panel.set_ylim(0)
        panel.spines[["top", "right"]].set_visible(False)
    axes[0].legend(fontsize=7, frameon=False, loc="lower right")
    plt.close(figure)
    return figure

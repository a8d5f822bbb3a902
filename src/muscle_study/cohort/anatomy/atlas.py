"""The synthetic muscles beside those of one real body: the SPL abdominal atlas.

The atlas (Surgical Planning Laboratory, Brigham and Women's Hospital; 3D Slicer licence) guided the
tables of `muscles`, `spine` and `trunk`, so agreement is no independent evidence; where shapes
differ is what the comparison shows. Its grid's stated spacing is not to be trusted, so everything
here is a ratio within a slice, or counted in slices.
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

#: Lumbar levels from the head down, with the atlas' labels of the vertebrae.
LEVELS = {"L1": 501, "L2": 502, "L3": 503, "L4": 504, "L5": 505}

#: The atlas' labels of right and left muscles, and of the disc between L3 and L4.
PSOAS = (131, 231)
GLUTEUS = {"maximus": (143, 241), "medius": (140, 240), "minimus": (139, 239)}
DISC_L3_L4 = 553

#: The atlas ends below: this share of the height from L1's upper to L5's lower end plate lies
#: between the promontory and its last slice.
ATLAS_DEPTH = 22 / 60

COLUMNS = ["quantity", "at", "value"]


def atlas_shape(labels: np.ndarray) -> pd.DataFrame:
    """Describe the muscles of the atlas.

    Parameters
    ----------
    labels
        Its label map, shape (slices from the head down, rows, columns).

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`, means of both sides: ``psoas_csa``, the axial section in the middle of a vertebra
        over the largest anywhere; ``psoas_distance``, of the section's middle from the vertebra's
        middle over the breadth of the disc L3–L4; ``gluteus_share``, of a part in the volume above
        the atlas' end.
    """
    breadth = _extent(labels == DISC_L3_L4, axis=2)
    rows = []
    sections = {label: (labels == label).sum(axis=(1, 2)) for label in PSOAS}
    for level, vertebra in LEVELS.items():
        slices = np.flatnonzero((labels == vertebra).any(axis=(1, 2)))
        # the label holds the processes, which reach lower: its upper half is the body
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


def _extent(mask: np.ndarray, axis: int) -> int:
    place = np.flatnonzero(mask.any(axis=tuple(other for other in range(3) if other != axis)))
    return int(place[-1] - place[0] + 1)


def body_shape(body: Body, height_cm: float) -> pd.DataFrame:
    """Describe a synthetic body as `atlas_shape` does the atlas, from its continuous shapes.

    Parameters
    ----------
    body
        The body.
    height_cm
        Its height, which the vertebrae follow.
    """
    scale = height_cm / REFERENCE_HEIGHT_CM
    breadth = 2 * end_plate_mm("L4") * scale
    (right,) = (part.stack for part in body.muscles[Label.PSOAS_RIGHT])
    (left,) = (part.stack for part in body.muscles[Label.PSOAS_LEFT])
    rows = []
    for level in LEVELS:
        height = np.array([np.mean(level_z_mm(level))]) * scale
        share = np.mean([psoas.area_mm2(height)[0] / psoas.max_area_mm2()
                         for psoas in (right, left)])  # fmt: skip
        away = np.mean([abs(psoas.sections(height).x_mm[0]) for psoas in (right, left)])
        rows += [("psoas_csa", level, share), ("psoas_distance", level, away / breadth)]
    lumbar = scale * (5 * VERTEBRA_MM + 4 * DISC_MM)
    volume = {}
    for part, stacks in zip(
        GLUTEUS,
        zip(body.muscles[Label.GLUTEUS_RIGHT], body.muscles[Label.GLUTEUS_LEFT], strict=True),
        strict=True,
    ):
        volume[part] = 0.0
        for piece in stacks:
            height = piece.stack.heights_mm()
            area = np.where(height > -ATLAS_DEPTH * lumbar, piece.stack.area_mm2(height), 0)
            volume[part] += np.trapezoid(area, height)
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
    """Draw the synthetic bodies' median and range of 90 % beside the atlas.

    Parameters
    ----------
    shapes
        `body_shape` of several bodies, one below the other.
    """
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

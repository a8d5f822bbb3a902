"""Pictures of the synthetic cohort, for its notebook and for the report."""

from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.paths import RunPaths
from muscle_study.volumes import Volume, load, to_ras

CONTRASTS = ("water", "fat", "in_phase", "opposed_phase")

#: Where the mosaic's slices lie: shares of the volume's height and depth, from feet and back.
AXIAL_AT, CORONAL_AT = 0.47, 0.47

#: Corners of the mosaic: age groups (rows within a sex) and BMI groups (columns).
AGES = {"under 45": (0, 45), "45 and over": (45, 200)}
BMIS = {"BMI < 22": (0, 22), "22–25": (22, 25), "25–30": (25, 30), "30–35": (30, 35),
        "≥ 35": (35, 99)}  # fmt: skip


def whole_scans(paths: RunPaths, participants: pd.DataFrame) -> pd.DataFrame:
    """Return the participants whose images carry no deliberate fault."""
    faults = pd.read_csv(paths.truth / "faults.csv", dtype=str)
    return participants[~participants["participant_id"].isin(faults["participant_id"])]


def show_scan(paths: RunPaths, participants: pd.DataFrame) -> Figure:
    """Draw the contrasts of the first participant whose images are whole: axial, coronal."""
    participant_id = whole_scans(paths, participants)["participant_id"].iloc[0]
    figure, axes = plt.subplots(2, len(CONTRASTS), figsize=(12, 6.6), layout="constrained")
    for column, contrast in zip(axes.T, CONTRASTS, strict=True):
        volume = _image(paths, participant_id, contrast)
        draw_axial(column[0], volume)
        draw_coronal(column[1], volume)
        column[0].set_title(contrast.replace("_", " "))
    return _finished(figure)


def mosaic(paths: RunPaths, participants: pd.DataFrame) -> Figure:
    """Draw coronal water images over sex, age and BMI: one participant a cell, where there is one.

    Parameters
    ----------
    paths
        The run; its images are read.
    participants
        Imaged participants with ``sex``, ``age_years`` and ``bmi_kg_m2``.
    """
    people = whole_scans(paths, participants)
    rows = [(sex, age) for sex in ("female", "male") for age in AGES]
    figure, axes = plt.subplots(
        2 * len(rows), len(BMIS), figsize=(9.6, 17.5), layout="constrained",
        gridspec_kw={"height_ratios": [1.05, 0.82] * len(rows)},
    )  # fmt: skip
    for (sex, age), coronals, axials in zip(rows, axes[::2], axes[1::2], strict=True):
        for bmi, coronal, axial in zip(BMIS, coronals, axials, strict=True):
            chosen = _nearest_to_middle(people, sex, AGES[age], BMIS[bmi])
            _draw_cell(coronal, axial, paths, chosen)
        coronals[0].text(
            -0.05, 0.2, f"{'women' if sex == 'female' else 'men'} {age}", rotation=90,
            ha="right", va="center", transform=coronals[0].transAxes,
        )  # fmt: skip
    for bmi, axis in zip(BMIS, axes[0], strict=True):
        axis.set_title(f"{bmi} kg/m²" if bmi.startswith("BMI") else bmi, pad=14)
    return _finished(figure)


def gallery(names: list[str], draw: Callable[[str, Axes, Axes], None], columns: int = 5) -> Figure:
    """Draw an axial and a coronal slice for each name, e.g. a fault.

    Parameters
    ----------
    names
        What to draw; each becomes a title.
    draw
        Draws one name on the two axes.
    columns
        Names a row.
    """
    rows = -(-len(names) // columns)
    figure, axes = plt.subplots(
        2 * rows, columns, figsize=(12, 4.4 * rows), layout="constrained", squeeze=False,
        gridspec_kw={"height_ratios": [0.82, 1.05] * rows},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for index, name in enumerate(names):
        row, column = divmod(index, columns)
        upper, lower = axes[2 * row, column], axes[2 * row + 1, column]
        draw(name, upper, lower)
        upper.set_title(name.replace("_", " "), fontsize=9)
    return _finished(figure)


def draw_axial(axes: Axes, volume: Volume, share: float = AXIAL_AT, top: float | None = None):
    """Draw an axial slice of a RAS volume, the participant's right on the left."""
    nz = volume.data.shape[2]
    dx, dy, _ = volume.spacing_mm
    _draw(axes, volume.data[:, :, min(int(nz * share), nz - 1)], dy / dx, volume, top)


def draw_coronal(axes: Axes, volume: Volume, share: float = CORONAL_AT, top: float | None = None):
    """Draw a coronal slice of a RAS volume, the participant's right on the left."""
    ny = volume.data.shape[1]
    dx, _, dz = volume.spacing_mm
    _draw(axes, volume.data[:, min(int(ny * share), ny - 1), :], dz / dx, volume, top)


def _draw(axes: Axes, plane: np.ndarray, aspect: float, volume: Volume, top: float | None):
    axes.imshow(
        plane[::-1].T[::-1], cmap="gray", aspect=aspect, vmin=min(0, volume.data.min()),
        vmax=np.percentile(volume.data, 99.5) if top is None else top,
    )  # fmt: skip
    axes.set_axis_off()


def _image(paths: RunPaths, participant_id: str, contrast: str) -> Volume:
    return to_ras(load(paths.raw / "images" / participant_id / f"{contrast}.nii.gz"))


def _nearest_to_middle(
    people: pd.DataFrame, sex: str, ages: tuple[float, float], bmis: tuple[float, float]
) -> pd.Series | None:
    """Return a typical member of a cell: the one of median BMI; None where there is nobody."""
    cell = people[
        (people["sex"] == sex)
        & people["age_years"].between(*ages, inclusive="left")
        & people["bmi_kg_m2"].between(*bmis, inclusive="left")
    ]
    if cell.empty:
        return None
    return cell.loc[(cell["bmi_kg_m2"] - cell["bmi_kg_m2"].median()).abs().idxmin()]


def _draw_cell(coronal: Axes, axial: Axes, paths: RunPaths, person: pd.Series | None) -> None:
    if person is None:
        for axes in (coronal, axial):
            axes.set_axis_off()
        coronal.text(0.5, 0.5, "nobody", ha="center", va="center", color="grey")
        return
    volume = _image(paths, person["participant_id"], "in_phase")
    draw_coronal(coronal, volume)
    draw_axial(axial, volume)
    coronal.set_title(
        f"{person['age_years']:.0f} y, {person['bmi_kg_m2']:.1f} kg/m²", fontsize=7, pad=2
    )


def _finished(figure: Figure) -> Figure:
    figure.suptitle("synthetic", fontsize=9, x=0.99, ha="right")
    plt.close(figure)  # the notebook shows what is returned, once
    return figure

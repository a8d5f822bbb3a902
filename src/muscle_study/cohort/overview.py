"""Figures of the synthetic cohort for its notebook and the report."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from muscle_study.cohort.anatomy.atlas import body_shape, compare
from muscle_study.cohort.anatomy.body import build_body
from muscle_study.cohort.anatomy.habitus import REFERENCE_HEIGHT_CM
from muscle_study.cohort.anatomy.sampling import Body, sample
from muscle_study.cohort.faults.assign import draw_detail
from muscle_study.cohort.faults.scans import take_scans
from muscle_study.cohort.nako import read_composed
from muscle_study.cohort.participant import Task
from muscle_study.cohort.randomised.images import randomise
from muscle_study.cohort.randomised.parameters import RandomisedParameters
from muscle_study.cohort.scanner.grid import Grid
from muscle_study.cohort.scanner.parameters import ImagingParameters
from muscle_study.cohort.scanner.scan import Scan, scan
from muscle_study.imaging.volumes import Volume, load, to_ras
from muscle_study.protocol.faults import Fault, Problem
from muscle_study.protocol.files import whole_file, write_table
from muscle_study.protocol.paths import RunPaths

CONTRASTS = ("water", "fat", "in_phase", "opposed_phase")

#: Resolution of saved figures.
PICTURE_DPI = 130

#: Faults that are visible in images.
SHOWN_FAULTS = (
    Fault.SWAP_WHOLE, Fault.SWAP_STATION, Fault.SWAP_SIDE, Fault.CUT_TOP, Fault.CUT_BOTTOM,
    Fault.CUT_SIDES, Fault.IMPLANT_HIP, Fault.IMPLANT_SPINE, Fault.SEVERE_MOTION,
    Fault.IDENTITY_AFFINE, Fault.FLIPPED_AFFINE,
)  # fmt: skip

#: Positions of slices as shares of the volume's height and depth, from feet and back.
AXIAL_AT, CORONAL_AT = 0.47, 0.47

#: Groups of the mosaic: ages (rows within a sex, years) and BMI (columns, kg/m²).
AGES = {"under 45": (0, 45), "45 and over": (45, 200)}
BMIS = {"BMI < 22": (0, 22), "22–25": (22, 25), "25–30": (25, 30), "30–35": (30, 35),
        "≥ 35": (35, 99)}  # fmt: skip


def without_faults(paths: RunPaths, participants: pd.DataFrame) -> pd.DataFrame:
    """Return the participants without a deliberate fault."""
    faults = pd.read_csv(paths.truth / "faults.csv", dtype=str)
    return participants[~participants["participant_id"].isin(faults["participant_id"])]


def write_for_report(
    paths: RunPaths, pictures: Mapping[str, Figure], tables: Mapping[str, pd.DataFrame]
):
    """Write figures (PNG) and tables of aggregates (CSV) for the report."""
    for name, figure in pictures.items():
        with whole_file(paths.about_cohort / f"{name}.png") as beside:
            figure.savefig(beside, format="png", dpi=PICTURE_DPI)
    for name, table in tables.items():
        write_table(table, paths.about_cohort / f"{name}.csv")


def show_scan(paths: RunPaths, participants: pd.DataFrame) -> Figure:
    """Draw axial and coronal slices of all contrasts of the first participant without a fault."""
    participant_id = without_faults(paths, participants)["participant_id"].iloc[0]
    figure, axes = plt.subplots(2, len(CONTRASTS), figsize=(12, 6.6), layout="constrained")
    for column, contrast in zip(axes.T, CONTRASTS, strict=True):
        volume = _image(paths, participant_id, contrast)
        draw_axial(column[0], volume)
        draw_coronal(column[1], volume)
        column[0].set_title(contrast.replace("_", " "))
    return _finished(figure)


def mosaic(paths: RunPaths, participants: pd.DataFrame) -> Figure:
    """Draw the in-phase image of one participant for each group of sex, age and BMI."""
    people = without_faults(paths, participants)
    rows = [(sex, age) for sex in ("female", "male") for age in AGES]
    figure, axes = plt.subplots(
        2 * len(rows), len(BMIS), figsize=(9.6, 16.0), layout="constrained",
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
        words = f"{bmi} kg/m²" if bmi.startswith("BMI") else bmi
        axis.annotate(words, (0.5, 1.16), xycoords="axes fraction", ha="center")
    return _finished(figure)


def fault_gallery(task: Task, parameters: ImagingParameters) -> Figure:
    """Draw axial and coronal water images of one participant with each of `SHOWN_FAULTS`."""
    body = _body(task)

    def scan_anew(scanned: Body, motion_mm: float | None) -> Scan:
        rng = np.random.default_rng(task.seed)
        return scan(scanned, task.muscle_fat, parameters, rng, motion_mm)

    sound = scan_anew(body, None)

    def scan_again(scanned: Body, motion_mm: float | None) -> Scan:
        if scanned is body and motion_mm is None:  # for speed: most faults change the same images
            return sound
        return scan_anew(scanned, motion_mm)

    scale = task.participant["height_cm"] / REFERENCE_HEIGHT_CM
    rng = np.random.default_rng(task.seed)
    problems = {
        fault.replace("_", " "): Problem(fault, draw_detail(fault, parameters.stations, rng))
        for fault in SHOWN_FAULTS
    }
    scans = {
        name: take_scans(body, problem, scale, scan_again)[""] for name, problem in problems.items()
    }
    images = {"no fault": sound, **scans}
    return _panels({name: taken.contrasts["water"] for name, taken in images.items()})


def station_gallery(task: Task, parameters: ImagingParameters) -> Figure:
    """Draw coronal slices of a participant's stations and of the composed volume."""
    rng = np.random.default_rng(task.seed)
    images = scan(build_body(task.participant, task.muscles, rng), task.muscle_fat, parameters, rng)
    composed = to_ras(images.contrasts["in_phase"])
    stations = [to_ras(station["in_phase"]) for station in images.stations]
    top = float(np.percentile(composed.data, 99.5))
    figure = plt.figure(figsize=(9, 6), layout="constrained")
    left, right = figure.subfigures(1, 2)
    for axes, station in zip(left.subplots(len(stations), 1), stations, strict=True):
        draw_coronal(axes, station, top=top)
    draw_coronal(right.subplots(), composed, top=top)
    left.suptitle("stations", fontsize=9)
    right.suptitle("composed", fontsize=9)
    plt.close(figure)
    return figure


def randomised_gallery(
    task: Task, parameters: RandomisedParameters, seed: int, n: int = 12
) -> Figure:
    """Draw `n` images of random contrast from one participant's tissues."""
    grid = Grid(tuple(parameters.spacing_mm))
    tissues = to_ras(grid.volume(sample(_body(task), grid.axes_mm())))
    rng = np.random.default_rng(seed)
    return _panels(
        {
            f"draw {index}": Volume(
                randomise(tissues.data, grid.spacing_mm, parameters, rng).image, tissues.affine
            )
            for index in range(1, n + 1)
        }
    )


def atlas_comparison(tasks: Sequence[Task]) -> Figure:
    """Compare the shapes of participants' muscles with a real atlas in a figure."""
    shapes = [body_shape(_body(task), task.participant["height_cm"]) for task in tasks]
    return compare(pd.concat(shapes, ignore_index=True))


def _body(task: Task) -> Body:
    return build_body(task.participant, task.muscles, np.random.default_rng(task.seed))


def _panels(images: Mapping[str, Volume], columns: int = 6) -> Figure:
    """Draw an axial and a coronal slice of each image."""
    rows = -(-len(images) // columns)
    figure, axes = plt.subplots(
        2 * rows, columns, figsize=(12.6, 4.0 * rows), layout="constrained", squeeze=False,
        gridspec_kw={"height_ratios": [0.82, 1.05] * rows},
    )  # fmt: skip
    for axis in axes.flat:
        axis.set_axis_off()
    for index, (name, image) in enumerate(images.items()):
        row, column = divmod(index, columns)
        upper, lower = axes[2 * row, column], axes[2 * row + 1, column]
        draw_axial(upper, to_ras(image))
        draw_coronal(lower, to_ras(image))
        upper.set_title(name, fontsize=9)
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
    images = paths.raw / "images"
    path = images / participant_id / f"{contrast}.nii.gz"
    return to_ras(load(path) if path.exists() else read_composed(images, participant_id, contrast))


def _nearest_to_middle(
    people: pd.DataFrame, sex: str, ages: tuple[float, float], bmis: tuple[float, float]
) -> pd.Series | None:
    """Return the member of a group whose BMI is nearest to the median; None for an empty group."""
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

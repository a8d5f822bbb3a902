"""Description of the synthetic cohort: population, voxelisation, pictures."""

from matplotlib import pyplot as plt

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Absent, Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.segmentation.picture import shown_image
from muscle_study.statistics.study.study import Study

#: Printed words for quantities, statistics, sexes and measures.
WORDS = {
    "male": "men",
    "female": "women",
    "both": "all",
    "bmi": "BMI",
    "csa": "CSA of the psoas, total",
    "gluteus": "gluteus volume, total",
    "psoas_fat": "psoas fat fraction",
    "gluteus_fat": "gluteus fat fraction",
    "sd": "SD",
    "q1": "lower quartile",
    "q3": "upper quartile",
    "fall": "fall from the youngest to the oldest",
    "mean_below_38": "mean below 38 years",
    "mean_from_38": "mean from 38 years on",
    "psoas_csa_cm2": "psoas, largest section",
    "psoas_volume_ml": "psoas, volume",
    "gluteus_volume_ml": "gluteus, volume",
}

#: Pictures drawn by stage cohort, with their captions.
PICTURES = {
    "mosaic": (
        "Synthetic participants over sex, age and BMI: coronal and axial in-phase images, one "
        "participant of median BMI a cell. The participant's right is on the left."
    ),
    "faults": (
        "Faults that are put into some scans on purpose, each shown in the same synthetic "
        "participant (water image, axial and coronal)."
    ),
    "atlas": (
        "Shape of the synthetic muscles beside those of one real person, the SPL abdominal atlas: "
        "axial section of the psoas by lumbar level, its distance from the midline, and the parts "
        "of the gluteus above the atlas's lower end. Points: median of 30 synthetic participants, "
        "with their range of 90 %. The atlas guided the shapes: agreement is no evidence."
    ),
}


def _absent(study: Study, name: str) -> Absent | None:
    if study.synthetic and study.paths.about_cohort.exists():
        return None
    return Absent(name, "the cohort of this run was not made by stage cohort")


def cohort(study: Study) -> Result | Absent:
    """Return the drawn population beside the published figures to which it is calibrated."""
    if absent := _absent(study, "cohort"):
        return absent
    data = read_table(study.paths.about_cohort / "published.csv")
    text = data.assign(
        Quantity=data["quantity"].replace(WORDS),
        Among=data["sex"].replace(WORDS),
        Statistic=data["statistic"].replace(WORDS),
        Published=[_value(value) for value in data["target"]],
        Drawn=[_value(value) for value in data["value"]],
        Unit=data["unit"].fillna(""),
    )[["Quantity", "Among", "Statistic", "Published", "Drawn", "Unit"]]
    caption = (
        f"The synthetic population of {format_number(int(data['n'].max()))} participants as drawn, "
        "beside the published figures to which it is calibrated; agreement is calibration, not a "
        "finding. CSA: cross-sectional area." + study.origin
    )
    text = without_repeats(text, "Quantity")
    return Result("cohort", Table(data.drop(columns="source"), text, caption))


def _value(value: float) -> str:
    return format_number(value, 1 if abs(value) >= 100 else 2)


def voxelisation(study: Study) -> Result | Absent:
    """Return the error of counting the voxels of exact labels, relative to the true sizes."""
    if absent := _absent(study, "voxelisation"):
        return absent
    data = read_table(study.paths.about_cohort / "voxelisation.csv")
    text = data.assign(
        Grid=data["spacing_mm"].str.replace("x", " × ") + " mm",
        Measure=data["measure"].replace(WORDS),
        n=data["n"].map(format_number),
    )
    limits = data[["mean_percent", "low_percent", "high_percent"]].to_numpy()
    text["Mean error (95 % CI), %"] = [estimate(*row, 2) for row in limits]
    text["SD, %"] = [format_number(value, 2) for value in data["sd_percent"]]
    text = text[["Grid", "Measure", "n", "Mean error (95 % CI), %", "SD, %"]]
    caption = (
        "Effect of the grid alone on the measures: relative error of counting the voxels of "
        "perfect labels, against the true size of the continuous shapes; n counts muscles, two per "
        f"participant. {MARK}: not known." + study.origin
    )
    return Result("voxelisation", Table(data, without_repeats(text, "Grid"), caption))


def cohort_pictures(study: Study) -> list[Result | Absent]:
    """Return the pictures drawn by stage cohort: ``cohort_mosaic``, ``_faults``, ``_atlas``."""
    found: list[Result | Absent] = []
    for name, caption in PICTURES.items():
        result = _absent(study, f"cohort_{name}")
        if result is None:
            image = plt.imread(study.paths.about_cohort / f"{name}.png")
            picture = Picture(shown_image(image), caption + study.origin)
            result = Result(f"cohort_{name}", figure=picture)
        found.append(result)
    return found

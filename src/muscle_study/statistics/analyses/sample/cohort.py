"""The synthetic cohort itself: its population beside the published one, and its exactness.

Only in runs whose data stage cohort made.
"""

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.study.study import Study

#: Quantities as the table says them.
QUANTITIES = {
    "male": "men",
    "age": "age",
    "height": "height",
    "bmi": "BMI",
    "overweight": "overweight",
    "obese": "obese",
    "csa": "CSA of the psoas, total",
    "gluteus": "gluteus volume, total",
    "psoas_fat": "psoas fat fraction",
    "gluteus_fat": "gluteus fat fraction",
}
STATISTICS = {
    "mean": "mean",
    "sd": "SD",
    "q1": "lower quartile",
    "median": "median",
    "q3": "upper quartile",
    "minimum": "minimum",
    "maximum": "maximum",
    "share": "share",
    "fall": "fall from the youngest to the oldest",
    "mean_below_38": "mean below 38 years",
    "mean_from_38": "mean from 38 years on",
}
AMONG = {"male": "men", "female": "women", "both": "all"}

MEASURES = {
    "psoas_csa_cm2": "psoas, largest section",
    "psoas_volume_ml": "psoas, volume",
    "gluteus_volume_ml": "gluteus, volume",
}


def is_here(study: Study) -> bool:
    """Tell whether stage cohort of this run left pictures and tables of itself."""
    return study.synthetic and study.paths.about_cohort.exists()


def population_table(study: Study) -> Table:
    """Return the drawn population beside the published figures that it is calibrated to."""
    data = read_table(study.paths.about_cohort / "published.csv")
    text = data.assign(
        Quantity=data["quantity"].map(QUANTITIES),
        Among=data["sex"].map(AMONG),
        Statistic=data["statistic"].map(STATISTICS),
        Published=[_value(value) for value in data["target"]],
        Drawn=[_value(value) for value in data["value"]],
        Unit=data["unit"].fillna(""),
    )[["Quantity", "Among", "Statistic", "Published", "Drawn", "Unit"]]
    caption = (
        f"The synthetic population of {format_number(int(data['n'].max()))} participants as drawn, "
        "beside the published figures that it is calibrated to; agreement is calibration, not a "
        "finding. CSA: cross-sectional area." + study.origin
    )
    return Table(
        data.drop(columns="source"), without_repeats(text, "Quantity"), caption, name="cohort"
    )


def _value(value: float) -> str:
    return format_number(value, 1 if abs(value) >= 100 else 2)


def voxelisation_table(study: Study) -> Table:
    """Return by how much counting the voxels of exact labels misses the true sizes."""
    data = read_table(study.paths.about_cohort / "voxelisation.csv")
    text = data.assign(
        Grid=data["spacing_mm"].str.replace("x", " × ") + " mm",
        Measure=data["measure"].map(MEASURES),
        n=data["n"].map(format_number),
    )
    text["Mean error (95 % CI), %"] = [
        f"{format_number(row['mean_percent'], 2)} ({format_number(row['low_percent'], 2)} to "
        f"{format_number(row['high_percent'], 2)})"
        for row in data.to_dict("records")
    ]
    text["SD, %"] = [format_number(value, 2) for value in data["sd_percent"]]
    text = text[["Grid", "Measure", "n", "Mean error (95 % CI), %", "SD, %"]]
    caption = (
        "What a grid alone does to the measures: error of counting the voxels of perfect labels "
        "against the true size of the continuous shapes, relative; n counts muscles, two a "
        f"participant. {MARK}: not known." + study.origin
    )
    return Table(data, without_repeats(text, "Grid"), caption, name="voxelisation")

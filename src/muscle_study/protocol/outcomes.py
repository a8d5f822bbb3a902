"""The measures of a participant's muscles: their columns, units and meanings."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from muscle_study.protocol.muscles import MUSCLES, SIDES

#: One participant's value, or a column of many.
Values = float | pd.Series

CM_PER_M = 100.0

#: Muscles whose largest axial cross-section is measured; the others' size is their volume.
SECTIONED = ("psoas",)

#: Column of each muscle's quantity, with ``{}`` for the side.
CSA = {muscle: f"{muscle}_csa_{{}}_cm2" for muscle in SECTIONED}
VOLUME = {muscle: f"{muscle}_volume_{{}}_ml" for muscle in MUSCLES}
FAT_FRACTION = {muscle: f"{muscle}_fat_fraction_{{}}" for muscle in MUSCLES}

#: Column of each muscle's size: the paper's outcomes.
SIZE = {muscle: CSA.get(muscle, VOLUME[muscle]) for muscle in MUSCLES}

#: Measures with a truth in synthetic cohorts, in the order of the tables.
MEASURES = tuple(
    column.format(side)
    for columns in (CSA, VOLUME, FAT_FRACTION)
    for column in columns.values()
    for side in (*SIDES, "total")
)

#: Index to the measure that is divided by height squared.
INDICES = {
    f"{name}_index_{unit}_m2": column.format("total")
    for columns in (CSA, VOLUME)
    for column in columns.values()
    for name, unit in [column.split("_{}_")]
}

#: Asymmetries and their measures.
ASYMMETRIES = {f"{column.split('_{}_')[0]}_asymmetry_percent": column for column in SIZE.values()}

#: Level of each side's largest section.
LEVELS = {muscle: f"{muscle}_csa_{{}}_z_mm" for muscle in SECTIONED}

#: The columns of ``measures.csv``, behind the identifier.
COLUMNS = (
    *MEASURES,
    *(column.format(side) for column in LEVELS.values() for side in SIDES),
    *INDICES,
    *ASYMMETRIES,
    *(f"{muscle}_at_border" for muscle in MUSCLES),
)

#: Unit by the end of a column's name, longest first.
UNITS = {
    "_cm2_m2": "cm²/m²",
    "_ml_m2": "mL/m²",
    "_percent": "%",
    "_cm2": "cm²",
    "_ml": "mL",
    "_mm": "mm",
    "_seconds": "s",
}


def unit_of(column: str) -> str:
    """Return the unit in a column's name, empty if it has none."""
    return next((unit for end, unit in UNITS.items() if column.endswith(end)), "")


def meaning(column: str) -> str:
    """Return the meaning of a column of ``measures.csv``, e.g. ``psoas CSA, left``.

    Examples
    --------
    >>> meaning("psoas_csa_left_cm2"), meaning("gluteus_volume_index_ml_m2")
    ('psoas CSA, left', 'gluteus volume / height²')
    """
    muscle = column.partition("_")[0]
    words = {"csa": f"{muscle} CSA", "volume": f"{muscle} volume"}
    quantity = words.get(column.split("_")[1], f"{muscle} fat fraction")
    if column in INDICES:
        return f"{quantity} / height²"
    if column in ASYMMETRIES:
        return f"{quantity}, right − left over the mean of both"
    if column.endswith("_at_border"):
        return f"{muscle} touches a face of the field of view; its volumes are withheld"
    side = next(side for side in (*SIDES, "total") if f"_{side}" in column)
    level = "level of the largest section, " if column.endswith("_z_mm") else ""
    return f"{level}{quantity}, {side}"


def derived(measures: Mapping[str, Values], height_cm: Values) -> dict[str, Values]:
    """Return indices and asymmetries, of one participant or, as series, of many."""
    indices = {
        index: measures[name] / (height_cm / CM_PER_M) ** 2 for index, name in INDICES.items()
    }
    asymmetries = {
        asymmetry: asymmetry_percent(*(measures[name.format(side)] for side in SIDES))
        for asymmetry, name in ASYMMETRIES.items()
    }
    return indices | asymmetries


def asymmetry_percent(left: Values, right: Values) -> Values:
    """Return right minus left in per cent of the mean of both sides; NaN if both are zero."""
    with np.errstate(invalid="ignore"):
        return 200 * np.divide(right - left, right + left)

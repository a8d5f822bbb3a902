"""Centile charts of both outcomes by age and sex, their calibration, and the coefficient file."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.analyses.extensions.centile_figure import draw
from muscle_study.statistics.methods.centiles import (
    AGE,
    BMI_KG_M2,
    BODY,
    COVARIATES,
    FEWEST_PEOPLE,
    HEIGHT_CM,
    Centiles,
    Curve,
    Design,
    choose_knots,
    cross_validate,
    curves_of,
    fit_centiles,
)
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.models import model_data
from muscle_study.statistics.study.study import Study

#: The centiles that are drawn and printed, as usual on growth charts.
DRAWN = (3, 10, 25, 50, 75, 90, 97)

#: Covariates of the two designs, as printed.
DESIGNS: dict[Design, str] = {AGE: "age", BODY: "age, height, BMI"}

#: Share of the people beyond either end of a chart's age, height and BMI; more in small samples. An
#: end must not be a single person's, and beyond it a curve is an extrapolation.
TAIL = 0.01

#: Years between the rows of the printed table.
PRINTED_YEARS = 10

Charts = dict[tuple[str, str, Design], "Chart | None"]


@dataclass(frozen=True)
class Chart:
    """A model with its range, and cross-validated z-scores.

    Parameters
    ----------
    model
        The centiles.
    limits
        Lowest and highest value of each covariate, whole units.
    held_out
        ``age_group`` and ``z`` of everyone, from the cross-validation.
    """

    model: Centiles
    limits: dict[str, tuple[int, int]]
    held_out: pd.DataFrame


def fit_charts(study: Study) -> Charts:
    """Fit both outcomes in each sex, by age, and by age, height and BMI; None for too few people.

    The curves of age are chosen by cross-validation in the chart by age, and kept in the other.
    """
    charts: Charts = {}
    seed = study.parameters.seed
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            people = _complete(model_data(study, outcome, sex))
            if len(people) < max(FEWEST_PEOPLE, 2 * study.min_count):
                charts |= dict.fromkeys([(name, sex, AGE), (name, sex, BODY)])
                continue
            values = people["outcome"].to_numpy(float)
            knots = choose_knots(people, values, seed)
            limits = limits_of(people, study.min_count)
            for design in DESIGNS:
                model = fit_centiles(people, values, *curves_of(people, knots, design))
                _, z = cross_validate(people, values, knots, design, seed)
                held_out = people[["age_group"]].assign(z=z)
                charts[name, sex, design] = Chart(model, limits, held_out)
    return charts


def _complete(data: pd.DataFrame | None) -> pd.DataFrame:
    if data is None:
        return pd.DataFrame()
    known = data[["outcome", *COVARIATES]].notna().all(axis=1)
    return data[known & (data["outcome"] > 0)].reset_index(drop=True)


def limits_of(people: pd.DataFrame, min_count: int) -> dict[str, tuple[int, int]]:
    """Return a chart's range in whole units, with at least `min_count` people beyond each end."""
    tail = max(TAIL, min_count / len(people))
    limits = {}
    for column in COVARIATES:
        low, high = people[column].quantile([tail, 1 - tail])
        limits[column] = int(np.ceil(low)), int(np.floor(high))
    return limits


def centile_values(charts: Charts) -> pd.DataFrame:
    """Return the charts by age: a row per year with M, S, L and the `DRAWN` centiles."""
    rows = []
    for (outcome, sex, design), chart in charts.items():
        if chart is None or design != AGE:
            continue
        low, high = chart.limits["age_years"]
        people = pd.DataFrame({"age_years": np.arange(low, high + 1)})
        values = {
            f"centile_{centile}": chart.model.value(people, stats.norm.ppf(centile / 100))
            for centile in DRAWN
        }
        rows.append(
            pd.DataFrame(
                {
                    "outcome": outcome,
                    "sex": sex,
                    "age_years": people["age_years"],
                    "m": chart.model.m(people),
                    "s": chart.model.s(people),
                    "l": chart.model.skewness,
                    **values,
                }
            )
        )
    columns = ["outcome", "sex", "age_years", "m", "s", "l", *(f"centile_{c}" for c in DRAWN)]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)


def calibration(study: Study, charts: Charts) -> pd.DataFrame:
    """Return the share of people below each centile, by cross-validation.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``sex``, ``design``, ``age_group`` (``all`` first), ``n``, mean and SD of z,
        and for each of `DRAWN` the percentage ``below_*`` with Wilson's interval. Groups that may
        not be shown are left out, and those too small for `min_count` people below the lowest.
    """
    rows = []
    for (outcome, sex, design), chart in charts.items():
        if chart is None:
            continue
        groups = study.groups_of("age_group", sex)
        for group in ["all", *groups.loc[~groups["hidden"], "group"]]:
            z = chart.held_out["z"]
            if group != "all":
                z = z[chart.held_out["age_group"] == group]
            if len(z) * min(DRAWN) / 100 < study.min_count:
                continue
            row = {"outcome": outcome, "sex": sex, "design": design, "age_group": group}
            row |= {"n": study.rounded(len(z)), "z_mean": z.mean(), "z_sd": z.std()}
            for centile in DRAWN:
                row |= _share_below(study, z, centile)
            rows.append(row)
    columns = ["outcome", "sex", "design", "age_group", "n", "z_mean", "z_sd"]
    columns += [name for centile in DRAWN for name in _below(centile)]
    return pd.DataFrame(rows, columns=columns)


def _below(centile: int) -> list[str]:
    return [f"below_{centile}{end}" for end in ("", "_low", "_high")]


def _share_below(study: Study, z: pd.Series, centile: int) -> dict[str, float]:
    """Return the percentage below a centile with its interval; NaN if it discloses a few."""
    below = int((z < stats.norm.ppf(centile / 100)).sum())
    if not study.min_count <= below <= len(z) - study.min_count:
        return dict.fromkeys(_below(centile), np.nan)
    alpha = 1 - study.parameters.confidence
    low, high = proportion_confint(below, len(z), alpha=alpha, method="wilson")
    return dict(zip(_below(centile), (100 * below / len(z), 100 * low, 100 * high), strict=True))


def centiles(study: Study) -> Result:
    """Chart both outcomes by age and sex; the printed table has every `PRINTED_YEARS` years."""
    charts = study.once(fit_charts)
    table = centile_values(charts)
    text = [
        {
            "Outcome": SHORT_NAMES[row["outcome"]],
            "Sex": SEXES[row["sex"]],
            "Age (years)": format_number(row["age_years"]),
            **{
                f"{centile}": format_number(
                    row[f"centile_{centile}"], OUTCOMES[row["outcome"]].digits
                )
                for centile in DRAWN
            },
        }
        for row in table.to_dict("records")
        if row["age_years"] % PRINTED_YEARS == 0
    ] or [{"Outcome": MARK, "Sex": MARK, "Age (years)": MARK} | {f"{c}": MARK for c in DRAWN}]
    caption = (
        f"Centiles of both outcomes by age and sex ({study.sizes}), by the LMS method; the CSV "
        "file gives every year of age with L, M and S. Ages at which at least "
        f"{format_number(100 * TAIL)} % of the sex are younger and older. CSA: total {study.psoas} "
        f"cross-sectional area. {MARK}: fewer than {FEWEST_PEOPLE} participants." + study.origin
    )
    drawn = (
        f"Centiles ({', '.join(map(str, DRAWN))}) of total {study.psoas} cross-sectional area "
        f"(CSA) and gluteus volume by age and sex ({study.sizes}), by the LMS method, its curves "
        f"chosen by cross-validation. At least {100 * TAIL:.0f} % of the sex are younger and older "
        "than the ages drawn." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    picture = Picture(draw(study, charts, DRAWN), drawn)
    return Result("centiles", Table(table, text, caption), picture)


def centile_calibration(study: Study) -> Result:
    """Assess the centiles by cross-validation."""
    table = calibration(study, study.once(fit_charts))
    text = [
        {
            "Outcome": SHORT_NAMES[row["outcome"]],
            "Sex": SEXES[row["sex"]],
            "Model knows": DESIGNS[row["design"]],
            "z, mean ± SD": f"{format_number(row['z_mean'], 2)} ± {format_number(row['z_sd'], 2)}",
            **{
                f"{c}": MARK if pd.isna(share := row[f"below_{c}"]) else format_number(share, 1)
                for c in DRAWN
            },
        }
        for row in table[table["age_group"] == "all"].to_dict("records")
    ] or [
        {"Outcome": MARK, "Sex": MARK, "Model knows": MARK, "z, mean ± SD": MARK}
        | {f"{c}": MARK for c in DRAWN}
    ]
    caption = (
        f"Calibration of the centiles by five-fold cross-validation ({study.sizes}): z-scores of "
        "participants, and the percentage of them below each centile (head of the column), by a "
        "model fitted to others. The CSV file gives intervals, and the same by age group. CSA: "
        f"total {study.psoas} cross-sectional area. {MARK}: too few participants, or too few below "
        "or above." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Result("centile_calibration", Table(table, text, caption), numbers=_numbers(table))


def _numbers(table: pd.DataFrame) -> Numbers:
    """Return the largest miss of a centile, and the number of intervals that cover it."""
    numbers = Numbers()
    overall = table[table["age_group"] == "all"]
    for design in DESIGNS:
        rows = overall[overall["design"] == design]
        off = [(rows[f"below_{centile}"] - centile).abs().max() for centile in DRAWN]
        largest = np.nan if rows.empty else max(off)
        numbers.number(f"centiles.{design}_largest_miss", largest, 1, "percentage points")
    covered = [
        overall[f"below_{centile}_low"].le(centile) & overall[f"below_{centile}_high"].ge(centile)
        for centile in DRAWN
    ]
    numbers.number(
        "centiles.checked", overall[[f"below_{centile}" for centile in DRAWN]].notna().sum().sum()
    )
    numbers.number("centiles.covered", np.sum(covered))
    return numbers


def centile_model(study: Study) -> Result:
    """Return the models' coefficients, which the report's look-up applies."""
    coefficients = {
        "synthetic": study.synthetic,
        "method": "LMS: z = ((y / M)^L - 1) / (L S), M = exp(m), S = exp(s)",
        "columns": (
            "m and s are sums of coefficient times column: 1; age; for inner terms, Harrell's "
            "restricted cubic spline of age at the knots; and, where design is body, "
            f"log(height_cm / {HEIGHT_CM:g}), b = log(bmi_kg_m2 / {BMI_KG_M2:g}), and b squared"
        ),
        "reference": {"height_cm": HEIGHT_CM, "bmi_kg_m2": BMI_KG_M2},
        "measures": {
            name: {"name": outcome.title(study.psoas), "unit": outcome.unit}
            for name, outcome in OUTCOMES.items()
        },
        "models": [
            {
                "measure": outcome,
                "sex": sex,
                "design": design,
                "limits": {name: list(limits) for name, limits in chart.limits.items()},
                "l": chart.model.skewness,
                "m": _curve(chart.model.median, chart.model.median_coefficients),
                "s": _curve(chart.model.spread, chart.model.spread_coefficients),
            }
            for (outcome, sex, design), chart in study.once(fit_charts).items()
            if chart is not None
        ],
    }
    return Result("centile_model", json=coefficients)


def _curve(curve: Curve, coefficients: np.ndarray) -> dict:
    return {"knots": list(curve.knots), "coefficients": coefficients.tolist()}

"""Non-linear effects of age and BMI: restricted cubic splines and tests."""

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    SEX_COLOURS,
    SEX_LINES,
    TWO_COLUMNS,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.publishing.table import Table, unbroken, without_repeats
from muscle_study.statistics.methods.comparisons import holm
from muscle_study.statistics.methods.splines import KNOTS, SplineFit, fit_spline
from muscle_study.statistics.study.measures import OUTCOMES, PAPER_OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.study.models import model_data
from muscle_study.statistics.study.study import Study

#: The curved covariates, by the name in the text's numbers, and their names as printed.
CURVED = {"age": "age_years", "bmi": "bmi_kg_m2"}
PRINTED = {"age": "age", "bmi": "BMI"}
HEADINGS = {"age": "Age (years)", "bmi": "BMI (kg/m²)"}

Fits = dict[tuple[str, str], SplineFit | None]


def fit_splines(study: Study) -> Fits:
    """Fit both outcomes in each sex; None for too few participants."""
    fits = {}
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            data = model_data(study, outcome, sex)
            fits[name, sex] = None if data is None else fit_spline(data, "outcome", CURVED)
    return fits


def nonlinearity(study: Study) -> Result:
    """Test for non-linear effects of age and BMI on the outcomes."""
    table = curvature(study.once(fit_splines))
    text = [_row(row) for row in table.to_dict("records")]
    caption = (
        f"Tests for non-linearity ({study.sizes}): restricted cubic splines of age and of BMI with "
        f"{KNOTS} knots each, a model per outcome and sex; F tests of the curved terms with HC3 "
        "errors, Holm's correction over all rows. R²: of the model linear in age and BMI, and of "
        f"that with both splines. CSA: total {study.psoas} cross-sectional area. "
        f"{MARK}: too few participants for a spline." + study.origin
    )
    numbers = Numbers()
    numbers.number("nonlinearity.knots", KNOTS)
    for row in table.to_dict("records"):
        word = SEXES[row["sex"]].lower()
        numbers.p(f"nonlinearity.{row['outcome']}.{row['term']}_p_{word}", row["p_holm"])
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Result("nonlinearity", Table(table, text, caption), numbers=numbers)


def curvature(fits: Fits) -> pd.DataFrame:
    """Return the tests: ``outcome``, ``sex``, ``term``, F and its degrees, p, Holm's p, both R²."""
    rows = []
    for (outcome, sex), fitted in fits.items():
        for term in CURVED:
            row = {"outcome": outcome, "sex": sex, "term": term}
            if fitted is not None:
                row |= fitted.nonlinearity(term)
                row |= {"r2_linear": fitted.linear_r2, "r2_spline": fitted.result.rsquared}
            rows.append(row)
    columns = ["outcome", "sex", "term", "f", "df1", "df2", "p", "r2_linear", "r2_spline"]
    table = pd.DataFrame(rows).reindex(columns=columns)
    return table.assign(p_holm=holm(table["p"]))


def _row(row: dict) -> dict[str, str]:
    heads = {
        "Outcome": SHORT_NAMES[row["outcome"]],
        "Sex": SEXES[row["sex"]],
        "Curved in": PRINTED[row["term"]],
    }
    if pd.isna(row["p"]):
        return heads | dict.fromkeys(
            ("Statistic", "p", "p, Holm", "R², linear", "R², spline"), MARK
        )
    degrees = f"{format_number(row['df1'])}; {format_number(row['df2'])}"
    return heads | {
        "Statistic": unbroken(f"F({degrees}) = {format_number(row['f'], 1)}"),
        "p": format_p(row["p"]),
        "p, Holm": format_p(row["p_holm"]),
        "R², linear": format_number(row["r2_linear"], 3),
        "R², spline": format_number(row["r2_spline"], 3),
    }


def splines(study: Study) -> Result:
    """Draw the mean of both outcomes by age and by BMI, in men and women, with its interval."""
    table = curves(study.once(fit_splines), study.parameters.confidence)
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Mean total {study.psoas} cross-sectional area (CSA) and gluteus volume by age, at the "
        f"sex's median BMI, and by BMI, at its median age ({study.sizes}): restricted cubic "
        f"splines with {KNOTS} knots, shaded: {percent} % confidence interval of the mean from HC3 "
        "errors. Drawn from the 2.5th to the 97.5th centile of age and BMI." + study.origin
    )
    return Result("splines", figure=Picture(_draw(study, table), caption, table))


def curves(fits: Fits, confidence: float) -> pd.DataFrame:
    """Return the curves: ``outcome``, ``sex``, ``covariate``, and what `SplineFit.curve` gives."""
    columns = ["outcome", "sex", "covariate", "at", "mean", "low", "high"]
    parts = [
        fitted.curve(name, confidence).assign(outcome=outcome, sex=sex, covariate=name)
        for (outcome, sex), fitted in fits.items()
        if fitted is not None
        for name in CURVED
    ]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def _draw(study: Study, table: pd.DataFrame) -> Figure:
    with house_style():
        figure, panels = plt.subplots(
            2, 2, layout="constrained", figsize=(TWO_COLUMNS, 4.6), sharex="col", sharey="row"
        )
        for row, (name, outcome) in zip(panels, PAPER_OUTCOMES.items(), strict=True):
            scale = outcome.factor / OUTCOMES[name].factor
            for axes, covariate in zip(row, CURVED, strict=True):
                drawn = table[(table["outcome"] == name) & (table["covariate"] == covariate)]
                for sex, curve in drawn.groupby("sex", sort=False):
                    colour = SEX_COLOURS[sex]
                    low, high = curve["low"] * scale, curve["high"] * scale
                    axes.fill_between(curve["at"], low, high, color=colour, alpha=0.2, lw=0)
                    axes.plot(curve["at"], curve["mean"] * scale, color=colour,
                              linestyle=SEX_LINES[sex], label=SEXES[sex])  # fmt: skip
                if drawn.empty:
                    say_instead(axes, "too few participants")
            row[0].set_ylabel(outcome.title(study.psoas))
        for axes, covariate in zip(panels[-1], CURVED, strict=True):
            axes.set_xlabel(HEADINGS[covariate])
        handles, labels = panels[0][0].get_legend_handles_labels()
        if handles:
            figure.legend(handles, labels, loc="outside upper left", ncols=2)
        tag_synthetic(figure, study.synthetic)
    return figure

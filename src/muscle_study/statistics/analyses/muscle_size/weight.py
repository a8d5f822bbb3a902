"""Gluteus volume against body weight."""

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    ONE_COLUMN,
    SEX_COLOURS,
    SEX_LINES,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.analyses.muscle_size.correlation import correlations
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: Columns of the figure's data: corners of contours have a share, points of a line an interval.
COLUMNS = ["sex", "share", "line", "weight_kg", "volume_l", "low", "high"]


def weight(study: Study) -> Result:
    """Draw gluteus volume against weight by sex: density, regression line and correlation."""
    outcome = PAPER_OUTCOMES["gluteus"]
    found = study.once(correlations).set_index(["with", "sex"]).loc["weight_kg"]
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN + 0.6, 3.1))
        parts = [pd.DataFrame(columns=COLUMNS)]
        for sex, word in SEXES.items():
            r, people = found.loc[sex, "r"], study.shown_of_sex(sex)
            if pd.isna(r):
                continue
            data = pd.DataFrame({"weight": people["weight_kg"], "volume": outcome.values(people)})
            data = data.dropna()
            label = f"{word} (r = {format_number(r, 2)})"
            parts += [part.assign(sex=sex) for part in _draw(axes, data, sex, label, study)]
        drawn = parts[1:]
        if drawn:
            axes.set(xlabel="Weight (kg)", ylabel=outcome.title(study.psoas))
            figure.legend(loc="outside upper left", ncols=1)
        else:
            say_instead(axes, "not estimable")
        tag_synthetic(figure, study.synthetic)
    shares = ", ".join(format_number(100 * share) for share in SHARES)
    percent = format_number(100 * study.parameters.confidence)
    sizes = f" ({study.sizes})" if drawn else ""
    caption = (
        f"Total gluteus volume against weight by sex{sizes}: contours enclose {shares} % of the "
        f"estimated density (groups from {DENSITY_FACTOR * study.min_count} participants on), "
        f"lines are linear regressions with {percent} % confidence bands from HC3 errors, r is "
        "Pearson's correlation." + study.origin
    )
    table = pd.concat(drawn or parts).reindex(columns=COLUMNS)
    return Result("weight", figure=Picture(figure, caption, table))


def _draw(axes: Axes, data: pd.DataFrame, sex: str, label: str, study: Study) -> list[pd.DataFrame]:
    """Draw contours and the regression; return their data."""
    colour, drawn = SEX_COLOURS[sex], []
    if len(data) >= DENSITY_FACTOR * study.min_count:
        at = data["weight"].to_numpy(), data["volume"].to_numpy()
        lines = contours(axes, *at, colour, SEX_LINES[sex])
        drawn.append(lines.rename(columns={"x": "weight_kg", "y": "volume_l"}))
    fitted = smf.ols("volume ~ weight", data).fit(cov_type="HC3", use_t=True)
    grid = pd.DataFrame({"weight": np.linspace(*data["weight"].quantile([0.05, 0.95]), 60)})
    band = fitted.get_prediction(grid).summary_frame(1 - study.parameters.confidence)
    names = {"mean": "volume_l", "mean_ci_lower": "low", "mean_ci_upper": "high"}
    line = band[list(names)].rename(columns=names).assign(weight_kg=grid["weight"])
    axes.fill_between(line["weight_kg"], line["low"], line["high"], color=colour, alpha=0.3, lw=0)
    axes.plot(line["weight_kg"], line["volume_l"], color=colour, ls=SEX_LINES[sex], label=label)
    return [*drawn, line]

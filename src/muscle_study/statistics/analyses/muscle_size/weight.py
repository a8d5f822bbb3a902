"""Gluteus volume against body weight."""

import numpy as np
import pandas as pd
import statsmodels.formula.api as smf
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from muscle_study.publishing.density import SHARES, contours
from muscle_study.publishing.figure import Picture
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.style import (
    DENSITY_FACTOR,
    ONE_COLUMN,
    SEX_COLOURS,
    SEX_LINES,
    house_style,
    say_instead,
    tag_synthetic,
)
from muscle_study.statistics.study.measures import PAPER_OUTCOMES, SEXES
from muscle_study.statistics.study.study import Study

#: Of the CSV file: corners of contours have a share, points of a regression line an interval.
COLUMNS = ["sex", "share", "line", "weight_kg", "volume_l", "low", "high"]


def draw(study: Study, correlations: pd.DataFrame) -> Picture:
    """Draw densities by sex with the regression line, and say the correlations."""
    outcome = PAPER_OUTCOMES["gluteus"]
    found = correlations[correlations["with"] == "weight_kg"].set_index("sex")
    with house_style():
        figure, axes = plt.subplots(layout="constrained", figsize=(ONE_COLUMN + 0.6, 3.1))
        drawn, lines = [], [pd.DataFrame(columns=COLUMNS)]
        for sex, word in SEXES.items():
            r = found.loc[sex, "r"]
            if pd.isna(r) or sex in study.hidden_sexes:
                continue
            data = pd.DataFrame(
                {
                    "weight": study.of_sex(sex)["weight_kg"],
                    "volume": outcome.values(study.of_sex(sex)),
                }
            ).dropna()
            label = f"{word} (r = {format_number(r, 2)})"
            lines += [part.assign(sex=sex) for part in _draw(axes, data, sex, label, study)]
            drawn.append(sex)
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
    table = pd.concat(lines[1:] or lines).reindex(columns=COLUMNS)
    return Picture(figure, caption, table, name="weight")


def _draw(axes: Axes, data: pd.DataFrame, sex: str, label: str, study: Study) -> list[pd.DataFrame]:
    """Draw contours and the regression; return what was drawn."""
    colour, drawn = SEX_COLOURS[sex], []
    if len(data) >= DENSITY_FACTOR * study.min_count:
        at = data["weight"].to_numpy(), data["volume"].to_numpy()
        lines = contours(axes, *at, colour, SEX_LINES[sex])
        drawn.append(lines.rename(columns={"x": "weight_kg", "y": "volume_l"}))
    fitted = smf.ols("volume ~ weight", data).fit(cov_type="HC3", use_t=True)
    grid = pd.DataFrame({"weight": np.linspace(*data["weight"].quantile([0.05, 0.95]), 60)})
    band = fitted.get_prediction(grid).summary_frame(1 - study.parameters.confidence)
    axes.fill_between(
        grid["weight"], band["mean_ci_lower"], band["mean_ci_upper"], color=colour, alpha=0.3, lw=0
    )
    axes.plot(grid["weight"], band["mean"], color=colour, ls=SEX_LINES[sex], label=label)
    return [
        *drawn,
        pd.DataFrame(
            {
                "weight_kg": grid["weight"],
                "volume_l": band["mean"],
                "low": band["mean_ci_lower"],
                "high": band["mean_ci_upper"],
            }
        ),
    ]

"""Whether the linear models can be relied on: residuals, influence, collinearity."""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.diagnostic import het_breuschpagan

from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import Fit
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.study.measures import AMONG, SHORT_NAMES
from muscle_study.statistics.study.study import Study

COLUMNS = [
    "residual_skewness",
    "residual_excess_kurtosis",
    "heteroscedasticity_p",
    "largest_vif",
    "influential_percent",
    "largest_shift_se",
]


def diagnose(fitted: Fit, min_count: int) -> dict[str, float]:
    """Return the diagnostics of a model.

    Returns
    -------
    dict
        Skewness and excess kurtosis of the residuals; p of Breusch and Pagan's test with Koenker's
        studentising (J Econom 1981;17:107-112); the largest variance inflation factor of a
        covariate, 1 / (1 - R² on the others); the percentage of participants whose Cook's distance
        is over 4 / n; and by how many of its standard errors a coefficient moves at most when
        these are left out. Neither is given where fewer than `min_count` are influential.
    """
    result, n = fitted.result, fitted.n
    design, residual = result.model.exog, result.resid.to_numpy()
    influential = result.get_influence().cooks_distance[0] > 4 / n
    percent = shift = np.nan
    if influential.sum() >= min_count:
        without = OLS(result.model.endog[~influential], design[~influential]).fit().params
        moved = np.abs(without - result.params.to_numpy()) / result.bse.to_numpy()
        percent, shift = 100 * influential.mean(), moved[1:].max()
    # the diagonal of the inverse of the covariates' correlation matrix
    correlation = np.atleast_2d(np.corrcoef(design[:, 1:], rowvar=False))
    return {
        "residual_skewness": stats.skew(residual),
        "residual_excess_kurtosis": stats.kurtosis(residual),
        "heteroscedasticity_p": het_breuschpagan(residual, design)[1],
        "largest_vif": np.diag(np.linalg.inv(correlation)).max(),
        "influential_percent": percent,
        "largest_shift_se": shift,
    }


def diagnostics(study: Study, fits: dict[tuple[str, str], Fit | None]) -> pd.DataFrame:
    """Return ``outcome``, ``sex`` and `COLUMNS` of every model; NaN for one not estimated."""
    rows = [
        {"outcome": outcome, "sex": sex}
        | (dict.fromkeys(COLUMNS, np.nan) if fitted is None else diagnose(fitted, study.min_count))
        for (outcome, sex), fitted in fits.items()
    ]
    return pd.DataFrame(rows)


def diagnostics_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the `diagnostics` as a table of the manuscript."""
    text = []
    for row in table.to_dict("records"):

        def cell(name: str, digits: int, row: dict = row) -> str:
            return MARK if pd.isna(row[name]) else format_number(row[name], digits)

        p = row["heteroscedasticity_p"]
        text.append(
            {
                "Outcome": SHORT_NAMES[row["outcome"]],
                "Among": AMONG[row["sex"]],
                "Skewness": cell("residual_skewness", 2),
                "Excess kurtosis": cell("residual_excess_kurtosis", 2),
                "Unequal variance, p": MARK if pd.isna(p) else format_p(p),
                "Largest VIF": cell("largest_vif", 2),
                "Influential, %": cell("influential_percent", 1),
                "Largest shift, SE": cell("largest_shift_se", 1),
            }
        )
    caption = (
        f"Diagnostics of the linear regressions ({study.sizes}). Skewness and excess kurtosis of "
        "the residuals (0 for a normal distribution); p of Breusch and Pagan's test for unequal "
        "variance, which the HC3 errors allow for; VIF: variance inflation factor, 1 where "
        "covariates do not overlap; influential: Cook's distance over 4 / n; shift: by how many "
        "standard errors (SE) the most affected coefficient moves without the influential. "
        f"CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable, "
        f"or fewer than {study.min_count} influential." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="diagnostics")


def diagnostic_numbers(table: pd.DataFrame, numbers: CellNumbers, cell: str) -> None:
    """Add the worst value of each diagnostic over all models."""
    text = Text(numbers, cell)
    text.number("diagnostics.largest_vif", table["largest_vif"].max(), 2)
    text.number("diagnostics.largest_skewness", table["residual_skewness"].abs().max(), 2)
    text.number("diagnostics.largest_shift", table["largest_shift_se"].max(), 1)

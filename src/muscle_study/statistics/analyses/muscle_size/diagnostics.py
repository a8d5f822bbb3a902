"""Diagnostics of the linear models: residuals, influence, collinearity."""

import numpy as np
import pandas as pd

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, without_repeats
from muscle_study.statistics.analyses.muscle_size.regression import fit_all
from muscle_study.statistics.methods.linear import diagnose
from muscle_study.statistics.study.measures import SHORT_NAMES
from muscle_study.statistics.study.models import models_text
from muscle_study.statistics.study.study import Study

COLUMNS = [
    "residual_skewness",
    "residual_excess_kurtosis",
    "heteroscedasticity_p",
    "largest_vif",
    "influential_percent",
    "largest_shift_se",
]


def diagnostics(study: Study) -> Result:
    """Return the diagnostics of all declared models, and their worst values as numbers."""
    rows = [
        {"outcome": outcome, "model": model.name, "sex": model.sex}
        | (dict.fromkeys(COLUMNS, np.nan) if fitted is None else diagnose(fitted, study.min_count))
        for model, outcome, fitted in study.once(fit_all)
    ]
    table = pd.DataFrame(rows)
    numbers = Numbers()
    numbers.number("diagnostics.largest_vif", table["largest_vif"].max(), 2)
    numbers.number("diagnostics.largest_skewness", table["residual_skewness"].abs().max(), 2)
    numbers.number("diagnostics.largest_shift", table["largest_shift_se"].max(), 1)
    return Result("diagnostics", _table(study, table), numbers=numbers)


def _table(study: Study, table: pd.DataFrame) -> Table:
    titles = {model.name: model.title for model in study.parameters.models}
    text = []
    for row in table.to_dict("records"):

        def cell(name: str, digits: int, row: dict = row) -> str:
            return MARK if pd.isna(row[name]) else format_number(row[name], digits)

        p = row["heteroscedasticity_p"]
        text.append(
            {
                "Outcome": SHORT_NAMES[row["outcome"]],
                "Among": titles[row["model"]],
                "Skewness": cell("residual_skewness", 2),
                "Excess kurtosis": cell("residual_excess_kurtosis", 2),
                "Unequal variance, p": MARK if pd.isna(p) else format_p(p),
                "Largest VIF": cell("largest_vif", 2),
                "Influential, %": cell("influential_percent", 1),
                "Largest shift, SE": cell("largest_shift_se", 1),
            }
        )
    caption = (
        f"Diagnostics of the linear regressions ({study.sizes}). Models: {models_text(study)}. "
        "Skewness and excess kurtosis of the residuals (0 for a normal distribution); p of Breusch "
        "and Pagan's test for unequal variance, which the HC3 errors allow for; VIF: variance "
        "inflation factor, 1 for uncorrelated covariates; influential: Cook's distance over 4 / n; "
        "shift: largest change of a coefficient, in standard errors (SE), without the influential "
        f"participants. CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable, or "
        f"fewer than {study.min_count} influential participants." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption)

"""Whether the estimates recover the true coefficients of a synthetic cohort."""

from pathlib import Path

import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.muscle_size.correlation import SIZES
from muscle_study.statistics.analyses.muscle_size.regression import TERM_TEXT, coefficient_digits
from muscle_study.statistics.study.imaged import SAMPLES
from muscle_study.statistics.study.measures import AMONG, OUTCOMES, SHORT_NAMES
from muscle_study.statistics.study.study import Study

#: Kinds of true coefficient that the statistics estimate.
KINDS = ("regression", "correlation")


def coefficients_path(study: Study) -> Path:
    """Return where measurement leaves the true coefficients of a run that knows the truth."""
    return study.paths.measurements / "true_coefficients.csv"


def recovered(study: Study, table: pd.DataFrame) -> pd.DataFrame:
    """Set estimates beside the true coefficients.

    Parameters
    ----------
    study
        The run.
    table
        As `imaged.beside` returns it: estimates in all, and in the imaged alone.

    Returns
    -------
    pandas.DataFrame
        ``kind``, ``outcome``, ``sex``, ``term``, ``true``; for both samples the estimate
        (``value_*``), its interval (``low_*``, ``high_*``) and whether that ``covers_*`` the true
        value, empty where nothing could be estimated.

    Raises
    ------
    ValueError
        If an estimate has no true value.
    """
    keys = ["kind", "outcome", "sex", "term"]
    true = read_table(coefficients_path(study)).rename(columns={"value": "true"})
    estimates = table[table["kind"].isin(KINDS)].rename(columns={"quantity": "outcome"})
    both = estimates.merge(true[[*keys, "true"]], on=keys, how="left", validate="one_to_one")
    if both["true"].isna().any():
        missing = ", ".join(both.loc[both["true"].isna(), keys].iloc[0])
        raise ValueError(
            f"{coefficients_path(study)}: no true value for {missing}: make the cohort again"
        )
    columns = [*keys, "true"]
    for sample in SAMPLES:
        value, low, high = (both[f"{name}_{sample}"] for name in ("value", "low", "high"))
        inside = (low <= both["true"]) & (both["true"] <= high)
        both[f"covers_{sample}"] = inside.astype(object).where(value.notna())
        columns += [f"{name}_{sample}" for name in ("value", "low", "high", "covers")]
    return both[columns]


def recovery_table(study: Study, table: pd.DataFrame) -> Table:
    """Return what `recovered` gives as a table of the manuscript."""
    # without simulated people both samples are the same
    samples = SAMPLES if study.has_simulated else {"all": SAMPLES["all"]}
    text = []
    for row in table.to_dict("records"):
        correlation = row["kind"] == "correlation"
        outcome = OUTCOMES[row["outcome"]]
        digits = 2 if correlation else coefficient_digits(outcome, row["term"])
        cells = {}
        for sample, word in samples.items():
            limits = (row[f"{name}_{sample}"] for name in ("value", "low", "high"))
            cells[f"{word} (CI)"] = estimate(*limits, digits)
        text.append(
            {
                "Outcome": "Gluteus, r" if correlation else SHORT_NAMES[row["outcome"]],
                "Term": SIZES[row["term"]] if correlation else TERM_TEXT[row["term"]],
                "Among": AMONG[row["sex"]],
                "True": format_number(row["true"], digits),
                **cells,
                "Holds": _which_hold(
                    {word: row[f"covers_{sample}"] for sample, word in samples.items()}
                ),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Estimates beside the true coefficients of the population model ({study.sizes}): of the "
        "linear regressions on age, BMI and sex, and of the Pearson correlations of gluteus volume "
        f"with body size (r). Holds: which {percent} % confidence interval (CI) holds the true "
        f"value. {MARK}: not estimable." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="recovery")


def _which_hold(covers: dict[str, bool | float]) -> str:
    """Say which samples' intervals hold the true value."""
    if any(pd.isna(covered) for covered in covers.values()):
        return MARK
    holding = [sample.lower() for sample, covered in covers.items() if covered]
    if len(covers) == 1:
        return "yes" if holding else "no"
    return {0: "neither", 1: "".join(holding), 2: "both"}[len(holding)]

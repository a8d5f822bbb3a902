"""The comparison with the truth of a synthetic cohort; no later stage reads the truth."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from muscle_study.measurement.agreement import agreement_table
from muscle_study.measurement.simulated import Simulated, simulate
from muscle_study.protocol.covariates import Covariate
from muscle_study.protocol.files import read_table, whole_file, write_table
from muscle_study.protocol.outcomes import MEASURES
from muscle_study.protocol.paths import RunPaths

#: Splits that training never sees; ``none``: never annotated.
UNSEEN = ("test", "none")


@dataclass(frozen=True)
class Comparison:
    """``agreement.csv``, and the simulated measurements if not all participants were imaged."""

    agreement: pd.DataFrame
    simulated: Simulated | None


def compare_with_truth(
    paths: RunPaths, measures: pd.DataFrame, seed: int, covariates: Sequence[Covariate] = ()
) -> Comparison | None:
    """Compare the measures with their truth, and simulate those of participants not imaged.

    Writes ``errors.csv``, ``agreement.csv``, ``true_coefficients.csv``, ``true_population.parquet``
    and ``faults.csv`` (deliberate faults of curated scans); ``simulated.csv`` and ``donors.csv`` if
    some were not imaged.

    Parameters
    ----------
    paths
        Paths of the run.
    measures
        ``measures.csv``.
    seed
        Seed of the draws of donors.
    covariates
        Declared covariates of simulated participants.

    Returns
    -------
    Comparison or None
        ``None`` in a run without known truth; nothing is written then.
    """
    if not (paths.truth / "measures.csv").exists():
        return None
    truth = read_table(paths.truth / "measures.csv")
    population = read_table(paths.truth / "population.csv")
    participants = read_table(paths.curated / "participants.csv")
    pairs = pair_with_truth(measures, truth, participants)
    unseen = pairs[pairs["split"].isin(UNSEEN)]
    errors = pd.DataFrame({name: unseen[f"{name}_error"] for name in MEASURES})
    errors.insert(0, "participant_id", unseen["participant_id"])
    groups = {"test": pairs[pairs["split"] == "test"], "unseen": unseen}
    groups |= {f"unseen_{sex}": unseen[unseen["sex"] == sex] for sex in ("male", "female")}
    agreement = agreement_table(groups)
    write_table(errors, paths.measurements / "errors.csv")
    write_table(agreement, paths.measurements / "agreement.csv")
    write_table(
        read_table(paths.truth / "coefficients.csv"), paths.measurements / "true_coefficients.csv"
    )
    with whole_file(paths.measurements / "true_population.parquet") as beside:
        shutil.copyfile(paths.truth / "population_grid.parquet", beside)
    faults = read_table(paths.truth / "faults.csv")
    curated = faults["participant_id"].isin(participants["participant_id"])
    faults = faults.loc[curated, ["participant_id", "fault"]]
    write_table(faults, paths.measurements / "faults.csv")
    not_imaged = population[~population["imaged"]]
    if not_imaged.empty:
        return Comparison(agreement, None)
    # participants with a withheld size cannot be donors
    donors = unseen.dropna(subset=[f"{name}_error" for name in MEASURES if "fraction" not in name])
    simulated = simulate(not_imaged, donors, seed, covariates)
    write_table(simulated.measures, paths.measurements / "simulated.csv")
    write_table(simulated.donors, paths.measurements / "donors.csv")
    return Comparison(agreement, simulated)


def pair_with_truth(
    measures: pd.DataFrame, truth: pd.DataFrame, participants: pd.DataFrame
) -> pd.DataFrame:
    """Return ``sex``, ``split``, true `MEASURES` and ``<measure>_error`` of measured participants.

    Raises
    ------
    ValueError
        If a measured participant has no truth.
    """
    pairs = measures[["participant_id", *MEASURES]].merge(
        truth[["participant_id", *MEASURES]],
        on="participant_id",
        how="left",
        suffixes=("_error", ""),
        indicator=True,
        validate="one_to_one",
    )
    unknown = pairs.pop("_merge") != "both"
    if unknown.any():
        raise ValueError(
            f"{unknown.sum()} measured participants are not in the truth: make the cohort again"
        )
    for name in MEASURES:
        pairs[f"{name}_error"] -= pairs[name]
    known = participants[["participant_id", "sex", "split"]]
    return pairs.merge(known, on="participant_id", validate="one_to_one")

"""Random assignment of faults to participants."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.cohort.faults.rates import fault_probabilities
from muscle_study.cohort.faults.scans import FIRST_SCAN
from muscle_study.cohort.scanner.scan import CONTRASTS
from muscle_study.protocol.faults import Fault, Problem
from muscle_study.protocol.muscles import SIDES

COLUMNS = ["participant_id", "fault", "detail"]

#: Pairs of contrasts with exchanged names; water and fat would be a swap.
MISTAKEN = ("in_phase+opposed_phase", "water+in_phase", "fat+opposed_phase")

#: Range of the uniformly distributed size of a cut or a movement (mm; our assumption).
LEAST_AND_MOST_MM: dict[Fault, tuple[float, float]] = {
    Fault.CUT_TOP: (60, 180),
    Fault.CUT_BOTTOM: (60, 180),
    Fault.CUT_SIDES: (15, 50),
    Fault.SEVERE_MOTION: (12, 25),
}


def draw_detail(fault: Fault, n_stations: int, rng: np.random.Generator) -> str:
    """Draw the detail of a fault, as described in `Fault.detail`; empty if the fault has none.

    `assign_faults` draws the donor of a duplicate scan, which depends on other participants.
    """
    match fault:
        case _ if fault in LEAST_AND_MOST_MM:
            return f"{rng.uniform(*LEAST_AND_MOST_MM[fault]):.0f}"
        case Fault.SWAP_STATION:
            return str(rng.integers(1, n_stations + 1))
        case Fault.SWAP_SIDE | Fault.IMPLANT_HIP:
            return str(rng.choice(SIDES))
        case Fault.FLIPPED_AFFINE:
            return str(rng.choice(["left-right", "head-feet"]))
        case Fault.MISLABELLED_CONTRAST:
            return str(rng.choice(MISTAKEN))
        case Fault.REPEAT_SCAN:
            return str(rng.choice(list(FIRST_SCAN)))
        case (
            Fault.MISSING_CONTRAST | Fault.EMPTY_FILE | Fault.TRUNCATED_FILE
            | Fault.NAN_VOXELS | Fault.WRONG_SHAPE
        ):  # fmt: skip
            return str(rng.choice(CONTRASTS))
    return ""


def assign_faults(
    participants: pd.DataFrame,
    annotated: Collection[str],
    parameters: FaultParameters,
    n_stations: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw each participant's fault, or none, independently of other participants.

    Parameters
    ----------
    participants
        Table with ``participant_id`` and ``bmi_kg_m2``; a rate is the mean over its rows.
    annotated
        Identifiers of participants with reference labels.
    parameters, n_stations
        Rates, and number of stations of a scan.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS` of the participants with a fault, in their order.

    Raises
    ------
    ValueError
        If a participant's probabilities exceed 1, or too few donors remain for duplicate scans.
    """
    ids = participants["participant_id"].to_numpy(dtype=str)
    probabilities = fault_probabilities(
        participants["bmi_kg_m2"].to_numpy(float), np.isin(ids, list(annotated)), parameters
    )
    # number of cumulative probabilities at or below the draw: if it is all of them, no fault
    kind = (rng.random(len(ids))[:, None] >= probabilities.cumsum(axis=1)).sum(axis=1)
    kinds = list(Fault)
    faulty = np.flatnonzero(kind < len(kinds))
    rows = [
        (ids[index], kinds[kind[index]], draw_detail(kinds[kind[index]], n_stations, rng))
        for index in faulty
    ]
    table = pd.DataFrame(rows, columns=COLUMNS, dtype=str)
    duplicates = table["fault"] == Fault.DUPLICATE_SCAN
    donors = ids[kind == len(kinds)]
    if duplicates.sum() > len(donors):
        raise ValueError(
            f"cohort.fault_rates.duplicate_scan: {duplicates.sum()} participants need another's "
            f"images, but only {len(donors)} have whole ones: lower the rates"
        )
    table.loc[duplicates, "detail"] = rng.choice(donors, duplicates.sum(), replace=False)
    return table


def problems(faults: pd.DataFrame) -> dict[str, Problem]:
    """Return the problem by participant from a table of `assign_faults`."""
    return {
        row.participant_id: Problem(Fault(row.fault), row.detail) for row in faults.itertuples()
    }

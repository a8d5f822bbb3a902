"""Probability of each fault for each participant."""

from dataclasses import dataclass

import numpy as np

from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.protocol.faults import Fault


@dataclass(frozen=True)
class BmiRule:
    """Relative risk of a fault at rising BMI knots: linear between, constant beyond them."""

    bmi_kg_m2: tuple[float, ...]
    relative_risk: tuple[float, ...]

    def at(self, bmi_kg_m2: np.ndarray) -> np.ndarray:
        """Return the relative risk at each BMI."""
        return np.interp(bmi_kg_m2, self.bmi_kg_m2, self.relative_risk)


#: Swaps are more frequent at very low and very high BMI, as in the UK Biobank; the figures are our
#: assumption.
SWAP_RULE = BmiRule((16, 20, 30, 45), (5, 1, 1, 8))

#: Faults whose risk depends on BMI: large bodies exceed the field of view, and heavy bodies need
#: hip prostheses earlier. The figures are our assumption.
BY_BMI: dict[Fault, BmiRule] = {
    Fault.SWAP_WHOLE: SWAP_RULE,
    Fault.SWAP_STATION: SWAP_RULE,
    Fault.SWAP_SIDE: SWAP_RULE,
    Fault.CUT_SIDES: BmiRule((25, 30, 35, 45), (0.02, 1, 4, 12)),
    Fault.IMPLANT_HIP: BmiRule((22, 40), (1, 3)),
}


def fault_probabilities(
    bmi_kg_m2: np.ndarray, annotated: np.ndarray, parameters: FaultParameters
) -> np.ndarray:
    """Return the probability of each fault, shape (n, faults), in the order of `Fault`.

    `bmi_kg_m2` and `annotated` (whether there are reference labels) have shape (n,). The mean of a
    column is the fault's rate; for `Fault.UNKNOWN_LABEL`, the mean among the annotated.

    Raises
    ------
    ValueError
        If a participant's probabilities exceed 1.
    """
    probabilities = np.empty((len(bmi_kg_m2), len(Fault)))
    for column, fault in zip(probabilities.T, Fault, strict=True):
        risk = BY_BMI[fault].at(bmi_kg_m2) if fault in BY_BMI else np.ones(len(bmi_kg_m2))
        column[:] = getattr(parameters, fault) * risk / risk.mean()
        if fault is Fault.UNKNOWN_LABEL:
            column[~annotated] = 0
    if (worst := probabilities.sum(axis=1).max()) > 1:
        raise ValueError(
            f"cohort.fault_rates: a participant's probabilities add up to {worst:.2f}: lower the "
            f"rates of {', '.join(BY_BMI)}, which rise with BMI"
        )
    return probabilities

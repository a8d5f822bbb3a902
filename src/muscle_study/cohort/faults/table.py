"""Faults of the participant table."""

import pandas as pd

from muscle_study.protocol.faults import Fault

#: Difference of a contradictory BMI.
CONTRADICTION_KG_M2 = 6.0


def break_table(participants: pd.DataFrame, faults: pd.DataFrame) -> pd.DataFrame:
    """Return the participant table with the faults of a table of `assign.assign_faults`."""
    fault = participants["participant_id"].map(faults.set_index("participant_id")["fault"])
    broken = participants.copy()
    broken["age_years"] = broken["age_years"].astype("Int64").mask(fault == Fault.MISSING_AGE)
    broken["bmi_kg_m2"] = broken["bmi_kg_m2"].mask(
        fault == Fault.BMI_CONTRADICTION, broken["bmi_kg_m2"] + CONTRADICTION_KG_M2
    )
    return pd.concat([broken, broken[fault == Fault.DUPLICATE_ID]], ignore_index=True)

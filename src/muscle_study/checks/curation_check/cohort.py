"""A synthetic cohort with a given number of faults of every kind."""

from dataclasses import replace

import numpy as np
import pandas as pd

from muscle_study.cohort.export import Drawn, draw_cohort
from muscle_study.cohort.faults.assign import COLUMNS, draw_detail
from muscle_study.cohort.faults.parameters import FaultParameters
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.protocol.faults import Fault


def check_parameters(run: CohortParameters, each: int, sound: int, seed: int) -> CohortParameters:
    """Return the parameters of a cohort of `sound` participants and `each` of every fault.

    Grid, stations and imperfections are the run's, with one sample per voxel, since the check does
    not need partial volume. Half of the participants are annotated.
    """
    people = sound + each * len(Fault)
    return run.model_copy(
        update={
            "n_population": people,
            "n_imaged": people,
            "n_annotated": people // 2,
            "n_checked": 2,
            "format": "nifti",
            "export_stations": False,
            "imaging": run.imaging.model_copy(update={"supersampling": [1, 1, 1]}),
            "fault_rates": FaultParameters(**dict.fromkeys(Fault, 0.0)),
            "randomised": run.randomised.model_copy(update={"n_images": 0}),
            "check_grids_mm": [],
            "seed": seed,
        }
    )


def draw_check_cohort(parameters: CohortParameters, each: int) -> Drawn:
    """Draw a cohort and assign every kind of fault to `each` of its participants at random.

    Raises
    ------
    ValueError
        If too few participants without a fault remain as donors for `Fault.DUPLICATE_SCAN`.
    """
    drawn = draw_cohort(parameters)
    rng = np.random.default_rng((parameters.seed, len(Fault)))
    # this fault needs reference labels
    last = rng.choice(sorted(drawn.annotated), each, replace=False).tolist()
    others = rng.permutation(sorted(set(drawn.imaged) - set(last))).tolist()
    kinds = [fault for fault in Fault if fault is not Fault.UNKNOWN_LABEL]
    sound = others[each * len(kinds) :]
    if len(sound) < each:
        raise ValueError(f"{len(sound)} sound participants cannot lend images to {each} others")
    donors = iter(sound)
    rows = [(name, Fault.UNKNOWN_LABEL, "") for name in last]
    for place, fault in enumerate(kinds):
        for name in others[each * place : each * (place + 1)]:
            if fault is Fault.DUPLICATE_SCAN:
                detail = next(donors)
            else:
                detail = draw_detail(fault, parameters.imaging.stations, rng)
            rows.append((name, fault, detail))
    faults = pd.DataFrame(rows, columns=COLUMNS, dtype=str).sort_values("participant_id")
    return replace(drawn, faults=faults.reset_index(drop=True))

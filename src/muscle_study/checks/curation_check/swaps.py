"""Measures of corrected scans compared with those of the same scans without the fault."""

from dataclasses import replace

import numpy as np
import pandas as pd

from muscle_study.cohort.export import Drawn, write_cohort
from muscle_study.cohort.parameters import CohortParameters
from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.stage import curate_cohort
from muscle_study.imaging.volumes import load
from muscle_study.mapping.parameters import ClusterParameters
from muscle_study.measurement.measures import measure
from muscle_study.measurement.voxels import LabelledVoxels
from muscle_study.protocol.faults import Fault
from muscle_study.protocol.outcomes import MEASURES
from muscle_study.protocol.paths import RunPaths, image_file

#: Faults that curation corrects in composed volumes and in single stations.
CORRECTED = {
    "composed": (Fault.SWAP_WHOLE, Fault.MISLABELLED_CONTRAST),
    "stations": (Fault.SWAP_WHOLE, Fault.SWAP_STATION, Fault.MISLABELLED_CONTRAST),
}
COLUMNS = ["extent", "fault", "participants", "righted", "largest_difference_percent"]


def compare_corrected(
    drawn: Drawn,
    each: int,
    cohort: CohortParameters,
    curation: CurationParameters,
    folder: str,
    cluster: ClusterParameters,
) -> pd.DataFrame:
    """Export participants with and without a fault, curate both, and compare their measures.

    Both are measured with the same label map, so that differences come from the images.

    Parameters
    ----------
    drawn
        Cohort with the faults.
    each
        Largest number of participants per fault.
    cohort, curation
        Parameters of the two stages.
    folder
        Name of the run for the files.
    cluster
        Workers.

    Returns
    -------
    pandas.DataFrame
        `COLUMNS`: number of participants with a correction, and the largest relative difference of
        their `MEASURES` from those of the scan without the fault.
    """
    rows = []
    for extent, kinds in CORRECTED.items():
        faults = drawn.faults[drawn.faults["fault"].isin(kinds)]
        faults = faults.groupby("fault", sort=False).head(each).reset_index(drop=True)
        people = sorted(faults["participant_id"])
        both = replace(drawn, imaged=people, annotated=set(people), faults=faults)
        sound = replace(both, faults=faults.head(0))
        measured, corrected = {}, set()
        for name, cohort_drawn in (("faulty", both), ("sound", sound)):
            paths = RunPaths(f"{folder}/{extent}_{name}")
            stations = cohort.model_copy(update={"export_stations": extent == "stations"})
            write_cohort(cohort_drawn, paths, stations, cluster)
            if extent == "stations":
                for composed in (paths.raw / "images").glob("*/*.nii.gz"):
                    composed.unlink()
            curated = curate_cohort(curation, paths, cluster)
            measured[name] = {
                row.participant_id: measures_of(paths, row.participant_id)
                for row in curated.participants.itertuples()
            }
            corrected |= set(curated.corrections["participant_id"])
        for fault in kinds:
            own = faults.loc[faults["fault"] == fault, "participant_id"]
            measurable = [name for name in own if name in measured["faulty"] and name in corrected]
            differences = [
                np.nanmax(abs(measured["faulty"][name] / measured["sound"][name] - 1))
                for name in measurable
            ]
            largest = 100 * max(differences, default=np.nan)
            rows.append((extent, str(fault), len(own), len(measurable), largest))
    return pd.DataFrame(rows, columns=COLUMNS)


def measures_of(paths: RunPaths, participant_id: str) -> np.ndarray:
    """Measure a curated participant with the reference labels, in the order of `MEASURES`."""
    images = paths.curated / "images" / participant_id
    labels = load(paths.curated / "labels" / f"{participant_id}.nii.gz")
    water, fat = (load(image_file(images, name)) for name in ("water", "fat"))
    measures, _ = measure(LabelledVoxels(labels), water, fat)
    return np.array([measures[name] for name in MEASURES])

"""The check: make the cohort, curate it, and compare the findings with the criteria."""

import time

import pandas as pd

from muscle_study.checks.curation_check.cohort import check_parameters, draw_check_cohort
from muscle_study.checks.curation_check.swaps import compare_corrected
from muscle_study.checks.publish import publish_check
from muscle_study.cohort.export import write_cohort
from muscle_study.curation.confusion import compare_with_faults
from muscle_study.curation.parameters import CurationParameters
from muscle_study.curation.stage import curate_cohort
from muscle_study.protocol.files import write_table
from muscle_study.protocol.findings import SOUND
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.numbers import Numbers
from muscle_study.publishing.result import Result
from muscle_study.running.parameters import StudyParameters
from muscle_study.statistics.analyses.sample.curation import confusion_table

#: Least sensitivity and specificity for each kind of fault.
LEAST_SENSITIVITY, LEAST_SPECIFICITY = 0.95, 0.98
#: Largest accepted difference of a measure in a corrected scan, per cent.
MOST_DIFFERENCE_PERCENT = 0.5

#: Participants measured per kind of corrected fault; few, as a correction is all or nothing.
COMPARED = 3


def own_export(parameters: CurationParameters, spacing_mm: list[float]) -> CurationParameters:
    """Return curation parameters for the check's export, on its own grid."""
    own = {
        "layout": "cohort",
        "source": None,
        "columns": {},
        "withdrawn": None,
        "pseudonym_key": None,
        "contrasts": ["water", "fat", "in_phase", "opposed_phase"],
        "spacing_mm": spacing_mm,
    }
    return parameters.model_copy(update=own)


def check_curation(
    run: str, parameters: StudyParameters, each: int, sound: int, seed: int
) -> list[str]:
    """Curate a cohort with `each` participants per kind of fault and `sound` without.

    Writes ``tables/curation_check.*`` and ``numbers/curation_check.json`` of the run, and
    ``righted.csv`` to ``data/<run>/curation_check``; prints both tables.

    Returns
    -------
    list of str
        Criteria that were not met, in words.
    """
    begun = time.monotonic()
    folder = f"{run}/curation_check"
    paths, cluster = RunPaths(folder), parameters.cluster
    cohort = check_parameters(parameters.cohort, each, sound, seed)
    curation = own_export(parameters.curation, cohort.imaging.spacing_mm)
    drawn = draw_check_cohort(cohort, each)
    write_cohort(drawn, paths, cohort, cluster)
    confusion = compare_with_faults(curate_cohort(curation, paths, cluster), paths)
    corrected = compare_corrected(drawn, COMPARED, cohort, curation, folder, cluster)
    write_table(corrected, paths.data / "righted.csv")
    publish_check(
        "curation_check",
        result_of(confusion, corrected, len(drawn.imaged), each),
        {"each": each, "sound": sound, "seed": seed},
        begun,
        RunPaths(run),
    )
    print(confusion.round(3).to_string(index=False))
    print(corrected.round(4).to_string(index=False))
    return missed(confusion, corrected)


def result_of(
    confusion: pd.DataFrame, corrected: pd.DataFrame, participants: int, each: int
) -> Result:
    """Return the table and numbers of the check for the manuscript."""
    caption = (
        f"What curation did about the faults of a synthetic cohort of {participants}, {each} of "
        "each kind. Synthetic cohort: no real people. "
    )
    numbers = Numbers()
    numbers.number("curation_check.participants", participants)
    numbers.number("curation_check.each", each)
    numbers.number("curation_check.sensitivity", confusion["sensitivity"].min(), 3)
    numbers.number("curation_check.specificity", confusion["specificity"].min(), 3)
    numbers.number("curation_check.compared", corrected["righted"].sum())
    largest = corrected["largest_difference_percent"].max()
    numbers.number("curation_check.difference", largest, 2, "%")
    return Result("curation_check", confusion_table(confusion, caption), numbers=numbers)


def missed(confusion: pd.DataFrame, corrected: pd.DataFrame) -> list[str]:
    """Describe the criteria that the two tables do not meet."""
    problems = []
    for row in confusion.to_dict("records"):
        if row["fault"] != SOUND and row["sensitivity"] < LEAST_SENSITIVITY:
            problems.append(
                f"{row['fault']}: sensitivity {row['sensitivity']:.3f} < {LEAST_SENSITIVITY}"
            )
        if row["specificity"] < LEAST_SPECIFICITY:
            problems.append(
                f"{row['fault']}: specificity {row['specificity']:.3f} < {LEAST_SPECIFICITY}"
            )
    for row in corrected.to_dict("records"):
        what = f"{row['fault']}, {row['extent']}"
        if row["righted"] < row["participants"]:
            problems.append(f"{what}: {row['righted']} of {row['participants']} corrected")
        elif not row["largest_difference_percent"] <= MOST_DIFFERENCE_PERCENT:
            problems.append(f"{what}: measures off by {row['largest_difference_percent']:.2f} %")
    return problems

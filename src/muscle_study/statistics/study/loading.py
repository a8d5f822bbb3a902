"""Reading a run's tables, once, into the analysis table."""

from collections.abc import Sequence

import pandas as pd

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.files import read_json, read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.models import check_data
from muscle_study.statistics.study.participants import read_exclusions, read_flow
from muscle_study.statistics.study.study import Study, groupings_of

#: Least age of the described; the paper's cohort is of adults.
ADULT_YEARS = 18

DEMOGRAPHICS = [covariate.name for covariate in BUILT_IN if covariate.kind == "continuous"]


def analysis_table(
    curated: pd.DataFrame,
    measures: pd.DataFrame,
    simulated: pd.DataFrame | None,
    parameters: StatisticsParameters,
    covariates: Sequence[Covariate] = (),
) -> pd.DataFrame:
    """Join measures to participants; keep adults whose sex, age, height and weight are known.

    Parameters
    ----------
    curated, measures
        Tables of the imaged participants.
    simulated
        Covariates and simulated measures of the others; ``None`` in a run without.
    parameters
        Parameters of the groups.
    covariates
        Declared covariates; those with levels become categorical, in the order of their levels.

    Returns
    -------
    pandas.DataFrame
        Covariates, measures, a column for each grouping, and ``source``: imaged or simulated.

    Raises
    ------
    ValueError
        If a measured participant is unknown to curation.
    """
    strangers = set(measures["participant_id"]) - set(curated["participant_id"])
    if strangers:
        raise ValueError(
            f"measures.csv holds {len(strangers)} participants that curated/participants.csv "
            "lacks: run the notebooks from 01_curation on again"
        )
    people = curated.merge(measures, on="participant_id", validate="one_to_one")
    people = people.assign(source="imaged")
    if simulated is not None:
        people = pd.concat([people, simulated.assign(source="simulated")], ignore_index=True)
    known = people["sex"].isin(list(SEXES)) & people[DEMOGRAPHICS].notna().all(axis=1)
    people = people[known & (people["age_years"] >= ADULT_YEARS)].reset_index(drop=True)
    for covariate in covariates:
        if covariate.levels:
            people[covariate.name] = pd.Categorical(people[covariate.name], covariate.level_names)
    for grouping in groupings_of(parameters).values():
        people[grouping.name] = grouping.assign(people[grouping.variable])
    return people


def load_study(
    paths: RunPaths, parameters: StatisticsParameters, covariates: Sequence[Covariate] = ()
) -> Study:
    """Read a run's tables, and check that the declared models can be fitted.

    Parameters
    ----------
    paths, parameters
        The run's folders, and the parameters of the statistics.
    covariates
        Declared covariates, beside the built-in ones.

    Raises
    ------
    FileNotFoundError
        Naming the table that an earlier stage has not written.
    RuntimeError
        If participants do not add up from stage to stage.
    ValueError
        Naming the key of a model that the run's participants do not allow.
    """
    curated = read_table(paths.curated / "participants.csv")
    measures = read_table(paths.measurements / "measures.csv")
    simulated = paths.measurements / "simulated.csv"
    exclusions = read_exclusions(paths)
    study = Study(
        run=paths.run,
        paths=paths,
        parameters=parameters,
        source=read_json(paths.curated / "source.json"),
        segmentation=read_json(paths.segmentations / "source.json"),
        curated=curated,
        measures=measures,
        everyone=analysis_table(
            curated,
            measures,
            read_table(simulated) if simulated.exists() else None,
            parameters,
            covariates,
        ),
        flow=read_flow(paths, exclusions, len(curated), len(measures)),
        exclusions=exclusions,
        covariates=tuple(covariates),
    )
    check_data(study)
    return study

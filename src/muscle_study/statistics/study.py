"""What the statistics read: one analysis table, and what a reader must know about the run."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from muscle_study.files import read_json, read_table
from muscle_study.paths import RunPaths
from muscle_study.statistics.groups import Grouping, bmi_split, count_groups
from muscle_study.statistics.measures import SEXES
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.participants import (
    Flow,
    hidden_population,
    population_counts,
    read_exclusions,
    read_flow,
)

#: Younger participants are measured but not described: the paper's cohort is of adults.
ADULT_YEARS = 18

DEMOGRAPHICS = ["age_years", "height_cm", "weight_kg", "bmi_kg_m2"]


@dataclass(frozen=True)
class Study:
    """A run's tables, read once.

    Parameters
    ----------
    run
        Name of the run.
    paths
        Its folders.
    parameters
        Groups, confidence and threshold.
    source
        Curation's ``source.json``.
    curated
        Participants that curation kept.
    measures
        Measurement's table.
    people
        The analysis table: measured adults with sex, age, height and weight.
    flow
        Steps from the source to the measured.
    exclusions
        Every exclusion of every stage.
    """

    run: str
    paths: RunPaths
    parameters: StatisticsParameters
    source: dict
    curated: pd.DataFrame
    measures: pd.DataFrame
    people: pd.DataFrame
    flow: Flow
    exclusions: pd.DataFrame

    @property
    def synthetic(self) -> bool:
        """Whether the participants are made up."""
        return self.source["synthetic"]

    @property
    def psoas(self) -> str:
        """The muscle that the reference labels show: psoas major or iliopsoas."""
        return self.source["psoas_label"]

    @property
    def min_count(self) -> int:
        """Smaller counts are not shown."""
        return self.parameters.min_cell_count

    @property
    def groupings(self) -> dict[str, Grouping]:
        """Age groups, BMI groups and the split at 25 kg/m², by the column that holds them."""
        return groupings_of(self.parameters)

    @property
    def unused(self) -> int:
        """Measured participants that the statistics leave out: no demographics, or no adults."""
        return len(self.measures) - len(self.people)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The study's counts of participants, by name."""
        return population_counts(self.flow, self.people, self.unused)

    @cached_property
    def hidden(self) -> set[str]:
        """Names of the counts that may not be shown."""
        return hidden_population(self.flow, self.people, self.unused, self.min_count)

    @property
    def hidden_sexes(self) -> set[str]:
        """Sexes that are too few to be described."""
        return {sex for sex, word in SEXES.items() if word.lower() in self.hidden}

    @cached_property
    def group_counts(self) -> pd.DataFrame:
        """Participants by sex and group of age and of BMI, see `count_groups`."""
        age, bmi, split = self.groupings.values()
        return pd.concat(
            [
                count_groups(self.people, groupings, self.min_count, self.hidden_sexes)
                for groupings in ([age], [bmi, split])
            ],
            ignore_index=True,
        )

    def groups_of(self, grouping: str, sex: str) -> pd.DataFrame:
        """Return ``group``, ``n`` and ``hidden`` of a sex's groups, in order."""
        counts = self.group_counts
        return counts[(counts["grouping"] == grouping) & (counts["sex"] == sex)]

    def of_sex(self, sex: str) -> pd.DataFrame:
        """Return the analysis table of one sex."""
        return self.people[self.people["sex"] == sex]

    @property
    def origin(self) -> str:
        """The sentence that every caption of a synthetic run ends with."""
        return " Synthetic cohort: no real people." if self.synthetic else ""


def groupings_of(parameters: StatisticsParameters) -> dict[str, Grouping]:
    """Return the groupings that the parameters describe."""
    age = Grouping("age_group", "age_years", tuple(parameters.age_group_edges_years), 1)
    bmi = Grouping("bmi_group", "bmi_kg_m2", tuple(parameters.bmi_group_edges_kg_m2), 0.1)
    return {grouping.name: grouping for grouping in (age, bmi, bmi_split())}


def analysis_table(
    curated: pd.DataFrame, measures: pd.DataFrame, parameters: StatisticsParameters
) -> pd.DataFrame:
    """Join measures to participants; keep adults whose sex, age, height and weight are known.

    Raises
    ------
    ValueError
        If someone was measured whom curation does not know.
    """
    strangers = set(measures["participant_id"]) - set(curated["participant_id"])
    if strangers:
        raise ValueError(
            f"measures.csv holds {len(strangers)} participants that curated/participants.csv "
            "lacks: run the notebooks from 01_curation on again"
        )
    people = curated.merge(measures, on="participant_id", validate="one_to_one")
    known = people["sex"].isin(list(SEXES)) & people[DEMOGRAPHICS].notna().all(axis=1)
    people = people[known & (people["age_years"] >= ADULT_YEARS)].reset_index(drop=True)
    for grouping in groupings_of(parameters).values():
        people[grouping.name] = grouping.assign(people[grouping.variable])
    return people


def load_study(paths: RunPaths, parameters: StatisticsParameters) -> Study:
    """Read a run's tables.

    Raises
    ------
    FileNotFoundError
        Naming the table that an earlier stage has not written.
    RuntimeError
        If participants do not add up from stage to stage.
    """
    curated = read_table(paths.curated / "participants.csv")
    measures = read_table(paths.measurements / "measures.csv")
    exclusions = read_exclusions(paths)
    return Study(
        run=paths.run,
        paths=paths,
        parameters=parameters,
        source=read_json(paths.curated / "source.json"),
        curated=curated,
        measures=measures,
        people=analysis_table(curated, measures, parameters),
        flow=read_flow(paths, exclusions, len(curated), len(measures)),
        exclusions=exclusions,
    )

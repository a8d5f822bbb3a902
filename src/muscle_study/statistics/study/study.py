"""The study as read by the statistics: analysis table and properties of the run."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeVar

import numpy as np
import pandas as pd

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.study.groups import Grouping, bmi_split, count_groups
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.participants import Flow, hidden_population, population_counts

Found = TypeVar("Found")


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
    segmentation
        ``source.json`` of inference: origin of the label maps.
    curated
        Participants that curation kept.
    measures
        Measurement's table, of the imaged.
    everyone
        The analysis table: adults with sex, age, height and weight; ``source`` says whether their
        measures are of images (``imaged``) or ``simulated``. Only synthetic runs have the latter.
    flow
        Steps from the source to the measured.
    exclusions
        Every exclusion of every stage.
    covariates
        Declared covariates, beside the built-in ones.
    sample
        Sample that `people` holds.
    """

    run: str
    paths: RunPaths
    parameters: StatisticsParameters
    source: dict
    segmentation: dict
    curated: pd.DataFrame
    measures: pd.DataFrame
    everyone: pd.DataFrame
    flow: Flow
    exclusions: pd.DataFrame
    covariates: tuple[Covariate, ...] = ()
    sample: Literal["all", "imaged"] = "all"
    _found: dict[Callable, object] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    def once(self, estimate: "Callable[[Study], Found]") -> "Found":
        """Return ``estimate(self)``, computed once for all analyses."""
        if estimate not in self._found:
            self._found[estimate] = estimate(self)
        return self._found[estimate]

    @cached_property
    def known(self) -> dict[str, Covariate]:
        """Built-in and declared covariates, by name."""
        return {covariate.name: covariate for covariate in (*BUILT_IN, *self.covariates)}

    @property
    def synthetic(self) -> bool:
        """Whether the participants are synthetic."""
        return self.source["synthetic"]

    @property
    def psoas(self) -> str:
        """Muscle measured as psoas: psoas major or iliopsoas."""
        return self.segmentation["psoas_label"]

    @property
    def segmenter(self) -> str:
        """Origin of the measured label maps, e.g. ``the network``."""
        return self.segmentation["segmenter"]

    @property
    def stand_in(self) -> str:
        """Caption note on a psoas label that differs from the reference labels'."""
        reference = self.source["psoas_label"]
        if self.psoas == reference:
            return ""
        return f" The {self.psoas} of {self.segmenter} stands in for the {reference} here."

    @property
    def min_count(self) -> int:
        """Smallest count that is shown."""
        return self.parameters.min_cell_count

    @property
    def groupings(self) -> dict[str, Grouping]:
        """Age groups, BMI groups and the split at 25 kg/m², by the column that holds them."""
        return groupings_of(self.parameters)

    @cached_property
    def people(self) -> pd.DataFrame:
        """The analysis table of the sample."""
        if self.sample == "all":
            return self.everyone
        return self.everyone[self.everyone["source"] == "imaged"].reset_index(drop=True)

    @cached_property
    def imaged(self) -> "Study":
        """The same study restricted to imaged participants."""
        return replace(self, sample="imaged")

    @property
    def has_simulated(self) -> bool:
        """Whether some participants' measures are simulated."""
        return (self.everyone["source"] == "simulated").any()

    @property
    def unused(self) -> int:
        """Measured participants left out: minors, or without demographics."""
        return len(self.measures) - len(self.imaged.people)

    @cached_property
    def counts(self) -> dict[str, int]:
        """The study's counts of participants, by name."""
        return population_counts(self.flow, self.everyone, self.unused)

    @cached_property
    def hidden(self) -> set[str]:
        """Names of the counts that may not be shown."""
        return hidden_population(self.flow, self.everyone, self.unused, self.min_count)

    @property
    def hidden_sexes(self) -> set[str]:
        """Sexes with too few participants to be described."""
        prefix = "imaged_" if self.sample == "imaged" else ""
        return {sex for sex, word in SEXES.items() if prefix + word.lower() in self.hidden}

    def shown(self, name: str) -> str:
        """Return one of the `counts` as it is printed."""
        return MARK if name in self.hidden else format_number(self.rounded(self.counts[name]))

    def rounded(self, n: float) -> float:
        """Return a count rounded for display to a multiple of ``round_counts_to``.

        Halves go up; NaN stays. The threshold is applied to the count itself, before.
        """
        step = self.parameters.round_counts_to
        return n if step == 1 else step * np.floor(n / step + 0.5)

    @property
    def sizes(self) -> str:
        """Sample size by sex, e.g. ``men n = 60, women n = 50``."""
        prefix = "imaged_" if self.sample == "imaged" else ""
        words = [word.lower() for word in SEXES.values()]
        by_sex = ", ".join(f"{word} n = {self.shown(prefix + word)}" for word in words)
        if self.sample == "imaged" or not self.has_simulated:
            return by_sex
        return (
            f"{by_sex}; imaged n = {self.shown('imaged')}, simulated n = {self.shown('simulated')}"
        )

    @property
    def imaged_only(self) -> str:
        """Caption note: imaged participants only."""
        return " Imaged participants only." if self.has_simulated else ""

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

    def shown_of_sex(self, sex: str) -> pd.DataFrame:
        """Return the analysis table of one sex; no rows if the sex has too few to be described."""
        people = self.of_sex(sex)
        return people.iloc[:0] if sex in self.hidden_sexes else people

    @property
    def ci(self) -> str:
        """Words before an interval in the text, e.g. ``95 % CI``, with a space behind."""
        return f"{format_number(100 * self.parameters.confidence, 0, '%')} CI "

    @property
    def origin(self) -> str:
        """Caption note of synthetic runs."""
        return " Synthetic cohort: no real people." if self.synthetic else ""


def groupings_of(parameters: StatisticsParameters) -> dict[str, Grouping]:
    """Return the groupings that the parameters describe."""
    age = Grouping("age_group", "age_years", tuple(parameters.age_group_edges_years), 1)
    bmi = Grouping("bmi_group", "bmi_kg_m2", tuple(parameters.bmi_group_edges_kg_m2), 0.1)
    return {grouping.name: grouping for grouping in (age, bmi, bmi_split())}

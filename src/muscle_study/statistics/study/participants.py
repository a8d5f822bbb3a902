"""Flow of participants from source to analysis, with small counts suppressed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from muscle_study.protocol.exclusions import Reason, check_conserved
from muscle_study.protocol.files import read_table
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.disclosure import pool_small, protect
from muscle_study.statistics.study.measures import SEXES

#: What the flow chart calls the participants that a stage keeps.
KEPT_BY = {"inference": "segmented", "measurement": "measured"}


@dataclass(frozen=True)
class Step:
    """A step of the flow.

    Parameters
    ----------
    name
        Name of the participants that are left, e.g. ``segmented``.
    participants
        Number of participants that are left.
    reasons
        Number excluded at this step by reason code.
    """

    name: str
    participants: int
    reasons: dict[str, int]

    @property
    def excluded(self) -> int:
        """Number excluded at this step."""
        return sum(self.reasons.values())


@dataclass(frozen=True)
class Flow:
    """Number of the source's participants, and the steps of the study."""

    source: int
    steps: tuple[Step, ...]

    @property
    def curated(self) -> int:
        """Number of participants after curation."""
        return self.steps[0].participants

    @property
    def measured(self) -> int:
        """Number of measured participants."""
        return self.steps[-1].participants


def read_exclusions(paths: RunPaths) -> pd.DataFrame:
    """Return the exclusions of curation, inference and measurement in one table."""
    folders = (paths.curated, paths.segmentations, paths.measurements)
    return pd.concat(
        [read_table(folder / "exclusions.csv").astype(str) for folder in folders],
        ignore_index=True,
    )


def read_flow(paths: RunPaths, exclusions: pd.DataFrame, curated: int, measured: int) -> Flow:
    """Count participants step by step.

    Parameters
    ----------
    paths
        The run's folders; ``flow.csv`` holds the number of the source.
    exclusions
        Exclusions of every stage.
    curated, measured
        Number of rows in the tables of the two stages.

    Raises
    ------
    RuntimeError
        If participants do not add up.
    """
    table = read_table(paths.curated / "flow.csv")
    source = int(table["participants"].iloc[0] + table["excluded"].iloc[0])
    by_stage = {
        stage: {str(reason): int(n) for reason, n in rows["reason"].value_counts().items()}
        for stage, rows in exclusions.groupby("stage")
    }
    check_conserved("curation", source, curated, sum(by_stage.get("curation", {}).values()))
    steps = [Step("curated", curated, by_stage.get("curation", {}))]
    for stage, kept in KEPT_BY.items():
        reasons = by_stage.get(stage, {})
        steps.append(Step(kept, steps[-1].participants - sum(reasons.values()), reasons))
    check_conserved(
        "inference and measurement", curated, measured, curated - steps[-1].participants
    )
    return Flow(source, tuple(steps))


def shown_steps(flow: Flow, min_count: int) -> list[Step]:
    """Merge neighbouring steps until none excludes 1 to ``min_count - 1`` participants.

    A single remaining step may still be small; its count must be hidden.
    """
    steps: list[Step] = []
    for step in flow.steps:
        if steps and (0 < steps[-1].excluded < min_count or 0 < step.excluded < min_count):
            step = _merge(steps.pop(), step)
        steps.append(step)
    # a merged step can still be too small for the one before it
    while len(steps) > 1 and 0 < steps[-1].excluded < min_count:
        later = steps.pop()
        steps.append(_merge(steps.pop(), later))
    return steps


def _merge(earlier: Step, later: Step) -> Step:
    reasons = dict(earlier.reasons)
    for reason, n in later.reasons.items():
        reasons[reason] = reasons.get(reason, 0) + n
    return Step(later.name, later.participants, reasons)


def pooled_reasons(reasons: dict[str, int], min_count: int) -> list[tuple[str, int]]:
    """Return the texts of reasons with their counts; small ones are pooled."""
    return [
        ("; ".join(Reason(name).text for name in names), n)
        for names, n in pool_small(reasons, min_count)
    ]


def population_counts(flow: Flow, people: pd.DataFrame, unused: int) -> dict[str, int]:
    """Return the study's counts by name.

    Parameters
    ----------
    flow
        Flow of the imaged participants.
    people
        Described participants: ``sex`` and ``source``.
    unused
        Number of measured participants who are not described.

    Returns
    -------
    dict
        Counts of the flow: ``source``, ``curated``, ``measured``, ``excluded``, ``unused``; and of
        the described: ``men``, ``women``, ``imaged``, ``imaged_men``, ``imaged_women``,
        ``simulated``.
    """
    counts = people.groupby(["sex", "source"]).size()
    imaged, simulated = (
        {word.lower(): int(counts.get((sex, source), 0)) for sex, word in SEXES.items()}
        for source in ("imaged", "simulated")
    )
    return {
        "source": flow.source,
        "curated": flow.curated,
        "measured": flow.measured,
        "excluded": flow.source - flow.measured,
        "unused": unused,
        **{word: n + simulated[word] for word, n in imaged.items()},
        **{f"imaged_{word}": n for word, n in imaged.items()},
        "imaged": sum(imaged.values()),
        "simulated": sum(simulated.values()),
    }


#: Cells that each count of participants adds up.
_PARTS = {
    "men": ["imaged_men", "simulated_men"],
    "women": ["imaged_women", "simulated_women"],
    "measured": ["imaged_men", "imaged_women", "unused"],
    "imaged_men": ["imaged_men"],
    "imaged_women": ["imaged_women"],
    "imaged": ["imaged_men", "imaged_women"],
    "simulated": ["simulated_men", "simulated_women"],
    "unused": ["unused"],
    "excluded": ["excluded"],
    "source": ["imaged_men", "imaged_women", "unused", "excluded"],
}


def hidden_population(flow: Flow, people: pd.DataFrame, unused: int, min_count: int) -> set[str]:
    """Return the names of the counts to hide, so that differences expose no small group.

    Zero is shown, except for a sex: "nobody was excluded" discloses nothing about a person.
    """
    counts = population_counts(flow, people, unused)
    cells = {name: counts[name] for name in ("imaged_men", "imaged_women", "unused", "excluded")}
    for word in ("men", "women"):
        cells[f"simulated_{word}"] = counts[word] - counts[f"imaged_{word}"]
    cells = {name: n for name, n in cells.items() if n}
    names = [name for name in _PARTS if counts[name]]
    sums = np.array([[float(cell in _PARTS[name]) for cell in cells] for name in names])
    # described participants first, source last: the order of the names
    order = np.arange(len(names))
    hide = protect(
        np.array(list(cells.values())), sums.reshape(len(names), len(cells)), min_count, order=order
    )
    hidden = {name for name, is_hidden in zip(names, hide, strict=True) if is_hidden}
    hidden |= {name for name in _PARTS if name.endswith("men") and not counts[name]}
    if "curated" not in {step.name for step in shown_steps(flow, min_count)}:
        hidden.add("curated")
    return hidden

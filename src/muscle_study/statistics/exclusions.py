"""Exclusions by reason, and by sex and BMI: the danger that they depend on the exposure."""

import numpy as np
import pandas as pd
from scipy import stats

from muscle_study.disclosure import MARK, protect
from muscle_study.exclusions import Reason
from muscle_study.files import read_table
from muscle_study.numbers import format_number, format_p
from muscle_study.statistics.measures import SEXES
from muscle_study.statistics.participants import pooled_reasons, shown_steps
from muscle_study.statistics.study import Study
from muscle_study.statistics.table import Table, count, suppression_note

#: Whoever leaves for these has a record whose sex or BMI cannot be relied on.
UNRELIABLE_RECORD = {
    Reason.DUPLICATE_ID,
    Reason.MISSING_COVARIATE,
    Reason.IMPLAUSIBLE_VALUE,
    Reason.BMI_CONTRADICTION,
}


#: Row of the excluded whose sex and BMI are not known.
UNKNOWN = "Sex and BMI not known"


def excluded_people(study: Study) -> pd.DataFrame:
    """Return sex and BMI of the excluded whose record can be relied on.

    Those whom curation kept are in its table; the others are looked up in the cohort's own
    table, where the run has one.
    """
    known = [study.curated]
    raw = study.paths.raw / "participants.csv"
    if study.source["layout"] == "cohort" and raw.exists():
        known.append(read_table(raw))
    people = pd.concat(known).drop_duplicates("participant_id")
    reliable = study.exclusions[~study.exclusions["reason"].isin(list(UNRELIABLE_RECORD))]
    people = people[people["participant_id"].isin(reliable["participant_id"])]
    usable = people["sex"].isin(list(SEXES)) & people["bmi_kg_m2"].notna()
    return people.loc[usable, ["sex", "bmi_kg_m2"]].reset_index(drop=True)


def exclusions_by_group(study: Study) -> pd.DataFrame:
    """Count measured and excluded by sex, and by BMI group.

    Returns
    -------
    pandas.DataFrame
        ``group``, ``measured``, ``excluded``; NaN where a count may not be shown. The last row
        is of the excluded whose sex and BMI are not known.
    """
    grouping = study.groupings["bmi_group"]
    statuses = {"measured": study.imaged.people, "excluded": excluded_people(study)}
    cells = np.array(
        [
            [
                [
                    ((people["sex"] == sex) & (grouping.assign(people["bmi_kg_m2"]) == label)).sum()
                    for people in statuses.values()
                ]
                for label in grouping.labels
            ]
            for sex in SEXES
        ]
    )
    unknown = study.counts["excluded"] - cells[..., 1].sum()

    def pick(sex=slice(None), group=slice(None), status=slice(None)) -> np.ndarray:
        chosen = np.zeros(cells.shape)
        chosen[sex, group, status] = 1
        return np.append(chosen.ravel(), 0)

    kinds = [({"sex": i}, word) for i, word in enumerate(SEXES.values())]
    kinds += [({"group": i}, f"BMI {label} kg/m²") for i, label in enumerate(grouping.labels)]
    ours = [pick(**kind, status=status) for kind, _ in kinds for status in range(2)]
    lost = pick(status=1)
    lost[-1] = 1  # all who were excluded, the unknown among them
    only_unknown = np.eye(cells.size + 1)[-1]
    elsewhere, fixed = _shown_elsewhere(study, pick)
    sums = np.array([*ours, only_unknown, lost, *elsewhere])
    is_fixed = np.array([False] * (len(ours) + 1) + ["excluded" not in study.hidden] + fixed)
    counts = np.append(cells.ravel(), unknown)
    # that nobody was excluded says nothing about anybody: such zeros need no protection
    judged = np.full(len(sums), True) if study.counts["excluded"] else sums @ lost == 0
    hidden = np.zeros(len(sums), bool)
    hidden[judged] = protect(counts, sums[judged], study.min_count, is_fixed[judged])
    shown = np.where(hidden, np.nan, sums @ counts)
    table = pd.DataFrame(shown[: len(ours)].reshape(-1, 2), columns=list(statuses))
    table.insert(0, "group", [name for _, name in kinds])
    table.loc[len(table)] = [UNKNOWN, np.nan, shown[len(ours)]]
    return table


def _shown_elsewhere(study: Study, pick) -> tuple[list[np.ndarray], list[bool]]:
    """Return the sums that the population table shows, and the small ones that it must not."""
    sums = [pick(sex=i, status=0) for i in range(len(SEXES))]
    fixed = [sex not in study.imaged.hidden_sexes for sex in SEXES]
    if study.has_simulated:  # the population table's groups count these too, and tell nothing
        return sums, fixed
    for i, sex in enumerate(SEXES):
        for j, group in enumerate(study.groups_of("bmi_group", sex).itertuples()):
            if not group.hidden or group.n < study.min_count:
                sums.append(pick(sex=i, group=j, status=0))
                fixed.append(not group.hidden)
    return sums, fixed


def exclusion_tests(study: Study) -> dict[str, float]:
    """Test by Fisher's exact test whether exclusion depends on sex, or on BMI from 25 kg/m² on.

    Returns
    -------
    dict
        p by ``sex`` and ``bmi``; empty for too few excluded.
    """
    excluded = excluded_people(study)
    if len(excluded) < study.min_count or study.imaged.people.empty:
        return {}
    split = study.groupings["bmi_split"]
    high = split.labels[1]

    def p_value(trait) -> float:
        pairs = [
            [int(trait(people).sum()), int((~trait(people)).sum())]
            for people in (excluded, study.imaged.people)
        ]
        return float(stats.fisher_exact(pairs).pvalue)

    return {
        "sex": p_value(lambda people: people["sex"] == "male"),
        "bmi": p_value(lambda people: split.assign(people["bmi_kg_m2"]) == high),
    }


def by_reason(study: Study) -> pd.DataFrame:
    """Return ``step``, ``group`` (the reason) and ``excluded``; small counts are pooled."""
    hidden = "excluded" in study.hidden
    rows = [
        {"step": step.name, "group": reason, "excluded": np.nan if hidden else n}
        for step in shown_steps(study.flow, study.min_count)
        for reason, n in pooled_reasons(step.reasons, study.min_count)
    ]
    return pd.DataFrame(rows, columns=["step", "group", "excluded"])


def exclusions_table(study: Study) -> Table:
    """Return the exclusions by step and reason, then by sex and BMI group."""
    groups = exclusions_by_group(study)
    shown = ["measured", "excluded"]
    groups[shown] = study.rounded(groups[shown])
    groups["excluded_percent"] = (
        100 * groups["excluded"] / (groups["measured"] + groups["excluded"])
    )
    reasons = by_reason(study)
    reasons["excluded"] = study.rounded(reasons["excluded"])
    data = pd.concat([reasons.assign(by="reason"), groups.assign(by="group")])
    text = [
        {
            "Excluded": f"Before being {row.step}: {row.group}",
            "Measured, n": "",
            "Excluded, n": _count(row.excluded),
            "Excluded, %": "",
        }
        for row in reasons.itertuples()
    ] + [
        {
            "Excluded": row.group,
            "Measured, n": "" if row.group == UNKNOWN else _count(row.measured),
            "Excluded, n": _count(row.excluded),
            "Excluded, %": ""
            if row.group == UNKNOWN
            else MARK
            if pd.isna(row.excluded_percent)
            else format_number(row.excluded_percent, 1),
        }
        for row in groups.itertuples()
    ]
    caption = (
        "Exclusions by step and reason (reasons and steps of fewer than "
        f"{study.min_count} participants are pooled), and by sex and by BMI group: an exclusion "
        "that depends on BMI would bias what is reported of BMI. Not known: the record itself was "
        "the reason, or the source's table is not at hand."
        + _tested(study)
        + study.imaged_only
        + suppression_note(pd.DataFrame(text), study.min_count)
        + study.origin
    )
    return Table(
        "exclusions",
        data[["by", "step", "group", "measured", "excluded", "excluded_percent"]],
        pd.DataFrame(text),
        caption,
    )


def _count(n: float) -> str:
    return count(n, pd.isna(n))


def _tested(study: Study) -> str:
    tests = exclusion_tests(study)
    if not tests:
        return " Too few were excluded to test whether exclusion depends on sex or BMI."
    return (
        f" Fisher's exact test of whether exclusion depends on sex: p-value "
        f"{format_p(tests['sex'])}; on BMI ≥25 kg/m²: p-value {format_p(tests['bmi'])}."
    )

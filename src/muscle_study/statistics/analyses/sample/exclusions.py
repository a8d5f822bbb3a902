"""Exclusions by reason, and by sex, age and BMI, on which they must not depend."""

import numpy as np
import pandas as pd

from muscle_study.protocol.files import read_table
from muscle_study.publishing.disclosure import MARK, protect
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, count, estimate, suppression_note
from muscle_study.statistics.analyses.sample.exclusion_dependence import dependence_p, odds_ratio_of
from muscle_study.statistics.study.loading import ADULT_YEARS
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.participants import pooled_reasons, shown_steps
from muscle_study.statistics.study.study import Study

#: Row of the excluded with an unknown group.
UNKNOWN = "Sex, age or BMI not known, or not adult"

#: Traits on which exclusion may depend, by column, with their names in captions.
TRAITS = {"sex": "sex", "age_group": "age group", "bmi_group": "BMI group"}


def excluded_people(study: Study) -> pd.DataFrame:
    """Return sex, age and BMI of the excluded adults for whom all three are known.

    Exclusions for images, by a reviewer or after curation count; those for the record itself or for
    withdrawn consent do not.
    """
    late = study.curated[study.curated["participant_id"].isin(study.exclusions["participant_id"])]
    people = pd.concat([read_table(study.paths.curated / "excluded_people.csv"), late])
    people = people[["sex", "age_years", "bmi_kg_m2"]]
    usable = people["sex"].isin(list(SEXES)) & (people["age_years"] >= ADULT_YEARS)
    return people[usable & people["bmi_kg_m2"].notna()].reset_index(drop=True)


def group_labels(study: Study) -> dict[str, dict[str, str]]:
    """Return the groups of each of `TRAITS`, as coded and as printed."""
    ages, bmis = study.groupings["age_group"].labels, study.groupings["bmi_group"].labels
    return {
        "sex": dict(SEXES),
        "age_group": {label: f"{label} years" for label in ages},
        "bmi_group": {label: f"BMI {label} kg/m²" for label in bmis},
    }


def exclusions_by_group(study: Study) -> pd.DataFrame:
    """Count measured and excluded by sex, by age group and by BMI group.

    Returns
    -------
    pandas.DataFrame
        ``trait``, ``group``, ``measured``, ``excluded``, NaN for suppressed counts; ``odds_ratio``
        of exclusion against all other groups with ``low`` and ``high``, where all counts behind it
        are shown. The last row holds the excluded without a group.
    """
    cells = _cells(study)
    labels = group_labels(study)
    unknown = study.counts["excluded"] - cells[..., 1].sum()

    def pick(status=slice(None), **groups: int) -> np.ndarray:
        """Return the cells that sum to a count."""
        chosen = np.zeros(cells.shape)
        place = tuple(groups.get(trait, slice(None)) for trait in TRAITS)
        chosen[(*place, status)] = 1
        return np.append(chosen.ravel(), 0)

    rows = [(trait, i) for trait in TRAITS for i in range(len(labels[trait]))]
    ours = [pick(status=status, **{trait: i}) for trait, i in rows for status in range(2)]
    lost = pick(status=1)
    lost[-1] = 1  # all who were excluded, the unknown among them
    only_unknown = np.eye(cells.size + 1)[-1]
    elsewhere, fixed = _shown_elsewhere(study, pick)
    sums = np.array([*ours, only_unknown, lost, *elsewhere])
    is_fixed = np.array([False] * (len(ours) + 1) + ["excluded" not in study.hidden] + fixed)
    counts = np.append(cells.ravel(), unknown)
    # without exclusions the zeros disclose nothing and need no protection
    judged = np.full(len(sums), True) if study.counts["excluded"] else sums @ lost == 0
    hidden = np.zeros(len(sums), bool)
    hidden[judged] = protect(counts, sums[judged], study.min_count, is_fixed[judged])
    shown = np.where(hidden, np.nan, sums @ counts)
    table = pd.DataFrame(shown[: len(ours)].reshape(-1, 2), columns=["measured", "excluded"])
    table.insert(0, "trait", [trait for trait, _ in rows])
    table.insert(1, "group", [list(labels[trait].values())[i] for trait, i in rows])
    table[["odds_ratio", "low", "high"]] = np.nan
    totals_shown = not ({"excluded", "measured"} & study.hidden or hidden[len(ours)])
    for trait in TRAITS:
        _add_odds_ratios(study, table, trait, cells, totals_shown)
    last = {"group": UNKNOWN, "excluded": shown[len(ours)]}
    return pd.concat([table, pd.DataFrame([last])], ignore_index=True)


def _cells(study: Study) -> np.ndarray:
    """Count people by sex, age group, BMI group and exclusion (0 measured, 1 excluded)."""
    labels = group_labels(study)
    counts = []
    for people in (study.imaged.people, excluded_people(study)):
        codes = [
            pd.Categorical(groups, categories=list(labels[trait])).codes
            for trait, groups in _groups_of(study, people).items()
        ]
        of_status = np.zeros([len(labels[trait]) for trait in TRAITS], int)
        np.add.at(of_status, tuple(codes), 1)
        counts.append(of_status)
    return np.stack(counts, axis=-1)


def _groups_of(study: Study, people: pd.DataFrame) -> dict[str, pd.Series]:
    """Return each person's group, by trait."""
    cut = {
        name: study.groupings[name].assign(people[study.groupings[name].variable])
        for name in ("age_group", "bmi_group")
    }
    return {"sex": people["sex"], **cut}


def _by_trait(cells: np.ndarray, trait: str) -> tuple[np.ndarray, np.ndarray]:
    """Return measured and excluded by group of one trait."""
    others = tuple(i for i, name in enumerate(TRAITS) if name != trait)
    counts = cells.sum(axis=others)
    return counts[:, 0], counts[:, 1]


def _add_odds_ratios(
    study: Study, table: pd.DataFrame, trait: str, cells: np.ndarray, totals_shown: bool
) -> None:
    """Fill in the odds ratios that disclose no hidden count."""
    rows = table.index[table["trait"] == trait]
    shown = table.loc[rows, ["measured", "excluded"]].notna().all(axis=1).to_numpy()
    measured, excluded = _by_trait(cells, trait)
    if not (shown.all() or totals_shown) or not excluded.sum() or not measured.sum():
        return
    for row, is_shown, ratio in zip(
        rows, shown, odds_ratio_of(excluded, measured, study.parameters.confidence), strict=True
    ):
        if is_shown:
            table.loc[row, ["odds_ratio", "low", "high"]] = ratio.value, ratio.low, ratio.high


def _shown_elsewhere(study: Study, pick) -> tuple[list[np.ndarray], list[bool]]:
    """Return the sums in the population table, shown or small, and which of them are shown."""
    sums = [pick(status=0, sex=i) for i in range(len(SEXES))]
    fixed = [sex not in study.imaged.hidden_sexes for sex in SEXES]
    if study.has_simulated:  # the population table's groups count these too, and tell nothing
        return sums, fixed
    for i, sex in enumerate(SEXES):
        for grouping in ("age_group", "bmi_group"):
            for j, group in enumerate(study.groups_of(grouping, sex).itertuples()):
                if not group.hidden or group.n < study.min_count:
                    sums.append(pick(status=0, sex=i, **{grouping: j}))
                    fixed.append(not group.hidden)
    return sums, fixed


def exclusion_tests(study: Study) -> dict[str, float]:
    """Test whether exclusion depends on each of `TRAITS`.

    Returns
    -------
    dict
        p-value by trait, NaN where there is nothing to compare; empty for too few excluded.
    """
    cells = _cells(study)
    if cells[..., 1].sum() < study.min_count:
        return {}
    tests = {}
    for trait in TRAITS:
        measured, excluded = _by_trait(cells, trait)
        tests[trait] = dependence_p(excluded, measured, study.parameters.seed)
    return tests


def by_reason(study: Study) -> pd.DataFrame:
    """Return ``step``, ``group`` (the reason) and ``excluded``; small counts are pooled."""
    hidden = "excluded" in study.hidden
    rows = [
        {"step": step.name, "group": reason, "excluded": np.nan if hidden else n}
        for step in shown_steps(study.flow, study.min_count)
        for reason, n in pooled_reasons(step.reasons, study.min_count)
    ]
    return pd.DataFrame(rows, columns=["step", "group", "excluded"])


def exclusions(study: Study) -> Result:
    """Return the exclusions by step and reason, then by sex, age group and BMI group."""
    groups = exclusions_by_group(study)
    shown = ["measured", "excluded"]
    groups[shown] = study.rounded(groups[shown])
    everyone = groups["measured"] + groups["excluded"]
    groups["excluded_percent"] = 100 * groups["excluded"] / everyone
    reasons = by_reason(study)
    reasons["excluded"] = study.rounded(reasons["excluded"])
    data = pd.concat([reasons.assign(by="reason"), groups.assign(by="group")])
    columns = ["by", "step", "trait", "group", "measured", "excluded", "excluded_percent",
               "odds_ratio", "low", "high"]  # fmt: skip
    text = _printed(study, reasons, groups)
    return Result("exclusions", Table(data[columns], text, _caption(study, text)))


def _printed(study: Study, reasons: pd.DataFrame, groups: pd.DataFrame) -> pd.DataFrame:
    lines = [
        (f"Before being {row.step}: {row.group}", "", _count(row.excluded), "", "")
        for row in reasons.itertuples()
    ]
    for row in groups.itertuples():
        texts = "", _count(row.excluded), "", ""
        if row.group != UNKNOWN:
            percent = row.excluded_percent
            share = MARK if pd.isna(percent) else format_number(percent, 1)
            ratio = estimate(row.odds_ratio, row.low, row.high, 2)
            nobody = study.counts["excluded"] == 0
            texts = _count(row.measured), _count(row.excluded), share, "" if nobody else ratio
        lines.append((row.group, *texts))
    heads = ["Excluded", "Measured, n", "Excluded, n", "Excluded, %", "Odds ratio"]
    return pd.DataFrame(lines, columns=heads)


def _caption(study: Study, text: pd.DataFrame) -> str:
    return (
        "Exclusions by step and reason (reasons and steps of fewer than "
        f"{study.min_count} participants are pooled), and by sex, age group and BMI group: an "
        "exclusion that depends on one of these would bias the results by it. Odds ratio: "
        "exclusion in the group against all others, with exact "
        f"{100 * study.parameters.confidence:g}% interval. {UNKNOWN}: excluded for the record "
        "itself or for withdrawn consent, or not recorded in the source."
        + _tested(study)
        + study.imaged_only
        + suppression_note(text, study.min_count)
        + study.origin
    )


def _count(n: float) -> str:
    return count(n, pd.isna(n))


def _tested(study: Study) -> str:
    tests = {trait: p for trait, p in exclusion_tests(study).items() if not np.isnan(p)}
    if not tests:
        return " Too few were excluded to test whether exclusion depends on sex, age or BMI."
    told = "; ".join(f"on {TRAITS[trait]}, {format_p(p)}" for trait, p in tests.items())
    return f" P-values of chi-squared tests of dependence {told}."

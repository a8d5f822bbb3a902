"""Agreement with the reference labels by side, sex, age, BMI and deliberate fault."""

import numpy as np
import pandas as pd
from scipy.stats import bootstrap

from muscle_study.protocol.files import read_table
from muscle_study.protocol.muscles import MUSCLES, SIDES
from muscle_study.publishing.disclosure import MARK, protect
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, count, estimate, without_repeats
from muscle_study.statistics.analyses.segmentation.quality import read_quality
from muscle_study.statistics.study.measures import SEXES
from muscle_study.statistics.study.study import Study

#: Resamples and seed of every bootstrap of the statistics.
RESAMPLES = 2000
SEED = 20260108

#: Scores of the table: heading, factor to the printed unit, digits.
SHOWN = {
    "dice": ("Dice", 1, 3),
    "hausdorff95_mm": ("HD95 (mm)", 1, 1),
    "surface_distance_mm": ("ASD (mm)", 1, 2),
    "csa_error": ("CSA error (%)", 100, 1),
    "volume_error": ("Volume error (%)", 100, 1),
}


def stratified(study: Study) -> pd.DataFrame:
    """Return the mean scores of the test participants in each stratum, by muscle.

    Both sides of a participant are averaged, except in strata of a side. The bootstrap resamples
    participants; a stratum that is small, or would give a small one away, is emptied. Faults are
    known in synthetic runs only and are shown however few.

    Returns
    -------
    pandas.DataFrame
        ``muscle``, ``by``, ``group``, ``n`` participants, ``score``, ``mean``, ``low``, ``high``.
        A score known for too few, as of a structure not found, is empty.
    """
    quality = read_quality(study)
    quality[["muscle", "side"]] = quality["structure"].str.split("_", expand=True)
    people = groups_of(study, quality["participant_id"].unique())
    scores = list(SHOWN)
    rows = []
    for muscle in MUSCLES:
        of_muscle = quality[quality["muscle"] == muscle]
        both = of_muscle.groupby("participant_id")[scores].mean()
        for side in SIDES:
            one = of_muscle[of_muscle["side"] == side].set_index("participant_id")[scores]
            few = len(people) < study.min_count
            rows += _rows(study, one, few, study.min_count, muscle=muscle, by="side", group=side)
        for by in people.columns:
            least = 1 if by == "fault" else study.min_count
            hidden = hidden_groups(people[by], least)
            for group, hide in hidden.items():
                members = both.reindex(people.index[people[by] == group])
                rows += _rows(study, members, hide, least, muscle=muscle, by=by, group=group)
    return pd.DataFrame(rows)


def groups_of(study: Study, participant_ids: np.ndarray) -> pd.DataFrame:
    """Return each participant's groups, a categorical column per division."""
    people = study.curated.set_index("participant_id").reindex(participant_ids)
    age, bmi, _ = study.groupings.values()
    divided = pd.DataFrame(index=people.index)
    divided["all"] = pd.Categorical(["all"] * len(people))
    divided["sex"] = pd.Categorical(people["sex"].map(SEXES), categories=list(SEXES.values()))
    divided["age"] = age.assign(people["age_years"])
    divided["BMI"] = bmi.assign(people["bmi_kg_m2"])
    path = study.paths.measurements / "faults.csv"
    if path.exists():
        faults = read_table(path).set_index("participant_id")["fault"]
        kinds = faults.reindex(participant_ids).fillna("none").str.replace("_", " ")
        divided["fault"] = pd.Categorical(kinds)
    return divided


def hidden_groups(groups: pd.Series, min_count: int) -> pd.Series:
    """Return which groups of a division to hide when the number of all participants is shown.

    Parameters
    ----------
    groups
        Categorical group of each participant; missing for an unknown group.
    min_count
        Smallest group to show; groups that would give a smaller one away are hidden too.

    Returns
    -------
    pandas.Series
        Boolean, by group.
    """
    sizes = groups.value_counts(sort=False)
    if len(groups) < min_count:
        return pd.Series(True, sizes.index)
    # the number in no group follows from the rest, and must not give a few away either
    unknown = groups.isna().sum()
    cells = np.array([*sizes, *([unknown] if unknown else [])])
    sums = np.vstack([np.eye(len(cells)), np.ones((1, len(cells)))])
    total = np.eye(len(sums), dtype=bool)[-1]
    hidden = protect(cells, sums, min_count, fixed=total)
    return pd.Series(hidden[: len(sizes)], sizes.index)


def _rows(study: Study, scores: pd.DataFrame, hidden: bool, least: int, **names: str) -> list[dict]:
    rows = []
    for score in SHOWN:
        values = scores[score].dropna().to_numpy()
        if hidden or len(values) < least:
            values = values[:0]
        found = mean_interval(values, study.parameters.confidence)
        rows.append(
            {
                **names,
                "n": np.nan if hidden else study.rounded(len(scores)),
                "score": score,
                **found,
            }
        )
    return rows


def mean_interval(values: np.ndarray, confidence: float) -> dict[str, float]:
    """Return the mean and its bootstrap interval (percentiles); NaN for too few values.

    Parameters
    ----------
    values
        One value per participant, shape (n,). A single one has no interval.
    confidence
        Level of the interval.
    """
    if not len(values):
        return dict.fromkeys(("mean", "low", "high"), np.nan)
    if len(values) == 1:
        return {"mean": values[0], "low": np.nan, "high": np.nan}
    low, high = bootstrap(
        (values,),
        np.mean,
        n_resamples=RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return {"mean": values.mean(), "low": low, "high": high}


def strata(study: Study) -> Result:
    """Return the mean scores of the test participants in groups."""
    data = stratified(study)
    text = without_repeats(_printed(data), "Muscle")
    return Result("strata", Table(data, text, _caption(study, "fault" in set(data["by"]))))


def _printed(data: pd.DataFrame) -> pd.DataFrame:
    text = []
    for (muscle, by, group), rows in data.groupby(["muscle", "by", "group"], sort=False):
        found = rows.set_index("score")
        n = found["n"].iloc[0]
        cells = {
            "Muscle": muscle.capitalize(),
            "Group": group.capitalize()
            if by in ("all", "side", "sex")
            else f"{by[0].upper()}{by[1:]}: {group}",
            "n": count(n, pd.isna(n)),
        }
        for score, (heading, factor, digits) in SHOWN.items():
            mean, low, high = (factor * found.loc[score, key] for key in ("mean", "low", "high"))
            alone = pd.notna(mean) and pd.isna(low)
            cells[heading] = (
                format_number(mean, digits) if alone else estimate(mean, low, high, digits)
            )
        text.append(cells)
    return pd.DataFrame(text)


def _caption(study: Study, with_faults: bool) -> str:
    percent = format_number(100 * study.parameters.confidence)
    faults = (
        " Faults were put into scans on purpose, and are shown however few; other faulty scans "
        "were set aside before."
    )
    return (
        "Agreement of the segmentation with the reference labels of the test participants in "
        f"groups: mean with {percent} % bootstrap interval (percentiles; participants resampled, "
        f"{format_number(RESAMPLES)} times), both sides of a participant averaged. HD95: 95th "
        "centile of the Hausdorff distance; ASD: average symmetric surface distance; errors of the "
        "largest cross-section (CSA) and of the volume, relative to the reference. "
        f"{MARK}: fewer than {study.min_count} participants, or hidden to protect such a group."
        + (faults if with_faults else "")
        + study.stand_in
        + study.imaged_only
        + study.origin
    )

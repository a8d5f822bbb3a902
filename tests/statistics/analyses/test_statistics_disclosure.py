"""All tables together disclose no small group."""

import numpy as np
import pandas as pd
import pytest

from muscle_study.publishing.box import box_of
from muscle_study.publishing.disclosure import largest_possible
from muscle_study.statistics.analyses import muscle_size
from muscle_study.statistics.analyses.sample import exclusions
from muscle_study.statistics.study.measures import SEXES

GROUPINGS = ["age_group", "bmi_group", "bmi_split"]


def shown_counts(study) -> list[tuple[dict, float]]:
    """Return every count of described participants in a table or figure, with its group."""
    shown = [
        ({"sex": sex}, len(study.of_sex(sex))) for sex in SEXES if sex not in study.hidden_sexes
    ]
    by_group = [
        getattr(muscle_size, name)(study).table.data
        for name in ("measures_by_age", "measures_by_bmi", "sides_by_age", "sides_by_bmi")
    ]
    for row in pd.concat(by_group).dropna(subset=["n"]).itertuples():
        shown.append(({"sex": row.sex, row.grouping: row.group}, row.n))
    for draw, grouping in (
        (muscle_size.outcomes_by_age, "age_group"),
        (muscle_size.outcomes_by_bmi, "bmi_group"),
    ):
        for row in draw(study).figure.data.dropna(subset=["n"]).itertuples():
            shown.append(({"sex": row.sex, grouping: row.group}, row.n))
    for row in muscle_size.population(study).table.data.dropna(subset=["n"]).itertuples():
        shown.append(({"sex": row.sex, row.characteristic: row.group}, row.n))
    excluded = exclusions(study).table.data
    words = {word: {"sex": sex} for sex, word in SEXES.items()}
    words |= {
        f"BMI {label} kg/m²": {"bmi_group": label} for label in study.groupings["bmi_group"].labels
    }
    words |= {
        f"{label} years": {"age_group": label} for label in study.groupings["age_group"].labels
    }
    for row in excluded.dropna(subset=["measured"]).itertuples():
        shown.append((words[row.group], row.measured))
    return shown


@pytest.mark.parametrize("n", [24, 40, 90])
@pytest.mark.parametrize("seed", [1, 2])
def test_no_small_group_follows_from_all_tables_together(study_of, plan, n, seed):
    study = study_of(plan(n=n, n_test=3, n_curation_exclusions=6, seed=20 + seed))
    people = study.people
    cells = (
        people.groupby(["sex", *GROUPINGS], observed=False).size().rename("people").reset_index()
    )

    def pick(of: dict) -> np.ndarray:
        return np.all([cells[name] == value for name, value in of.items()], axis=0).astype(float)

    shown = shown_counts(study)
    for of, count in shown:
        assert count == pick(of) @ cells["people"], of
    sums = [pick(of) for of, _ in shown]
    secrets = [
        {"sex": sex, grouping: label}
        for sex in SEXES
        for grouping in GROUPINGS
        for label in study.groupings[grouping].labels
    ]
    sums = np.array([*sums, *map(pick, secrets)])
    counts = sums @ cells["people"].to_numpy(float)
    known = np.arange(len(sums)) < len(shown)
    for index in np.flatnonzero(~known & (counts < study.min_count)):
        largest = largest_possible(counts, sums, known, index)
        assert largest >= study.min_count, secrets[index - len(shown)]


def test_a_boxs_ends_have_people_beyond_them():
    values = pd.Series(np.arange(26.0))
    box = box_of(values, 5)
    assert (values <= box["whisker_low"]).sum() >= 5
    assert (values >= box["whisker_high"]).sum() >= 5
    large = box_of(pd.Series(np.arange(1001.0)), 5)
    assert list(large.values()) == pytest.approx([50, 250, 500, 750, 950])
    # of seven people all that may be drawn is the middle
    assert set(box_of(pd.Series(np.arange(7.0)), 5).values()) == {3.0}

import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.protocol.files import read_table
from muscle_study.statistics.study.loading import analysis_table, load_study
from muscle_study.statistics.study.participants import (
    Flow,
    Step,
    hidden_population,
    pooled_reasons,
    population_counts,
    shown_steps,
)


def described(men, women, source="imaged"):
    return pd.DataFrame({"sex": ["male"] * men + ["female"] * women, "source": source})


def flow_of(source, *excluded):
    names, left, steps = ("curated", "segmented", "measured"), source, []
    for name, n in zip(names, excluded, strict=True):
        left -= n
        steps.append(Step(name, left, {"no_images": n} if n else {}))
    return Flow(source, tuple(steps))


@pytest.mark.parametrize(
    ("excluded", "shown"),
    [
        ((9, 6, 7), [("curated", 9), ("segmented", 6), ("measured", 7)]),
        # nobody left: the step stands by itself
        ((9, 0, 7), [("curated", 9), ("segmented", 0), ("measured", 7)]),
        ((9, 2, 7), [("segmented", 11), ("measured", 7)]),
        ((9, 2, 4), [("measured", 15)]),
        ((9, 0, 4), [("measured", 13)]),
        ((1, 1, 1), [("measured", 3)]),
    ],
)
def test_steps_of_a_few_are_merged(excluded, shown):
    steps = shown_steps(flow_of(100, *excluded), 5)
    assert [(step.name, step.excluded) for step in steps] == shown


@pytest.mark.parametrize(
    ("excluded", "men", "women", "unused", "hidden"),
    [
        ((0, 0, 0), 50, 50, 0, set()),
        ((9, 0, 0), 45, 46, 0, set()),
        # excluded = source - measured would tell
        ((3, 0, 0), 50, 47, 0, {"curated", "excluded", "source"}),
        # curated - measured would tell
        ((9, 2, 0), 45, 44, 0, {"curated"}),
        # measured - men - women would tell the two without demographics
        ((9, 0, 0), 45, 44, 2, {"unused", "measured"}),
        # no sex is known
        ((9, 0, 0), 0, 0, 91, {"men", "women"}),
    ],
)
def test_differences_of_counts_tell_nothing(excluded, men, women, unused, hidden):
    people = described(men, women)
    found = hidden_population(flow_of(100, *excluded), people, unused, 5)
    assert hidden <= found
    if not hidden:
        assert not found


@pytest.mark.parametrize(
    ("men", "women", "hidden"),
    [
        (50, 50, set()),
        # the imaged men are what all the imaged are more than the women
        (3, 97, {"imaged_men", "imaged_women"}),
        (100, 0, {"imaged_women"}),
    ],
)
def test_small_groups_of_imaged_are_hidden_among_the_simulated(men, women, hidden):
    people = pd.concat([described(men, women), described(400, 300, "simulated")])
    flow = flow_of(100, 0, 0, 0)
    counts = population_counts(flow, people, 0)
    assert (counts["men"], counts["imaged_men"]) == (men + 400, men)
    assert (counts["imaged"], counts["simulated"]) == (100, 700)
    assert hidden_population(flow, people, 0, 5) == hidden


def test_reasons_are_printed_in_words():
    reasons = {"no_images": 9, "empty_image": 2, "grid_mismatch": 4}
    assert pooled_reasons(reasons, 5) == [
        ("no images", 9),
        ("contrasts lie on different grids; image is empty", 6),
    ]


def test_participants_are_conserved(study):
    assert study.flow.source == 200
    assert study.flow.source == study.flow.measured + len(study.exclusions)
    assert study.counts["men"] + study.counts["women"] == len(study.measures) == 189


def test_a_lost_participant_fails_the_run(study_of, plan):
    study = study_of(plan(n=40, n_test=5, truth=False, seed=9))
    path = study.paths.measurements / "measures.csv"
    write_example(read_table(path).iloc[1:], path)
    with pytest.raises(RuntimeError, match="inference and measurement: 31 participants came in"):
        load_study(study.paths, study.parameters)


def test_only_adults_with_demographics_are_described(study):
    curated = study.curated.iloc[:5].copy()
    curated.iloc[0, curated.columns.get_loc("age_years")] = 17
    curated.iloc[1, curated.columns.get_loc("sex")] = None
    curated.iloc[2, curated.columns.get_loc("height_cm")] = float("nan")
    measures = study.measures[study.measures["participant_id"].isin(curated["participant_id"])]
    people = analysis_table(curated, measures, None, study.parameters)
    known = set(curated["participant_id"].iloc[3:]) & set(measures["participant_id"])
    assert set(people["participant_id"]) == known


def test_strangers_among_the_measured_are_refused(study):
    with pytest.raises(ValueError, match=r"curated/participants.csv lacks: run .*01_curation"):
        analysis_table(study.curated.iloc[:3], study.measures, None, study.parameters)


def test_simulated_participants_join_the_imaged(study_of, plan):
    study = study_of(plan(n_simulated=300))
    assert study.people["source"].value_counts().to_dict() == {"simulated": 300, "imaged": 189}
    assert set(study.imaged.people["participant_id"]) == set(study.measures["participant_id"])
    assert study.sizes.endswith("imaged n = 189, simulated n = 300")
    assert study.flow.measured == 189
    assert study.people["age_group"].notna().all()


def test_without_simulated_participants_none_are_mentioned(study):
    assert not study.has_simulated
    assert "simulated" not in study.sizes
    assert study.imaged_only == ""
    pd.testing.assert_frame_equal(study.imaged.people, study.people)

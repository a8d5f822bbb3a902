import numpy as np
import pandas as pd
import pytest

from example_tables import write_example
from muscle_study.publishing.table import (
    Table,
    escape,
    estimate,
    mean_sd,
    pipe_table,
    without_repeats,
)
from muscle_study.statistics.analyses.sample import curation, exclusions
from muscle_study.statistics.analyses.sample.exclusions import (
    TRAITS,
    UNKNOWN,
    exclusion_tests,
    exclusions_by_group,
)
from muscle_study.statistics.analyses.segmentation import dice
from muscle_study.statistics.analyses.segmentation.quality import by_muscle


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("<30", r"\<30"), ("a|b", r"a\|b"), ("x_y*", r"x\_y\*"), ("30–39", "30–39")],
)
def test_markup_is_escaped(text, escaped):
    assert escape(text) == escaped


def test_pipe_table_aligns_numbers_to_the_right():
    text = pd.DataFrame({"Group": ["<30", "all"], "Mean": ["−1.5 ± 2.0", "–"]})
    assert pipe_table(text).splitlines() == [
        "| Group | Mean |",
        "| :------- | ------------: |",
        r"| \<30 | −1.5 ± 2.0 |",
        "| all | – |",
    ]


def test_repeats_are_left_empty():
    text = pd.DataFrame({"a": ["x", "x", "y", "x"], "b": ["1"] * 4})
    assert without_repeats(text, "a")["a"].tolist() == ["x", "", "y", "x"]


@pytest.mark.parametrize(
    ("mean", "sd", "printed"),
    [(37.915, 5.8, "37.91\u00a0±\u00a05.80"), (0.92, np.nan, "0.92"), (np.nan, np.nan, "–")],
)
def test_mean_and_sd(mean, sd, printed):
    assert mean_sd(mean, sd, 2) == printed


def test_estimate_with_negative_limits():
    assert estimate(-0.5, -1.25, 0.25, 2) == "−0.50 (−1.25 to 0.25)"


def test_a_table_is_written_with_its_caption(tmp_path):
    data = pd.DataFrame({"a": [1.5]})
    Table(data, data.astype(str), "Ages <30.").write(tmp_path, "t")
    assert (tmp_path / "t.csv").read_text() == "a\n1.5\n"
    assert (tmp_path / "t.caption.md").read_text() == "Ages \\<30.\n"
    assert (tmp_path / "t.md").exists()


def test_dice_by_structure_and_by_muscle(study):
    quality = pd.DataFrame(
        {
            "participant_id": ["1", "1", "2", "2"],
            "structure": ["psoas_left", "psoas_right"] * 2,
            "dice": [0.8, 0.9, 0.7, 0.7],
        }
    )
    assert by_muscle(quality, "dice")["psoas"].tolist() == pytest.approx([0.85, 0.7])
    assert by_muscle(quality, "dice")["gluteus"].isna().all()
    assert dice(study).table.text["Structure"].tolist()[-1] == "Gluteus, both sides"


def test_exclusions_by_group_add_up(study_of, plan):
    study = study_of(plan(n_curation_exclusions=90, n_late_exclusions=6, n_test=20, n=300))
    table = exclusions_by_group(study)
    assert table["excluded"].min() >= 5
    sums = table.groupby("trait")[["measured", "excluded"]].sum()
    assert sums.index.tolist() == ["age_group", "bmi_group", "sex"]
    assert (sums["measured"] == len(study.people)).all()
    unknown = table.set_index("group").loc[UNKNOWN, "excluded"]
    assert (sums["excluded"] + unknown == study.counts["excluded"]).all()
    assert "P-values of chi-squared tests of dependence on sex" in exclusions(study).table.caption


def test_odds_ratios_are_those_of_the_shown_counts(study_of, plan):
    study = study_of(plan(n_curation_exclusions=90, n_late_exclusions=6, n_test=20, n=300))
    table = exclusions_by_group(study).set_index("group")
    # with two groups, each is the other's inverse
    assert table.loc["Men", "odds_ratio"] == pytest.approx(1 / table.loc["Women", "odds_ratio"])
    men, women = (table.loc[group] for group in ("Men", "Women"))
    plain = men["excluded"] * women["measured"] / (men["measured"] * women["excluded"])
    assert men["odds_ratio"] == pytest.approx(plain, rel=0.02)


def test_an_odds_ratio_tells_no_hidden_count(study_of, plan):
    study = study_of(plan(n_curation_exclusions=25, n_late_exclusions=2, n=100))
    table = exclusions_by_group(study).set_index("group").drop(UNKNOWN)
    hidden = table[["measured", "excluded"]].isna().any(axis=1)
    assert 0 < hidden.sum() < len(table)
    assert table.loc[hidden, "odds_ratio"].isna().all()


def test_in_a_run_on_real_people_curation_says_whom_exclusion_took(study_of, plan):
    study = study_of(plan(n_curation_exclusions=90, n=300, synthetic=False, truth=False, seed=4))
    (study.paths.raw / "participants.csv").unlink()  # there is none
    assert exclusion_tests(study).keys() == TRAITS.keys()
    table = exclusions_by_group(study).set_index("group")
    assert table.loc[["Men", "Women"], "odds_ratio"].notna().all()


def test_nobody_excluded_is_no_secret(study_of, plan):
    study = study_of(plan(n=150, n_curation_exclusions=0, n_late_exclusions=0, seed=3))
    table = exclusions_by_group(study).set_index("group")
    assert (table["excluded"] == 0).all()
    assert table.loc[["Men", "Women"], "measured"].sum() == len(study.people)


def test_what_curation_put_right_and_flagged_is_counted_once_a_person(study_of, plan):
    study = study_of(plan(seed=11))
    names = sorted(study.curated["participant_id"])
    corrections = [(name, "water_fat_swap", "") for name in names[:6]]
    corrections += [(names[0], "repeated_scan", ""), (names[7], "repeated_scan", "")]
    write_example(
        pd.DataFrame(corrections, columns=["participant_id", "correction", "evidence"]),
        study.paths.curated / "corrections.csv",
    )
    flags = ["noise; motion"] * 8 + [""] * (len(names) - 8)
    flagged = [flag != "" for flag in flags]
    write_example(
        pd.DataFrame({"participant_id": names, "flagged": flagged, "flags": flags}),
        study.paths.curated / "quality.csv",
    )
    data = curation(study).table.data
    assert data["done"].tolist() == ["put right", "flagged"]
    # one repeated scan alone is few, and is counted with the swaps
    assert data["participants"].tolist() == [7, 8]
    assert data["what"].iloc[1] == "much noise"

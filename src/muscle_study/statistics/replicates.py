"""The replicate study: whether the statistics are right, where the truth is known.

The population model is drawn again and again, tables only, and analysed each time by the same
functions as the study. Intervals should hold the true value as often as they say; a test should
reject as often as its level where there is nothing to find; centiles should have their share of the
population below them. What is found is given with its Monte-Carlo error. Measures are the true ones
here: what a network's error does is another matter (`measurement_error`).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from muscle_study.cohort.population import draw_muscles, draw_participants
from muscle_study.cohort.population_truth import coefficient_table
from muscle_study.numbers import Numbers, format_number
from muscle_study.paths import RunPaths
from muscle_study.statistics.centiles import AGE, curves_of, fit_centiles
from muscle_study.statistics.comparisons import two_groups
from muscle_study.statistics.correlation import SIZES, pearson
from muscle_study.statistics.imaged import AMONG
from muscle_study.statistics.measures import OUTCOMES, SEXES, SHORT_NAMES
from muscle_study.statistics.regression import TERM_TEXT, TERMS, fit
from muscle_study.statistics.splines import CURVED, fit_spline
from muscle_study.statistics.table import Table, without_repeats
from muscle_study.statistics.text import Text

KEYS = ["kind", "outcome", "sex", "term"]

#: Level of the intervals, and of the tests.
CONFIDENCE, LEVEL = 0.95, 0.05

#: Centiles whose share in a new sample is looked at, fitted with this many knots.
CHECKED_CENTILES, KNOTS = (3, 10, 50, 90, 97), (5, 3)

#: Where the list of numbers says that these come from: no notebook's cell.
CELL = "make replicates"

#: What a kind of result is called.
KINDS = {
    "regression": "coefficient, interval holds the truth",
    "standardised": "standardised coefficient, interval holds the truth",
    "correlation": "correlation, interval holds the truth",
    "level": "nothing to find, test rejects",
    "centile": "share below a centile, in a new sample",
}


@dataclass(frozen=True)
class Plan:
    """How large the replicate study is.

    Parameters
    ----------
    replicates
        How often the population is drawn.
    n
        Participants in each.
    seed
        Start of the draws.
    """

    replicates: int
    n: int
    seed: int


def draw(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw participants with their true measures and ``male``."""
    people = draw_participants(n, rng)
    people = people.merge(draw_muscles(people, rng), on="participant_id")
    return people.assign(male=(people["sex"] == "male").astype(float))


def of_sex(people: pd.DataFrame, sex: str) -> pd.DataFrame:
    """Return the people of a sex, or all for ``both``."""
    return people if sex == "both" else people[people["sex"] == sex]


def coverage(people: pd.DataFrame, true: pd.Series) -> list[tuple]:
    """Return `KEYS` and whether the interval holds the true value, of every reported estimate."""
    rows = []
    for name, outcome in OUTCOMES.items():
        data = people.assign(outcome=outcome.values(people))
        for sex in ("both", *SEXES):
            covariates = [one for one in TERMS if sex == "both" or one != "male"]
            terms = fit(of_sex(data, sex), "outcome", covariates, CONFIDENCE).terms
            for row in terms.to_dict("records"):
                for kind, ends in (
                    ("regression", ("low", "high")),
                    ("standardised", ("standardised_low", "standardised_high")),
                ):
                    key = (kind, name, sex, row["term"])
                    low, high = (row[end] for end in ends)
                    rows.append((*key, float(low <= true[key] <= high)))
    for sex in SEXES:
        own = of_sex(people, sex)
        for size in SIZES:
            key = ("correlation", "gluteus", sex, size)
            found = pearson(OUTCOMES["gluteus"].values(own), own[size], CONFIDENCE)
            rows.append((*key, float(found["low"] <= true[key] <= found["high"])))
    return rows


def under_null(people: pd.DataFrame, rng: np.random.Generator) -> list[tuple]:
    """Return `KEYS` and whether each test rejects where the outcome is dealt out at random.

    Within each sex outcomes are exchanged between people, so that nothing depends on age or BMI;
    the test of two groups is of a group drawn by lot.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            own = of_sex(people, sex)
            dealt = own.assign(outcome=rng.permutation(outcome.values(own)))
            found = fit(dealt, "outcome", ["age_years", "bmi_kg_m2"], CONFIDENCE).terms
            tests = {f"regression, {row.term}": row.p for row in found.itertuples()}
            curved = fit_spline(dealt)
            tests |= {f"non-linearity, {one}": curved.nonlinearity(one)["p"] for one in CURVED}
            lot = rng.random(len(dealt)) < 0.3
            groups = dealt["outcome"][lot], dealt["outcome"][~lot]
            tests["two groups"] = two_groups(*groups, CONFIDENCE)["p"]
            rows += [("level", name, sex, test, float(p < LEVEL)) for test, p in tests.items()]
    return rows


def centile_shares(people: pd.DataFrame, others: pd.DataFrame) -> list[tuple]:
    """Return `KEYS` and the share of `others` below centiles that were fitted to `people`."""
    rows = []
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            own, new = of_sex(people, sex), of_sex(others, sex)
            model = fit_centiles(own, outcome.values(own).to_numpy(), *curves_of(own, KNOTS, AGE))
            z = model.z(new, outcome.values(new).to_numpy())
            for centile in CHECKED_CENTILES:
                below = (z < stats.norm.ppf(centile / 100)).mean()
                rows.append(("centile", name, sex, str(centile), below))
    return rows


def replicate(plan: Plan, index: int) -> pd.DataFrame:
    """Draw and analyse the population once; `KEYS` and ``found``.

    Replicates are independent of each other and of their order: each has its own seed.
    """
    rng = np.random.default_rng([plan.seed, index])
    people, others = draw(plan.n, rng), draw(plan.n, rng)
    true = coefficient_table().set_index(KEYS)["value"]
    rows = coverage(people, true) + under_null(people, rng) + centile_shares(people, others)
    return pd.DataFrame(rows, columns=[*KEYS, "found"])


def summarise(replicates: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over replicates of all results.

    Parameters
    ----------
    replicates
        Rows of `replicate`, of all replicates.

    Returns
    -------
    pandas.DataFrame
        `KEYS`, ``replicates``, and in percent ``nominal``, ``found`` and ``error``, the Monte-Carlo
        standard error of ``found``.
    """
    groups = replicates.groupby(KEYS, sort=False)["found"]
    table = groups.agg(replicates="count", found="mean", error="sem").reset_index()
    table["nominal"] = [
        float(row.term)
        if row.kind == "centile"
        else 100 * (LEVEL if row.kind == "level" else CONFIDENCE)
        for row in table.itertuples()
    ]
    table[["found", "error"]] *= 100
    return table[[*KEYS, "replicates", "nominal", "found", "error"]]


def replicates_table(plan: Plan, table: pd.DataFrame) -> Table:
    """Return the summary as a table of the manuscript."""
    terms = TERM_TEXT | SIZES
    text = pd.DataFrame(
        {
            "Result": KINDS[row["kind"]],
            "Outcome": SHORT_NAMES[row["outcome"]],
            "Among": AMONG[row["sex"]],
            "Of": f"centile {row['term']}"
            if row["kind"] == "centile"
            else terms.get(row["term"], row["term"]),
            "Nominal, %": format_number(row["nominal"], 0),
            "Found ± error, %": f"{format_number(row['found'], 1)} ± "
            f"{format_number(row['error'], 1)}",
        }
        for row in table.to_dict("records")
    )
    caption = (
        f"Replicate study: {format_number(plan.replicates)} synthetic populations of "
        f"{format_number(plan.n)} participants each, drawn from the population model and analysed "
        "by the functions of the study; true measures, no images. Found: mean over replicates with "
        "its Monte-Carlo standard error. Nothing to find: outcomes dealt out at random within a "
        "sex. "
        "Synthetic cohort: no real people."
    )
    return Table("replicates", table, without_repeats(text, "Result"), caption)


def replicate_numbers(plan: Plan, table: pd.DataFrame) -> Numbers:
    """Return the study's size, and the range of what it found, for the text."""
    numbers = Numbers()
    text = Text(numbers, CELL)
    text.number("replicates.count", plan.replicates)
    text.number("replicates.people", plan.n)
    covered = table[table["kind"].isin(["regression", "standardised", "correlation"])]
    for name, rows in (("coverage", covered), ("rejection", table[table["kind"] == "level"])):
        text.number(f"replicates.{name}_estimates", len(rows))
        text.number(f"replicates.{name}_lowest", rows["found"].min(), 1, "%")
        text.number(f"replicates.{name}_highest", rows["found"].max(), 1, "%")
        text.number(f"replicates.{name}_error", rows["error"].max(), 1, "%")
    centiles = table[table["kind"] == "centile"]
    miss = (centiles["found"] - centiles["nominal"]).abs().max()
    text.number("replicates.centile_miss", miss, 1, "percentage points")
    return numbers


def run(plan: Plan, paths: RunPaths) -> pd.DataFrame:
    """Run the replicate study; write ``tables/replicates.*`` and ``numbers/replicates.json``.

    Prints a line for every tenth of the replicates, since the whole takes minutes.
    """
    every = []
    for index in range(plan.replicates):
        every.append(replicate(plan, index))
        if (index + 1) % max(1, plan.replicates // 10) == 0:
            print(f"[replicates] {index + 1} of {plan.replicates}", flush=True)
    table = summarise(pd.concat(every))
    replicates_table(plan, table).write(paths.tables)
    replicate_numbers(plan, table).write(paths.numbers / "replicates.json")
    return table

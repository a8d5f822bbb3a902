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

from muscle_study.cohort.population.draw import draw_muscles, draw_participants
from muscle_study.cohort.population.truth import coefficient_table
from muscle_study.cohort.truth import population_measures
from muscle_study.measurement.measures import derived
from muscle_study.protocol.paths import RunPaths
from muscle_study.publishing.cell_numbers import CellNumbers
from muscle_study.publishing.numbers import format_number
from muscle_study.publishing.table import Table, interval
from muscle_study.statistics.analyses.extensions import body_size
from muscle_study.statistics.analyses.extensions.splines import CURVED
from muscle_study.statistics.analyses.muscle_size import (
    comparisons,
    correlation,
    interactions,
    regression,
    secondary,
)
from muscle_study.statistics.analyses.muscle_size.regression import fit
from muscle_study.statistics.analyses.text import Text
from muscle_study.statistics.methods.centiles import AGE, curves_of, fit_centiles
from muscle_study.statistics.methods.comparisons import two_groups
from muscle_study.statistics.methods.splines import fit_spline
from muscle_study.statistics.parameters import StatisticsParameters
from muscle_study.statistics.study.loading import analysis_table
from muscle_study.statistics.study.measures import OUTCOMES, SEXES
from muscle_study.statistics.study.participants import Flow, Step
from muscle_study.statistics.study.study import Study

KEYS = ["kind", "outcome", "sex", "term"]

#: Level of the intervals, and of the tests.
CONFIDENCE, LEVEL = 0.95, 0.05

#: Coverage that is taken for right (percent).
RIGHT = (93.0, 97.0)

#: Centiles whose share in a new sample is looked at, fitted with this many knots.
CHECKED_CENTILES, KNOTS = (3, 10, 50, 90, 97), (5, 3)

#: People of whom the true values are taken that have no closed form: their own error widens that of
#: an estimate in 3,000 people by less than 0.4 %, which costs 0.1 points of coverage.
PEOPLE_FOR_TRUTH = 400_000

#: Where the list of numbers says that these come from: no notebook's cell.
CELL = "make replicates"

#: Kinds of intervals, and what they are called.
INTERVALS = {
    "regression": "regression coefficients",
    "standardised": "standardised coefficients",
    "correlation": "correlations",
    "interaction": "interactions",
    "allometry": "allometric exponents and effects",
    "secondary": "coefficients of secondary outcomes",
    "difference": "differences of means",
    "cohen_d": "Cohen's d",
    "eta_squared": "η²",
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
    parameters
        Of the statistics: groups, and the start of the draws.
    """

    replicates: int
    n: int
    parameters: StatisticsParameters

    def rng(self, *place: int) -> np.random.Generator:
        """Return the source of chance of a replicate, or of something else, by its number."""
        return np.random.default_rng([self.parameters.seed, *place])


def draw(plan: Plan, n: int, rng: np.random.Generator) -> Study:
    """Draw participants with their true measures, as a study that has lost nobody."""
    people = draw_participants(n, rng)
    measures = population_measures(draw_muscles(people, rng))
    measures = measures.assign(**derived(measures, people["height_cm"]))
    measures.insert(0, "participant_id", people["participant_id"])
    return Study(
        run="replicates",
        paths=RunPaths("replicates"),
        parameters=plan.parameters.model_copy(update={"confidence": CONFIDENCE}),
        source={},
        segmentation={},
        curated=people,
        measures=measures,
        everyone=analysis_table(people, measures, None, plan.parameters),
        flow=Flow(n, (Step("curated", n, {}),)),
        exclusions=pd.DataFrame(),
    )


def estimates(study: Study) -> pd.DataFrame:
    """Return every estimate that the manuscript gives an interval for.

    Returns
    -------
    pandas.DataFrame
        `KEYS`, ``value``, ``low``, ``high``. Those without an interval are left out.
    """
    coefficients = regression.coefficients(regression.fit_all(study))
    tests = comparisons.compare(study).rename(columns={"comparison": "term"})
    sizes = body_size.allometry(study)
    raw = {"coefficient": "value"}
    parts = [
        _part("regression", coefficients, raw),
        _part("standardised", coefficients, _interval_of("standardised")),
        _part("correlation", correlation.correlations(study).assign(outcome="gluteus"),
              {"with": "term", "r": "value"}),
        _part("interaction", interactions.interactions(study).assign(sex="both"), raw),
        _part("allometry", sizes.assign(term=sizes["size"] + ", " + sizes["term"]), {}),
        _part("secondary", secondary.secondary(study), raw),
        *(
            _part(kind, tests, _interval_of(kind))
            for kind in ("difference", "cohen_d", "eta_squared")
        ),
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True).dropna(subset=["value"])


def _part(kind: str, table: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    columns = [*KEYS, "value", "low", "high"]
    kept = table.drop(columns=[name for name in names.values() if name in table])
    return kept.rename(columns=names).assign(kind=kind)[columns]


def _interval_of(name: str) -> dict[str, str]:
    return {name: "value", f"{name}_low": "low", f"{name}_high": "high"}


def true_values(plan: Plan) -> pd.Series:
    """Return the true value of each of the `estimates`, by `KEYS`.

    In closed form where the population model has one; else the estimate in `PEOPLE_FOR_TRUTH`.
    """
    many = estimates(draw(plan, PEOPLE_FOR_TRUTH, plan.rng())).set_index(KEYS)["value"]
    exact = coefficient_table().set_index(KEYS)["value"]
    return exact.reindex(many.index).fillna(many)


def coverage(study: Study, true: pd.Series) -> list[tuple]:
    """Return `KEYS` and whether the interval holds the true value, of every reported estimate."""
    found = estimates(study).set_index(KEYS)
    held = found["low"].le(true[found.index]) & found["high"].ge(true[found.index])
    return [(*key, float(holds)) for key, holds in held.items()]


def under_null(study: Study, rng: np.random.Generator) -> list[tuple]:
    """Return `KEYS` and whether each test rejects where the outcome is dealt out at random.

    Within each sex outcomes are exchanged between people, so that nothing depends on age or BMI;
    the test of two groups is of a group drawn by lot.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            own = study.of_sex(sex)
            dealt = own.assign(outcome=rng.permutation(outcome.values(own)))
            found = fit(dealt, "outcome", ["age_years", "bmi_kg_m2"], CONFIDENCE).terms
            tests = {f"regression, {row.term}": row.p for row in found.itertuples()}
            curved = fit_spline(dealt, "outcome", CURVED)
            tests |= {f"non-linearity, {one}": curved.nonlinearity(one)["p"] for one in CURVED}
            lot = rng.random(len(dealt)) < 0.3
            groups = dealt["outcome"][lot], dealt["outcome"][~lot]
            tests["two groups"] = two_groups(*groups, CONFIDENCE)["p"]
            rows += [("level", name, sex, test, float(p < LEVEL)) for test, p in tests.items()]
    return rows


def centile_shares(study: Study, others: Study) -> list[tuple]:
    """Return `KEYS` and the share of `others` below centiles that were fitted to `study`."""
    rows = []
    for name, outcome in OUTCOMES.items():
        for sex in SEXES:
            own, new = study.of_sex(sex), others.of_sex(sex)
            model = fit_centiles(own, outcome.values(own).to_numpy(), *curves_of(own, KNOTS, AGE))
            z = model.z(new, outcome.values(new).to_numpy())
            for centile in CHECKED_CENTILES:
                below = (z < stats.norm.ppf(centile / 100)).mean()
                rows.append(("centile", name, sex, str(centile), below))
    return rows


def replicate(plan: Plan, index: int, true: pd.Series) -> pd.DataFrame:
    """Draw and analyse the population once; `KEYS` and ``found``.

    Replicates are independent of each other and of their order: each has its own seed.
    """
    rng = plan.rng(index)
    study, others = draw(plan, plan.n, rng), draw(plan, plan.n, rng)
    rows = coverage(study, true) + under_null(study, rng) + centile_shares(study, others)
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
    """Return the summary as a table of the manuscript: a row a kind; the CSV has every result."""
    tests = table.loc[table["kind"] == "level", "term"].drop_duplicates()
    groups = [
        *((f"intervals of {word}", table["kind"] == kind) for kind, word in INTERVALS.items()),
        *(
            (f"nothing to find: {test}", (table["kind"] == "level") & (table["term"] == test))
            for test in tests
        ),
        *(
            (
                f"share below centile {centile}, in a new sample",
                (table["kind"] == "centile") & (table["term"] == str(centile)),
            )
            for centile in CHECKED_CENTILES
        ),
    ]
    text = pd.DataFrame(
        {
            "Result": name,
            "Number": format_number(len(rows)),
            "Nominal, %": format_number(rows["nominal"].iloc[0]),
            "Mean, %": format_number(rows["found"].mean(), 1),
            "Range, %": interval(rows["found"].min(), rows["found"].max(), 1),
            "Error, ±": format_number(rows["error"].max(), 1),
        }
        for name, rows in ((name, table[chosen]) for name, chosen in groups)
    )
    caption = (
        f"Replicate study: {format_number(plan.replicates)} synthetic populations of "
        f"{format_number(plan.n)} participants each, drawn from the population model and analysed "
        "by the functions of the study; true measures, no images. Of each kind of result: how many "
        "there are, the mean and range of what was found, and the largest Monte-Carlo standard "
        "error of one. Intervals should hold the true value in 95 %; true values without closed "
        f"form are those of {format_number(PEOPLE_FOR_TRUTH)} people. Nothing to find: outcomes "
        "dealt out at random within a sex. The CSV file gives each result. Synthetic cohort: no "
        "real people."
    )
    return Table(table, text, caption, name="replicates")


def replicate_numbers(plan: Plan, table: pd.DataFrame) -> CellNumbers:
    """Return the study's size, and the range of what it found, for the text."""
    numbers = CellNumbers()
    text = Text(numbers, CELL)
    text.number("replicates.count", plan.replicates)
    text.number("replicates.people", plan.n)
    covered = table[table["kind"].isin(list(INTERVALS))]
    for name, rows in (("coverage", covered), ("rejection", table[table["kind"] == "level"])):
        text.number(f"replicates.{name}_estimates", len(rows))
        text.number(f"replicates.{name}_lowest", rows["found"].min(), 1, "%")
        text.number(f"replicates.{name}_highest", rows["found"].max(), 1, "%")
        text.number(f"replicates.{name}_error", rows["error"].max(), 1, "%")
    text.number("replicates.coverage_right", covered["found"].between(*RIGHT).sum())
    text.number("replicates.coverage_right_low", RIGHT[0], 0)
    text.number("replicates.coverage_right_high", RIGHT[1], 0, "%")
    centiles = table[table["kind"] == "centile"]
    miss = (centiles["found"] - centiles["nominal"]).abs().max()
    text.number("replicates.centile_miss", miss, 1, "percentage points")
    return numbers


def run(plan: Plan, paths: RunPaths) -> pd.DataFrame:
    """Run the replicate study; write ``tables/replicates.*`` and ``numbers/replicates.json``.

    Prints a line for every tenth of the replicates, since the whole takes minutes.
    """
    true = true_values(plan)
    every = []
    for index in range(plan.replicates):
        every.append(replicate(plan, index, true))
        if (index + 1) % max(1, plan.replicates // 10) == 0:
            print(f"[replicates] {index + 1} of {plan.replicates}", flush=True)
    table = summarise(pd.concat(every))
    replicates_table(plan, table).write(paths.tables)
    replicate_numbers(plan, table).write(paths.numbers / "replicates.json")
    return table

"""Sensitivity of the main coefficients to exclusions and methods of analysis."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.regression.quantile_regression import QuantReg

from muscle_study.protocol.covariates import Covariate
from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import Numbers, format_number
from muscle_study.publishing.result import Result
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.analyses.sample.exclusions import excluded_people
from muscle_study.statistics.methods.imputation import IMPUTATIONS, imputed
from muscle_study.statistics.methods.linear import robust_terms
from muscle_study.statistics.parameters import Model
from muscle_study.statistics.study import doubtful
from muscle_study.statistics.study.loading import ADULT_YEARS
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES, Measure
from muscle_study.statistics.study.models import (
    coefficient_digits,
    complete_cases,
    design_of,
    in_subset,
    models_text,
    people_of,
    term_name,
    term_text,
    variables_of,
    with_outcome,
)
from muscle_study.statistics.study.study import Study

#: The analyses, as printed.
ANALYSES = {
    "main": "main analysis",
    "median": "median regression",
    "border": "no muscle at the edge of the field of view",
    "imaged": "imaged participants alone",
    "swaps": "imaged, without corrected water–fat swaps",
    "flagged": "imaged, without scans flagged for their quality",
    "reviewed": "imaged, accepted by a reviewer alone",
    "weighted": "imaged, weighted for exclusion by sex and BMI",
    "centre": "centre as a fixed effect",
    "clustered": "errors clustered by centre",
    "imputed": "missing covariates imputed",
}

#: Fewest excluded participants for a model of exclusion: our choice, ten for each of its
#: coefficients but the intercept.
FEWEST_EXCLUDED = 30

#: With fewer clusters their robust errors are too small (Cameron and Miller, J Hum Resour
#: 2015;50:317-372, section VI): our choice, the number of the NAKO's imaging centres.
FEWEST_CENTRES = 5

#: Weights are cut at this centile, so that no one participant dominates an estimate.
WEIGHT_CENTILE = 99


def analyses(study: Study) -> pd.DataFrame:
    """Fit the declared models of both sexes in each of the `ANALYSES`.

    Returns
    -------
    pandas.DataFrame
        ``outcome``, ``model``, ``analysis``, ``n``, ``term``, ``value``, ``low``, ``high``. An
        analysis that does not apply to the run, or has too few people, is left out.
    """
    rows = []
    for name, outcome in OUTCOMES.items():
        for model in study.parameters.models:
            if model.sex != "both" or name not in model.outcomes:
                continue
            for analysis, (n, terms) in _Analyses(study, model, outcome).found().items():
                for term, values in terms.items():
                    rows.append([name, model.name, analysis, study.rounded(n), term, *values])
    columns = ["outcome", "model", "analysis", "n", "term", "value", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


#: People of an analysis, and value, low and high of each term.
Terms = tuple[int, dict[str, np.ndarray]]


@dataclass(frozen=True)
class _Analyses:
    """The analyses of one model of one outcome."""

    study: Study
    model: Model
    outcome: Measure

    def found(self) -> dict[str, Terms]:
        """Return the analyses that apply to the run."""
        study, data = self.study, people_of(self.study, self.model, self.outcome)
        if data is None:
            return {}
        found = {"main": self.fit(data), "median": self.fit(data, QuantReg)}
        border = data.reindex(columns=["psoas_at_border", "gluteus_at_border"]).eq(True).any(axis=1)
        found["border"] = self.without(data, border)
        imaged = people_of(study.imaged, self.model, self.outcome)
        if imaged is not None:
            found |= self.of_imaged(imaged)
        found |= self.by_centre(data)
        found["imputed"] = self.imputed(data)
        return {name: found[name] for name in ANALYSES if found.get(name) is not None}

    def fit(
        self,
        people: pd.DataFrame,
        model: type = OLS,
        dummies: pd.DataFrame | None = None,
        clusters: pd.Series | None = None,
        weights: pd.Series | None = None,
    ) -> Terms | None:
        """Fit the model, with `dummies` as further columns; None with too few people."""
        outcome, design = complete_cases(self.model, people, self.study.known)
        terms = list(design)[1:]
        more = 0 if dummies is None else dummies.shape[1]
        if len(design) < max(self.study.min_count, 5 * len(terms)) + more:
            return None
        if outcome.nunique() < 2 or (design[terms].nunique() < 2).any():
            return None
        if dummies is not None:
            design = design.join(dummies)
        options = {} if weights is None else {"weights": weights[design.index].to_numpy()}
        own = None if clusters is None else clusters[design.index]
        confidence = self.study.parameters.confidence
        values = robust_terms(outcome, design, confidence, model, own, **options)
        names = [term_name(column) for column in terms]
        return len(design), dict(zip(names, values, strict=False))

    def without(self, people: pd.DataFrame, gone: pd.Series) -> Terms | None:
        """Omit people, unless the difference would disclose a few."""
        return self.fit(people[~gone]) if gone.sum() >= self.study.min_count else None

    def of_imaged(self, people: pd.DataFrame) -> dict[str, Terms | None]:
        """Return the analyses of the imaged participants alone."""
        names, paths = people["participant_id"], self.study.paths
        weights = exclusion_weights(self.study)
        return {
            "imaged": self.fit(people) if self.study.has_simulated else None,
            "swaps": self.without(people, names.isin(doubtful.corrected_swaps(paths))),
            "flagged": self.without(people, names.isin(doubtful.flagged_scans(paths))),
            "reviewed": self.without(people, ~names.isin(doubtful.accepted_scans(paths))),
            "weighted": None if weights is None else self.fit(people, WLS, weights=weights),
        }

    def by_centre(self, people: pd.DataFrame) -> dict[str, Terms | None]:
        """Return the analyses that need the study centre, if it is known.

        A centre with fewer than `min_count` people is left out.
        """
        if "centre" not in people:
            return {}
        complete = complete_cases(self.model, people, self.study.known)[1].index
        centres = people.loc[complete, "centre"].dropna().astype(str)
        least = max(self.study.min_count, 2)
        centres = centres[centres.groupby(centres).transform("size") >= least]
        gone = len(complete) - len(centres)
        if centres.nunique() < 2 or 0 < gone < self.study.min_count:  # the difference exposes them
            return {}
        known = people.loc[centres.index]
        found = {}
        if "centre" not in variables_of(self.model):
            dummies = pd.get_dummies(centres, drop_first=True, dtype=float)
            found["centre"] = self.fit(known, dummies=dummies)
        if centres.nunique() >= FEWEST_CENTRES:
            found["clustered"] = self.fit(known, clusters=centres)
        return found

    def imputed(self, people: pd.DataFrame) -> Terms | None:
        """Return the analysis with missing covariates imputed, if enough people lack any."""
        incomplete = incomplete_people(self.study, self.outcome)
        if self.model.subset is not None:
            incomplete = in_subset(self.model, incomplete)
        everyone = pd.concat([people, incomplete], ignore_index=True)
        own = [name for name in variables_of(self.model) if name != "bmi_kg_m2"]
        lacking = people[own].isna().any(axis=1).sum() + len(incomplete)
        if lacking < self.study.min_count:
            return None
        parameters = self.study.parameters
        terms = impute_and_fit(
            self.model, everyone, self.study.known, parameters.confidence, parameters.seed
        )
        return len(everyone), terms


def exclusion_weights(study: Study) -> pd.Series | None:
    """Return the inverse of each imaged person's probability of being kept.

    By logistic regression on sex, BMI and its square of the measured and the excluded whose sex and
    BMI are known. Scaled to a mean of 1, with the index of the imaged people. None for fewer than
    `FEWEST_EXCLUDED` of the latter.
    """
    kept, lost = study.imaged.people, excluded_people(study)
    if len(lost) < FEWEST_EXCLUDED or kept.empty:
        return None
    people = pd.concat([kept[["sex", "bmi_kg_m2"]], lost], ignore_index=True)
    bmi = (people["bmi_kg_m2"] - people["bmi_kg_m2"].mean()) / people["bmi_kg_m2"].std()
    design = np.column_stack([np.ones(len(people)), people["sex"] == "male", bmi, bmi**2])
    is_kept = (np.arange(len(people)) < len(kept)).astype(float)
    probability = GLM(is_kept, design.astype(float), family=Binomial()).fit().fittedvalues
    weights = 1 / probability[: len(kept)]
    weights = np.minimum(weights, np.percentile(weights, WEIGHT_CENTILE))
    return pd.Series(weights / weights.mean(), index=kept.index)


def incomplete_people(study: Study, outcome: Measure) -> pd.DataFrame:
    """Return measured people of known sex whom the main analysis omits for a missing value.

    Known minors are excluded.
    """
    people = study.curated.merge(study.measures, on="participant_id")
    left_out = ~people["participant_id"].isin(study.imaged.people["participant_id"])
    minor = people["age_years"] < ADULT_YEARS
    return with_outcome(people[left_out & ~minor & people["sex"].isin(list(SEXES))], outcome)


def impute_and_fit(
    model: Model,
    people: pd.DataFrame,
    covariates: dict[str, Covariate],
    confidence: float,
    seed: int,
) -> dict[str, np.ndarray]:
    """Impute a model's covariates, BMI from height and weight, and pool the model's terms.

    Returns
    -------
    dict
        Value, low and high of each term.
    """
    columns = ["outcome", "male", "age_years", "height_cm", "weight_kg"]
    others = [name for name in variables_of(model) if name not in (*columns, "sex", "bmi_kg_m2")]
    known = people.loc[people["outcome"].notna(), [*columns, *others]].reset_index(drop=True)
    for name in others:
        if levels := covariates[name].level_names:
            known[name] = pd.Categorical(known[name], levels)
    terms: list[str] = []

    def analyse(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, float]:
        table = table.assign(
            sex=np.where(table["male"] == 1, "male", "female"),
            bmi_kg_m2=table["weight_kg"] / (table["height_cm"] / 100) ** 2,
        )
        design = design_of(model, table, covariates)
        terms[:] = [term_name(column) for column in design.columns[1:]]
        matrix = np.ascontiguousarray(design.to_numpy())
        result = OLS(table["outcome"].to_numpy(), matrix).fit(cov_type="HC3")
        return result.params[1:], result.bse[1:] ** 2, result.df_resid

    pooled = imputed(known, analyse, confidence, seed)[["value", "low", "high"]].to_numpy()
    return dict(zip(terms, pooled, strict=True))


def sensitivity(study: Study) -> Result:
    """Return the analyses, and how many of their intervals contain the main estimate."""
    table = analyses(study)
    numbers = Numbers()
    keys = ["outcome", "model", "term"]
    main = table.loc[table["analysis"] == "main", [*keys, "value"]]
    others = table[table["analysis"] != "main"].merge(main, on=keys, suffixes=("", "_main"))
    numbers.number("sensitivity.analyses", others["analysis"].nunique())
    numbers.number("sensitivity.coefficients", len(others))
    agreeing = others["value_main"].between(others["low"], others["high"]).sum()
    numbers.number("sensitivity.agreeing", agreeing)
    return Result("sensitivity", sensitivity_table(study, table), numbers=numbers)


def sensitivity_table(study: Study, table: pd.DataFrame) -> Table:
    """Return the analyses as a table of the manuscript."""
    titles = {model.name: model.title for model in study.parameters.models}
    # the terms of the main model have a column; the data hold those of the others too
    main = table[table["model"] == study.parameters.models[0].name]
    heads = {}
    for term in dict.fromkeys(main["term"]):
        text = term_text(study, term)
        heads[term] = f"{text[0].upper()}{text[1:]} (CI)"
    text = []
    for (name, model, analysis), rows in table.groupby(
        ["outcome", "model", "analysis"], sort=False
    ):
        n = format_number(rows["n"].iloc[0])
        cells = {
            "Outcome": SHORT_NAMES[name],
            "Among": titles[model],
            "Analysis": f"{ANALYSES[analysis]} (n = {n})",
        } | dict.fromkeys(heads.values(), "")
        for row in rows[rows["term"].isin(list(heads))].to_dict("records"):
            digits = coefficient_digits(OUTCOMES[name], row["term"])
            cells[heads[row["term"]]] = estimate(row["value"], row["low"], row["high"], digits)
        text.append(cells)
    if not text:
        text = [dict.fromkeys(["Outcome", "Among", "Analysis"], MARK)]
    percent = format_number(100 * study.parameters.confidence)
    caption = (
        f"Alternative analyses of the regressions in both sexes ({study.sizes}), with {percent} % "
        f"confidence intervals (CI). Models: {models_text(study)}; the terms of the first are "
        "shown. Weighted: by the inverse probability of being kept, from sex "
        f"and BMI of the measured and the excluded, where at least {FEWEST_EXCLUDED} excluded are "
        "known. Flagged: a score of the scan's quality is beyond its threshold. Clustered: at "
        f"least {FEWEST_CENTRES} centres, Student's t with one degree of freedom fewer. Imputed: "
        f"{IMPUTATIONS} tables by chained equations, pooled by Rubin's rules, where measured "
        "participants lack covariates. Analyses that do not apply to the run are left "
        f"out. CSA: total {study.psoas} cross-sectional area. {MARK}: not estimable." + study.origin
    )
    text = without_repeats(pd.DataFrame(text), "Outcome")
    return Table(table, text, caption)

"""Linear regression of the outcomes on age, BMI and sex."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.regression.linear_model import OLS, RegressionResults

from muscle_study.publishing.disclosure import MARK
from muscle_study.publishing.numbers import format_number, format_p
from muscle_study.publishing.table import Table, estimate, without_repeats
from muscle_study.statistics.study.measures import OUTCOMES, SEXES, SHORT_NAMES, Measure
from muscle_study.statistics.study.study import Study

#: Terms in the order of the table, with the name that the text's numbers use.
TERMS = {"age_years": "age", "bmi_kg_m2": "bmi", "male": "sex"}

#: The same as printed.
TERM_TEXT = {"age": "age, per year", "bmi": "BMI, per kg/m²", "sex": "men − women"}

COLUMNS = [
    "coefficient",
    "low",
    "high",
    "p",
    "standardised",
    "standardised_low",
    "standardised_high",
    "partial_r2",
]

#: HC3 divides by 1 - leverage; at 1 the residual is zero and the error is not defined.
_LARGEST_LEVERAGE = 1 - 1e-8


@dataclass(frozen=True)
class Fit:
    """A fitted model.

    Parameters
    ----------
    result
        Of statsmodels, with HC3 errors.
    terms
        A row a term: ``term`` and `COLUMNS`.
    n
        Complete cases.
    incomplete
        Rows left out for a missing value.
    """

    result: RegressionResults
    terms: pd.DataFrame
    n: int
    incomplete: int

    @property
    def r2(self) -> float:
        """Share of the variance that the model explains."""
        return self.result.rsquared


def fit(data: pd.DataFrame, outcome: str, covariates: list[str], confidence: float) -> Fit | None:
    """Fit ``outcome ~ covariates`` by least squares with HC3 errors (MacKinnon and White 1985).

    Standardised coefficients are those of the same model with the outcome and the continuous
    covariates divided by their SD; a 0/1 covariate stays as it is, so that its coefficient is a
    difference in SDs of the outcome. Their intervals know that the SDs are estimates too.
    A term's partial R² is the share that it explains of what the other terms leave over.

    Parameters
    ----------
    data
        One row a participant; rows with a missing value are left out and counted.
    outcome, covariates
        Columns.
    confidence
        Level of the intervals.

    Returns
    -------
    Fit or None
        None where the model cannot be estimated: too few complete cases, a covariate that does
        not vary, or a participant who alone determines a coefficient.
    """
    columns = [outcome, *covariates]
    complete = data[columns].dropna().astype(float)
    enough = len(complete) > len(columns) + 1
    if not enough or (complete.nunique() < 2).any():
        return None
    design = complete[covariates].copy()
    design.insert(0, "Intercept", 1.0)
    result = OLS(complete[outcome], design).fit(cov_type="HC3", use_t=True)
    leverage = result.get_influence().hat_matrix_diag
    if leverage.max() > _LARGEST_LEVERAGE:
        return None
    limits = result.conf_int(alpha=1 - confidence).loc[covariates]
    standardised, errors = _standardised(complete, result, leverage)
    half = stats.t.ppf((1 + confidence) / 2, result.df_resid) * errors
    slopes = result.params[covariates].to_numpy()
    unexplained = result.ssr * np.diag(result.normalized_cov_params)[1:]
    terms = pd.DataFrame(
        {
            "term": [TERMS.get(name, name) for name in covariates],
            "coefficient": slopes,
            "low": limits[0].to_numpy(),
            "high": limits[1].to_numpy(),
            "p": result.pvalues[covariates].to_numpy(),
            "standardised": standardised,
            "standardised_low": standardised - half,
            "standardised_high": standardised + half,
            "partial_r2": slopes**2 / (slopes**2 + unexplained),
        }
    )
    return Fit(result, terms, len(complete), len(data) - len(complete))


def _standardised(
    complete: pd.DataFrame, result: RegressionResults, leverage: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the standardised coefficients and their standard errors.

    A coefficient's influence function is the sum of that of the raw one, as HC3 has it, and of
    those of both SDs. To scale the data first and take the raw model's error for it would be to
    take the SDs for known (Yuan and Chan, Psychometrika 2011;76:670-690).
    """
    n = len(complete)
    outcome, covariates = complete.iloc[:, 0].to_numpy(), complete.iloc[:, 1:].to_numpy()
    binary = np.isin(covariates, (0.0, 1.0)).all(axis=0)
    scale = np.where(binary, 1.0, covariates.std(axis=0, ddof=1)) / outcome.std(ddof=1)
    standardised = result.params.to_numpy()[1:] * scale
    residual = result.resid.to_numpy() / (1 - leverage)
    inverse = result.normalized_cov_params.to_numpy()
    raw = n * (result.model.exog * residual[:, None]) @ inverse[:, 1:]
    influence = raw * scale
    spread = np.where(binary, 0.0, _spread(covariates)) - _spread(outcome)[:, None]
    influence += standardised * spread
    return standardised, np.sqrt((influence**2).sum(axis=0)) / n


def _spread(values: np.ndarray) -> np.ndarray:
    """Return the influence function of the logarithm of an SD."""
    return ((values - values.mean(axis=0)) ** 2 / values.var(axis=0) - 1) / 2


def model_data(study: Study, outcome: Measure, sex: str) -> pd.DataFrame | None:
    """Return the rows of a model: the people with ``outcome`` in its printed unit and ``male``.

    Parameters
    ----------
    study
        The run.
    outcome
        What is modelled.
    sex
        ``both``, or the one whose people are taken.

    Returns
    -------
    pandas.DataFrame or None
        None where too few people may be described.
    """
    people = study.people if sex == "both" else study.of_sex(sex)
    hidden = study.hidden_sexes if sex == "both" else study.hidden_sexes & {sex}
    if hidden or len(people) < study.min_count:
        return None
    return people.assign(
        male=(people["sex"] == "male").astype(float), outcome=outcome.values(people)
    )


def fit_outcome(study: Study, outcome: Measure, sex: str) -> Fit | None:
    """Fit an outcome on age and BMI, and in all (``both``) on sex as well."""
    data = model_data(study, outcome, sex)
    if data is None:
        return None
    covariates = ["age_years", "bmi_kg_m2", *(["male"] if sex == "both" else [])]
    return fit(data, "outcome", covariates, study.parameters.confidence)


def fit_all(study: Study) -> dict[tuple[str, str], Fit | None]:
    """Fit both outcomes, pooled (``"both"``) and by sex."""
    return {
        (name, sex): fit_outcome(study, outcome, sex)
        for name, outcome in OUTCOMES.items()
        for sex in ("both", *SEXES)
    }


def coefficients(fits: dict[tuple[str, str], Fit | None]) -> pd.DataFrame:
    """Return every term of every model: ``outcome``, ``sex``, ``term``, `COLUMNS`, ``r2``."""
    rows = []
    for (outcome, sex), fitted in fits.items():
        if fitted is None:
            terms = pd.DataFrame({"term": ["age", "bmi", *(["sex"] if sex == "both" else [])]})
            terms = terms.reindex(columns=["term", *COLUMNS])
        else:
            terms = fitted.terms
        rows.append(terms.assign(outcome=outcome, sex=sex, r2=fitted.r2 if fitted else np.nan))
    table = pd.concat(rows, ignore_index=True)
    return table[["outcome", "sex", "term", *COLUMNS, "r2"]]


def coefficient_digits(outcome: Measure, term: str) -> int:
    """Return the decimals of a coefficient: one more for a single year or kg/m²."""
    return outcome.digits + (term != "sex")


def regression_table(study: Study, table: pd.DataFrame) -> Table:
    """Return all `coefficients` as a table of the manuscript."""
    words = {"both": "All", **SEXES}
    text = []
    for row in table.to_dict("records"):
        name = row["outcome"]
        outcome = OUTCOMES[name]
        missing = pd.isna(row["p"])
        text.append(
            {
                "Outcome": SHORT_NAMES[name],
                "Among": words[row["sex"]],
                "Term": TERM_TEXT[row["term"]],
                "Coefficient (CI)": estimate(
                    row["coefficient"],
                    row["low"],
                    row["high"],
                    coefficient_digits(outcome, row["term"]),
                ),
                "Standardised (CI)": estimate(
                    row["standardised"], row["standardised_low"], row["standardised_high"], 2
                ),
                "p": MARK if missing else format_p(row["p"]),
                "Partial R²": MARK if missing else format_number(row["partial_r2"], 3),
            }
        )
    percent = format_number(100 * study.parameters.confidence)
    models = table.drop_duplicates(["outcome", "sex"])
    r2 = "; ".join(
        f"{SHORT_NAMES[name].split(' (')[0]}: "
        + ", ".join(
            f"{words[row.sex].lower()} {MARK if pd.isna(row.r2) else format_number(row.r2, 2)}"
            for row in rows.itertuples()
        )
        for name, rows in models.groupby("outcome", sort=False)
    )
    caption = (
        f"Linear regression of the outcomes on age, BMI and sex ({study.sizes}), with {percent} % "
        "confidence intervals (CI) and p-values from errors robust to heteroscedasticity (HC3); p "
        f"is not corrected. CSA: total {study.psoas} cross-sectional area. Standardised: per SD of "
        "age and of BMI, in SDs of the outcome. Partial R²: share that the term explains of what "
        f"the others leave over. R² of the models: {r2}. "
        f"{MARK}: not estimable." + study.origin
    )
    return Table(table, without_repeats(pd.DataFrame(text), "Outcome"), caption, name="regression")

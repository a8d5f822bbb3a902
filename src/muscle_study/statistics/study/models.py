"""The declared models: participants, design and printed terms."""

import re

import numpy as np
import pandas as pd
from formulaic import Formula
from formulaic.errors import FormulaicError

from muscle_study.protocol.covariates import Covariate
from muscle_study.statistics.parameters import Model
from muscle_study.statistics.study.measures import Measure
from muscle_study.statistics.study.study import Study

#: Names of the usual terms in tables and numbers, by the design's column.
TERMS = {
    "Intercept": "intercept",
    "age_years": "age",
    "bmi_kg_m2": "bmi",
    "sex[T.male]": "sex",
}

#: The covariates of the paper's models.
_PAPER = {"sex", "age_years", "bmi_kg_m2"}

_LEVEL = re.compile(r"(?P<factor>.+)\[(?:T\.)?(?P<level>.+)\]$")


def variables_of(model: Model) -> list[str]:
    """Return the covariates that the formula needs, sorted."""
    return sorted(str(name) for name in Formula(model.formula).required_variables)


def paper_models(study: Study) -> list[Model]:
    """Return the models on age, BMI and sex alone."""
    return [
        model
        for model in study.parameters.models
        if model.subset is None and set(variables_of(model)) <= _PAPER
    ]


def model_data(study: Study, outcome: Measure, sex: str) -> pd.DataFrame | None:
    """Return the people of a sex, or of ``both``, with ``outcome`` in its unit and ``male``.

    None where there are too few to be described.
    """
    people = study.people if sex == "both" else study.of_sex(sex)
    hidden = study.hidden_sexes if sex == "both" else study.hidden_sexes & {sex}
    if hidden or len(people) < study.min_count:
        return None
    return with_outcome(people, outcome)


def with_outcome(people: pd.DataFrame, outcome: Measure) -> pd.DataFrame:
    """Add ``outcome``, in its printed unit, and ``male``, 0 or 1."""
    return people.assign(
        male=(people["sex"] == "male").astype(float), outcome=outcome.values(people)
    )


def people_of(study: Study, model: Model, outcome: Measure) -> pd.DataFrame | None:
    """Return the data of a model as `model_data`; None with too few people."""
    data = model_data(study, outcome, model.sex)
    if data is None:
        return None
    chosen = in_subset(model, data)
    return chosen if len(chosen) >= study.min_count else None


def in_subset(model: Model, people: pd.DataFrame) -> pd.DataFrame:
    """Return the people of the model's subset."""
    return people if model.subset is None else people[people.eval(model.subset)]


def design_of(model: Model, data: pd.DataFrame, known: dict[str, Covariate]) -> pd.DataFrame:
    """Return the design of the people with every covariate known, the intercept first.

    Categorical covariates have a column for each level but the reference level.
    """
    columns = {}
    for name in variables_of(model):
        covariate, values = known[name], data[name]
        if levels := covariate.level_names:
            reference = covariate.reference_level
            order = [reference, *(level for level in levels if level != reference)]
            values = pd.Series(pd.Categorical(values, order), index=data.index)
        columns[name] = values
    complete = pd.DataFrame(columns, index=data.index).dropna()
    return pd.DataFrame(Formula(model.formula).get_model_matrix(complete).astype(float))


def complete_cases(
    model: Model, data: pd.DataFrame, known: dict[str, Covariate]
) -> tuple[pd.Series, pd.DataFrame]:
    """Return outcome and design of the people whose outcome and covariates are known."""
    design = design_of(model, data[data["outcome"].notna()], known)
    return data.loc[design.index, "outcome"].astype(float), design


def term_name(column: str) -> str:
    """Return the name of a design's column in tables and numbers, e.g. ``age``."""
    return TERMS.get(column, column)


def term_names(study: Study, model: Model) -> list[str]:
    """Return the terms of a model without the intercept, whatever the data."""
    n = 60
    made_up = pd.DataFrame(
        {
            name: np.resize(covariate.level_names or np.linspace(20, 60, n), n)
            for name, covariate in study.known.items()
        }
    )
    return [term_name(column) for column in design_of(model, made_up, study.known).columns[1:]]


def number_name(term: str) -> str:
    """Return a term's name in the numbers of the text, e.g. ``smoking_former``."""
    return re.sub(r"\W+", "_", term.replace("[T.", "_")).strip("_")


def term_text(study: Study, term: str) -> str:
    """Return a term as printed, e.g. ``age, per year`` or ``smoking: former − never``."""
    column = {name: column for column, name in TERMS.items()}.get(term, term)
    known = study.known
    factors = re.split(r":(?![^\[(]*[\])])", column)
    if len(factors) > 1:
        return " × ".join(_factor_text(factor, known) for factor in factors)
    if column == "sex[T.male]":
        return "men − women"
    if column in known:
        covariate = known[column]
        per = _singular(covariate.unit)
        return f"{covariate.label}, per {per}" if per else covariate.label
    level = _LEVEL.match(column)
    if level and level["factor"] in known:
        covariate = known[level["factor"]]
        return f"{covariate.label}: {level['level']} − {covariate.reference_level}"
    return column


def models_text(study: Study) -> str:
    """Return the covariates of each model, e.g. ``all: age, BMI and sex; men: age and BMI``."""
    known = study.known
    models = []
    for model in study.parameters.models:
        order = [name for name in re.findall(r"\w+", model.formula) if name in known]
        *names, last = dict.fromkeys(known[name].label for name in order)
        text = f"{', '.join(names)} and {last}" if names else last
        among = f" ({model.subset})" if model.subset else ""
        models.append(f"{model.title.lower()}: {text}{among}")
    return "; ".join(models)


def _factor_text(factor: str, known: dict[str, Covariate]) -> str:
    level = _LEVEL.match(factor)
    name = level["factor"] if level else factor
    label = known[name].label if name in known else name
    return f"{label} {level['level']}" if level else label


def _singular(unit: str | None) -> str | None:
    """Return the unit that a coefficient is per: ``year`` for years; None without unit."""
    if unit in (None, "1"):
        return None
    return unit.removesuffix("s") if unit.isalpha() and len(unit) > 3 else unit


def coefficient_digits(outcome: Measure, term: str) -> int:
    """Return a coefficient's decimals: one more for a continuous covariate than for a level."""
    return outcome.digits + (term != "sex" and not term.endswith("]"))


def check_data(study: Study) -> None:
    """Check that the declared models can be fitted to the run's participants.

    Raises
    ------
    ValueError
        Naming the key of a model with a covariate or level that no participant has, a subset that
        leaves too few, or a formula that cannot be evaluated.
    """
    for place, model in enumerate(study.parameters.models):
        key = f"statistics.models[{place}]"
        people = study.everyone
        if model.sex != "both":
            people = people[people["sex"] == model.sex]
        if len(people) < study.min_count:
            continue  # the run is too small for any model, whatever is declared
        if missing := sorted(set(variables_of(model)) - set(people)):
            raise ValueError(
                f"{key}.formula: the run's participants have no {', '.join(missing)}: run the "
                "stages from curation on again, or leave it out"
            )
        chosen = in_subset(model, people)
        fewest = max(study.min_count, 2 + _count_terms(study, key, model, chosen))
        if model.subset is not None and len(chosen) <= fewest:
            raise ValueError(
                f"{key}.subset: {model.subset!r} leaves too few participants for "
                f"{model.formula!r}, which needs more than {fewest}: choose a wider one"
            )
        for name in variables_of(model):
            levels = study.known[name].level_names if name != "sex" else []
            if absent := [level for level in levels if level not in set(chosen[name])]:
                raise ValueError(
                    f"{key}.formula: no participant of the model has {name} {', '.join(absent)}: "
                    "remove the level from the covariate's declaration, or choose another subset"
                )


def _count_terms(study: Study, key: str, model: Model, people: pd.DataFrame) -> int:
    """Return the number of a model's terms if its formula can be evaluated."""
    try:
        if len(people):
            design_of(model, people, study.known)
        return len(term_names(study, model))
    except (FormulaicError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{key}.formula: {model.formula!r} cannot be evaluated: {reason}"
        ) from None

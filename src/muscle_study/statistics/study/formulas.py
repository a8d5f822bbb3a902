"""Checks of the declared models before any data are read.

This module is imported whenever a parameter file is read, so it loads formulaic only to check.
"""

import ast
from collections.abc import Sequence

from muscle_study.protocol.covariates import BUILT_IN, Covariate
from muscle_study.statistics.parameters import Model


def check_models(models: Sequence[Model], covariates: Sequence[Covariate]) -> None:
    """Check names, formulas and subsets of models.

    Parameters
    ----------
    models
        The section ``statistics.models``.
    covariates
        The declared covariates, without the built-in ones.

    Raises
    ------
    ValueError
        Naming the key, e.g. ``statistics.models[1].formula``, and the remedy.
    """
    known = {covariate.name: covariate for covariate in (*BUILT_IN, *covariates)}
    names = [model.name for model in models]
    for place, model in enumerate(models):
        key = f"statistics.models[{place}]"
        if model.name in names[:place]:
            raise ValueError(f"{key}.name: another model is called {model.name}")
        factors, used = _parse_formula(f"{key}.formula", model.formula)
        if not used:
            raise ValueError(f"{key}.formula: {model.formula!r} has no covariate")
        _check_known(f"{key}.formula", used, known)
        if "sex" in used and model.sex != "both":
            raise ValueError(
                f"{key}.formula: sex does not vary, because {key}.sex is {model.sex}: leave it out"
            )
        for factor in factors:
            _check_levels(f"{key}.formula", ast.parse(factor, mode="eval"), known)
        if model.subset is not None:
            _check_subset(f"{key}.subset", model.subset, known)


def _parse_formula(key: str, formula: str) -> tuple[list[str], set[str]]:
    """Return the factors that are Python expressions, and the covariates that a formula needs."""
    from formulaic import Formula, SimpleFormula
    from formulaic.errors import FormulaicError

    try:
        parsed = Formula(formula)
    except FormulaicError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"{key}: {formula!r} is no formula: {reason}") from None
    if not isinstance(parsed, SimpleFormula):
        raise ValueError(
            f"{key}: {formula!r} has more than a right-hand side: write the covariates alone, such "
            "as age_years + bmi_kg_m2, and the outcomes in `outcomes`"
        )
    factors = {factor for term in parsed for factor in term.factors}
    if "1" not in {factor.expr for factor in factors}:
        raise ValueError(f"{key}: {formula!r} removes the intercept, which every model here has")
    expressions = sorted(factor.expr for factor in factors if factor.eval_method.value == "python")
    return expressions, {str(name) for name in parsed.required_variables}


def _check_subset(key: str, subset: str, known: dict[str, Covariate]) -> None:
    try:
        tree = ast.parse(subset, mode="eval")
    except SyntaxError:
        raise ValueError(
            f"{key}: {subset!r} is no condition: write one such as age_years >= 40"
        ) from None
    if not isinstance(tree.body, ast.Compare | ast.BoolOp | ast.UnaryOp):
        raise ValueError(f"{key}: {subset!r} compares nothing: write e.g. age_years >= 40")
    _check_known(key, {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}, known)
    _check_levels(key, tree, known)


def _check_known(key: str, used: set[str], known: dict[str, Covariate]) -> None:
    if unknown := sorted(used - set(known)):
        raise ValueError(
            f"{key}: there is no covariate {', '.join(unknown)}. There are: {', '.join(known)}; "
            "others are declared in covariates"
        )


def _check_levels(key: str, tree: ast.AST, known: dict[str, Covariate]) -> None:
    """Check text beside a categorical covariate, in a comparison or a call such as ``C``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare | ast.Call):
            continue
        inside = list(ast.walk(node))
        names = [part.id for part in inside if isinstance(part, ast.Name) and part.id in known]
        levels = {level for name in names for level in known[name].level_names}
        texts = {part.value for part in inside if isinstance(part, ast.Constant)}
        wrong = sorted(text for text in texts if isinstance(text, str) and text not in levels)
        if levels and wrong:
            raise ValueError(
                f"{key}: {names[0]} has no level {', '.join(wrong)}. Its levels are: "
                f"{', '.join(sorted(levels))}"
            )

"""The declared models: tables, figure, diagnostics, interactions."""

from dataclasses import replace

import numpy as np
import pytest

from muscle_study.protocol.covariates import Covariate
from muscle_study.statistics.analyses.muscle_size.diagnostics import diagnostics
from muscle_study.statistics.analyses.muscle_size.interactions import (
    fit_interactions,
    interactions,
)
from muscle_study.statistics.analyses.muscle_size.regression import (
    model_coefficients,
    regression,
    slopes,
)
from muscle_study.statistics.methods.linear import fit
from muscle_study.statistics.parameters import PAPER_MODELS, Model
from muscle_study.statistics.study.formulas import check_models
from muscle_study.statistics.study.measures import CSA
from muscle_study.statistics.study.models import check_data, model_data, term_names, term_text

SMOKING = Covariate(
    name="smoking", label="smoking", kind="categorical", levels=["never", "former", "current"]
)
STEPS = Covariate(name="steps", label="steps", kind="continuous", unit="1000")

ADJUSTED = Model(name="adjusted", title="All, adjusted", formula="age_years + sex + smoking")


def with_models(study, *models):
    """Return the study with models, and smoking, which costs former smokers 2 cm²."""
    people = study.everyone
    smoking = np.resize(SMOKING.level_names, len(people))
    csa = people["psoas_csa_total_cm2"] - 2 * (smoking == "former")
    return replace(
        study,
        everyone=people.assign(smoking=smoking, psoas_csa_total_cm2=csa),
        parameters=study.parameters.model_copy(update={"models": [*PAPER_MODELS, *models]}),
        covariates=(SMOKING, STEPS),
    )


def test_models_of_a_run(study):
    table = slopes(study)
    assert len(table) == 14
    pooled = table[(table["outcome"] == "csa") & (table["sex"] == "both")].set_index("term")
    # what the made-up measures were drawn with: -0.06 a year, 0.25 per kg/m²
    for term, true in (("age", -0.06), ("bmi", 0.25), ("sex", 13.4)):
        assert pooled.loc[term, "low"] < true < pooled.loc[term, "high"]
    text = regression(study).table.text
    assert text["Outcome"].tolist().count("") == 12
    assert text["Term"].tolist()[:3] == ["age, per year", "BMI, per kg/m²", "men − women"]


def test_a_formula_is_the_regression_on_its_columns(study):
    """Formula and columns chosen by hand give the same fit, to the last digit."""
    by_hand = fit(
        model_data(study, CSA, "both"), "outcome", ["age_years", "bmi_kg_m2", "male"], 0.95
    )
    declared = model_coefficients(study).query("outcome == 'csa' and model == 'all'")
    columns = ["coefficient", "standard_error", "p", "standardised_low", "partial_r2"]
    assert (
        declared[columns].iloc[1:].to_numpy().tolist() == by_hand.terms[columns].to_numpy().tolist()
    )
    intercept = declared.iloc[0]
    assert intercept["term"] == "intercept"
    assert intercept["coefficient"] == by_hand.result.params["Intercept"]
    assert intercept[["n", "degrees_of_freedom"]].tolist() == [
        len(study.people),
        len(study.people) - 4,
    ]


def test_an_adjusted_model_needs_its_declaration_alone(study):
    adjusted = with_models(study, ADJUSTED)
    table = slopes(adjusted)
    others = table[table["model"] != "adjusted"].reset_index(drop=True)
    assert others.equals(slopes(with_models(study)))
    own = table[(table["model"] == "adjusted") & (table["outcome"] == "csa")].set_index("term")
    assert own.loc["smoking[T.former]", "low"] < -2 < own.loc["smoking[T.former]", "high"] < 0
    assert own.loc["smoking[T.current]", "low"] < 0 < own.loc["smoking[T.current]", "high"]
    result = regression(adjusted)
    text = result.table.text
    assert "smoking: former − never" in set(text.loc[text["Among"] == "All, adjusted", "Term"])
    assert "all, adjusted: age, sex and smoking" in result.table.caption
    numbers = dict(result.numbers.items())
    former = numbers["regression.adjusted.csa.smoking_former"]
    assert former.value == own.loc["smoking[T.former]", "coefficient"]
    assert numbers["regression.csa.age"].value != numbers["regression.adjusted.csa.age"].value
    assert len(diagnostics(adjusted).table.data) == 8


def test_a_subset_and_one_outcome(study):
    old = Model(
        name="old", title="From 40", formula="age_years", subset="age_years >= 40", outcomes=["csa"]
    )
    people = study.people.query("age_years >= 40")
    row = slopes(with_models(study, old)).query("model == 'old'").iloc[0]
    assert row["n"] == len(people)
    assert row["outcome"] == "csa"


def test_the_figure_draws_each_model_at_its_estimate(study):
    adjusted = with_models(study, ADJUSTED)
    table = slopes(adjusted)
    figure = regression(adjusted).figure.figure
    for axes, outcome in zip(figure.axes, ("csa", "gluteus"), strict=True):
        drawn = sorted(line.get_xdata()[0] for line in axes.lines if line.get_marker() != "None")
        own = table[table["outcome"] == outcome]
        assert drawn == pytest.approx(sorted(own["standardised"]))
        ends = sorted(float(x) for lines in axes.collections for x in lines.get_segments()[0][:, 0])
        assert ends == pytest.approx(sorted([*own["standardised_low"], *own["standardised_high"]]))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == list(dict.fromkeys(term_text(adjusted, term) for term in table["term"]))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["All", "Men", "Women", "All, adjusted"]


@pytest.mark.parametrize(
    ("formula", "terms"),
    [
        ("age_years * sex", ["age, per year", "men − women", "age × sex male"]),
        ("smoking", ["smoking: former − never", "smoking: current − never"]),
        ("steps", ["steps, per 1000"]),
        ("np.log(weight_kg)", ["np.log(weight_kg)"]),
    ],
)
def test_terms_in_print(study, formula, terms):
    model = Model(name="m", title="M", formula=formula)
    study = replace(study, covariates=(SMOKING, STEPS))
    assert [term_text(study, term) for term in term_names(study, model)] == terms


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"formula": "age_years + sxe"}, r"models\[0\].formula: there is no covariate sxe. There "
         "are: sex, age_years, height_cm, weight_kg, bmi_kg_m2, smoking;"),
        ({"formula": "age_years +"}, r"models\[0\].formula: 'age_years \+' is no formula"),
        ({"formula": "csa ~ age_years"}, r"models\[0\].formula: .* write the covariates alone"),
        ({"formula": "0 + age_years"}, r"models\[0\].formula: .* removes the intercept"),
        ({"formula": "1"}, r"models\[0\].formula: '1' has no covariate"),
        ({"formula": "age_years + sex", "sex": "male"}, r"models\[0\].formula: sex does not vary"),
        ({"formula": "C(smoking, contr.treatment('nevr'))"},
         r"models\[0\].formula: smoking has no level nevr. Its levels are: current, former, never"),
        ({"subset": "age_years >"}, r"models\[0\].subset: 'age_years >' is no condition"),
        ({"subset": "agee > 40"}, r"models\[0\].subset: there is no covariate agee"),
        ({"subset": "smoking == 'often'"}, r"models\[0\].subset: smoking has no level often"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_without_data(changes, message):
    model = Model(**{"name": "m", "title": "M", "formula": "age_years"} | changes)
    with pytest.raises(ValueError, match=message):
        check_models([model], [SMOKING])


def test_two_models_of_one_name():
    model = Model(name="m", title="M", formula="age_years")
    with pytest.raises(ValueError, match=r"models\[1\].name: another model is called m"):
        check_models([model, model], [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"subset": "age_years > 74"}, r"models\[3\].subset: 'age_years > 74' leaves too few"),
        ({"subset": "smoking != 'never'"}, r"models\[3\].formula: no participant .* smoking never"),
        ({"formula": "steps"}, r"models\[3\].formula: the run's participants have no steps"),
        ({"formula": "log(smoking)"}, r"models\[3\].formula: 'log\(smoking\)' cannot be evaluated"),
    ],
)
def test_a_mistake_that_the_data_show(study, changes, message):
    changed = with_models(study, ADJUSTED.model_copy(update=changes))
    with pytest.raises(ValueError, match=message):
        check_data(changed)


def test_interactions_find_what_is_there_and_not_what_is_not(study):
    table = fit_interactions(study).set_index(["outcome", "term"])
    # the made-up measures have none: of six at 5 %, three false ones have a chance of 0.002
    assert (table["p"] < 0.05).sum() < 3
    assert (table["p_holm"] >= table["p"]).all()
    steeper = study.people.assign(
        psoas_csa_total_cm2=lambda people: (
            people["psoas_csa_total_cm2"] - 0.3 * people["age_years"] * (people["sex"] == "male")
        )
    )
    study.__dict__["people"] = steeper  # a cached property
    result = interactions(study)
    changed = result.table.data.set_index(["outcome", "term"]).loc[("csa", "age_male")]
    assert changed["low"] < -0.3 + table.loc[("csa", "age_male"), "coefficient"] < changed["high"]
    assert changed["p_holm"] < 0.001
    assert dict(result.numbers.items())["interaction.csa.age_male_p"].text == "<0.001"


def test_diagnostics_of_a_run(study):
    table = diagnostics(study).table.data
    assert len(table) == 6
    assert table["largest_vif"].between(1, 1.5).all()

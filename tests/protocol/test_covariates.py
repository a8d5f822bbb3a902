import pandas as pd
import pytest
from pydantic import ValidationError

from muscle_study.protocol.covariates import BUILT_IN, Covariate, check_declared

SMOKING = Covariate(
    name="smoking",
    label="smoking",
    kind="categorical",
    column="rauchen",
    levels={"never": 1, "former": 2, "current": 3},
    missing=[9],
)
GRIP = Covariate(name="grip_kg", label="grip strength", kind="continuous", unit="kg", range=[5, 90])


def test_codes_become_levels_however_the_export_writes_them():
    text = pd.Series(["1", "2.0", " 3", "9", "4", None])
    assert SMOKING.values(text).tolist()[:3] == ["never", "former", "current"]
    assert SMOKING.values(text)[3:].isna().all()
    # a code of a missing value is missing; what is no level is there, and unusable
    assert SMOKING.stated(text).isna().tolist() == [False, False, False, True, False, True]


def test_numbers_outside_their_range_are_missing():
    values = GRIP.values(pd.Series(["5", "90.0", "91", "strong", None]))
    assert values.tolist()[:2] == [5, 90]
    assert values[2:].isna().all()


def test_the_first_level_is_the_reference_unless_another_is_named():
    assert (SMOKING.reference_level, GRIP.reference_level) == ("never", None)
    named = Covariate(**SMOKING.model_dump() | {"reference": "former"})
    assert (named.reference_level, named.level_names[0]) == ("former", "never")


def test_titles_name_the_unit():
    assert [GRIP.title, SMOKING.title] == ["Grip strength (kg)", "Smoking"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "ordinal"}, "Input should be 'continuous', 'binary' or 'categorical'"),
        ({"name": "2nd"}, "use letters, digits and _"),
        ({"name": "s" * 33}, "longer than 32 characters"),
        ({"levels": []}, "needs its levels"),
        ({"levels": None}, "needs its levels"),
        ({"levels": ["never"]}, "two levels or more"),
        ({"levels": ["never", "never"]}, "level never is there twice"),
        ({"levels": {"never": 1, "former": "1.0"}}, "code 1 is there twice"),
        ({"kind": "binary"}, "a binary covariate has two levels"),
        ({"reference": "often"}, "'often' is none of its levels (never, former, current)"),
        ({"unit": "packs"}, "has no unit or range"),
    ],
)
def test_a_wrong_declaration_is_named(change, message):
    with pytest.raises(ValidationError, match="1 validation error") as caught:
        Covariate(**SMOKING.model_dump() | change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"range": [90, 5]}, "range must be [lowest, highest]"),
        ({"unit": None}, "needs its unit"),
        ({"levels": ["weak", "strong"]}, "has no levels"),
    ],
)
def test_a_wrong_continuous_declaration_is_named(change, message):
    with pytest.raises(ValidationError) as caught:
        Covariate(**GRIP.model_dump() | change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("grip_kg", "grip_kg is declared twice"),
        ("age_years", "age_years is a column of the study"),
        ("split", "split is a column of the study"),
        ("psoas_csa_total_cm2", "psoas_csa_total_cm2 is a column of the study"),
    ],
)
def test_names_are_the_covariates_own(name, message):
    check_declared([SMOKING, GRIP])
    with pytest.raises(ValueError, match=message):
        check_declared([SMOKING, GRIP, Covariate(**GRIP.model_dump() | {"name": name})])


def test_built_in_covariates_are_the_studys():
    names = [covariate.name for covariate in BUILT_IN]
    assert names == ["sex", "age_years", "height_cm", "weight_kg", "bmi_kg_m2"]

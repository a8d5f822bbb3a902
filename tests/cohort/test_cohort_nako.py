"""The participant table has the NAKO's form."""

import pandas as pd
import pytest

from muscle_study.cohort.export import coded
from muscle_study.cohort.nako import write_participants
from muscle_study.protocol.covariates import Covariate


def test_table_has_semicolons_decimal_commas_and_codes(tmp_path):
    people = pd.DataFrame({
        "participant_id": ["100001", "100002"], "age_years": pd.array([40, None], "Int64"),
        "sex": ["male", "female"], "height_cm": [180.5, 165.0], "weight_kg": [80.0, 61.25],
        "bmi_kg_m2": [24.55, 22.5], "basis_uort": ["A", "E"], "dominant_side": ["right", "left"],
    })  # fmt: skip
    write_participants(people, tmp_path / "participants.csv", ["basis_uort"])
    lines = (tmp_path / "participants.csv").read_text().splitlines()
    assert lines == [
        "ID;basis_age;basis_sex;a_anthro_groe_q;a_anthro_gew_q;a_anthro_bmi_q;basis_uort",
        "100001;40;1;180,5;80,0;24,55;A",
        "100002;7777;2;165,0;61,25;22,5;E",
    ]


def test_declared_covariates_have_the_exports_columns_and_codes():
    people = pd.DataFrame({"centre": ["A", "E"]})
    centre = Covariate(
        name="centre", label="centre", kind="categorical", column="zentrum",
        levels={"A": 11, "E": 15},
    )  # fmt: skip
    assert coded(people, [centre])["zentrum"].tolist() == ["11", "15"]
    unknown = centre.model_copy(update={"name": "grip_kg"})
    with pytest.raises(ValueError, match="grip_kg: the synthetic cohort draws no such variable"):
        coded(people, [unknown])

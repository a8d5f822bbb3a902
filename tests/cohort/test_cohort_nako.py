"""The participant table has the NAKO's form."""

import pandas as pd

from muscle_study.cohort.nako import write_participants


def test_table_has_semicolons_decimal_commas_and_codes(tmp_path):
    people = pd.DataFrame({
        "participant_id": ["100001", "100002"], "age_years": pd.array([40, None], "Int64"),
        "sex": ["male", "female"], "height_cm": [180.5, 165.0], "weight_kg": [80.0, 61.25],
        "bmi_kg_m2": [24.55, 22.5], "centre": ["A", "E"], "dominant_side": ["right", "left"],
    })  # fmt: skip
    write_participants(people, tmp_path / "participants.csv")
    lines = (tmp_path / "participants.csv").read_text().splitlines()
    assert lines == [
        "ID;basis_age;basis_sex;a_anthro_groe_q;a_anthro_gew_q;a_anthro_bmi_q;basis_uort",
        "100001;40;1;180,5;80,0;24,55;A",
        "100002;7777;2;165,0;61,25;22,5;E",
    ]

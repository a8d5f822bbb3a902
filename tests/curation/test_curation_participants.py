"""An invalid participant table stops the run with a helpful message."""

import pytest


def test_missing_table_names_the_file(export, curate):
    (export.folder / "participants.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"participants.csv is missing.*curation.source"):
        curate()


def test_missing_image_folder_names_it(export, curate):
    (export.folder / "images").rename(export.folder / "pictures")
    with pytest.raises(FileNotFoundError, match=r"images is missing"):
        curate()


def test_missing_columns_are_named(export, curate):
    export.table = export.table.rename(columns={"age_years": "basis_age"})
    export.write_table()
    with pytest.raises(ValueError, match=r"column age_years is missing \(found: .*basis_age"):
        curate()


def test_other_separator_is_told(export, curate):
    export.table.to_csv(export.folder / "participants.csv", index=False, sep=";")
    with pytest.raises(ValueError, match="separate them by ','"):
        curate()


def test_binary_file_is_told(export, curate):
    (export.folder / "participants.csv").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="not a CSV table"):
        curate()


@pytest.mark.parametrize("bad", ["", "../100001", "100 001"])
def test_identifier_that_is_no_file_name_stops_with_its_line(export, curate, bad):
    export.table.loc[1, "participant_id"] = bad
    export.write_table()
    with pytest.raises(ValueError, match=r"identifier is missing or has signs other.*line 3"):
        curate()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("age_years", "49,5", "5 of 5 participants: age_years not a number .*49,5"),
        ("height_cm", "1.78", "5 of 5 participants: height_cm outside 130–220"),
        ("sex", "1", "5 of 5 participants: sex neither male nor female"),
        ("weight_kg", "", "5 of 5 participants: weight_kg missing"),
        ("bmi_kg_m2", "30", "5 of 5 participants: over 0.5 kg/m² off"),
    ],
)
def test_fault_of_most_participants_is_the_tables(export, curate, column, value, message):
    export.table[column] = value
    export.write_table()
    with pytest.raises(ValueError, match=message):
        curate()

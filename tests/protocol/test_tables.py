import pandas as pd
import pytest

from muscle_study.protocol.files import read_table, write_table
from muscle_study.protocol.paths import ROOT
from muscle_study.protocol.tables import SCHEMAS, TABLES, TableError, documented


@pytest.fixture
def flow(tmp_path):
    table = pd.DataFrame({"step": ["in the export"], "participants": [5], "excluded": [0]})
    return table, tmp_path / "curated" / "flow.csv"


def test_what_its_schema_allows_is_written_and_read(flow):
    table, path = flow
    write_table(table, path)
    assert read_table(path).equals(table)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"participants": ["five"]}, "column participants is no whole"),
        ({"participants": [4.5]}, "column participants is no whole"),
        ({"left": [1]}, "column left is unknown"),
    ],
)
def test_what_it_does_not_allow_is_named_with_file_column_and_stage(flow, change, message):
    table, path = flow
    with pytest.raises(TableError) as caught:
        write_table(table.assign(**change), path)
    assert str(caught.value) == f"{path}: {message}. Run the stage curation again"
    assert not path.exists()


def test_reading_checks_what_is_on_disk(flow):
    table, path = flow
    path.parent.mkdir()
    table.drop(columns="step").to_csv(path, index=False)
    with pytest.raises(TableError, match=r"flow.csv: column step is missing. Run the stage cur"):
        read_table(path)


def test_codes_and_empty_cells_are_checked(tmp_path):
    table = pd.DataFrame({"participant_id": [None], "stage": "curation", "reason": "bad luck",
                          "detail": ""})  # fmt: skip
    with pytest.raises(TableError) as caught:
        write_table(table, tmp_path / "curated" / "exclusions.csv")
    assert "column participant_id has empty cells" in str(caught.value)
    assert "column reason is none of consent_withdrawn, " in str(caught.value)
    assert "(bad luck)" in str(caught.value)


def test_declared_covariates_are_further_columns(tmp_path):
    columns = TABLES["curated/excluded_people.csv"].columns
    table = pd.DataFrame({column.name: [] for column in columns} | {"smoking": []})
    write_table(table, tmp_path / "curated" / "excluded_people.csv")


def test_other_tables_pass(tmp_path):
    write_table(pd.DataFrame({"a": [1]}), tmp_path / "tables" / "flow.csv")


def test_each_table_is_declared_once():
    assert len(TABLES) == len(SCHEMAS)
    for schema in SCHEMAS:
        names = [column.name for column in schema.columns]
        assert len(names) == len(set(names)), schema.place


def test_the_readme_lists_the_tables_as_declared():
    readme = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert all(schema.markdown() in readme for schema in SCHEMAS)
    assert documented(readme) == readme, "write documented(…) to data/README.md"

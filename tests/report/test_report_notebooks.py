import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from muscle_study.paths import MANUSCRIPT
from muscle_study.report.notebooks import (
    anchor,
    read_notebook,
    read_notebooks,
    source_link,
    write_pages,
)


@pytest.fixture
def notebooks(tmp_path):
    cells = [
        new_markdown_cell("# Story"),
        new_code_cell("#| label: tbl-measures_by_age\n1"),
        new_code_cell("x = 1"),
    ]
    for name in ("04_measurement", "05_statistics"):
        node = new_notebook(cells=cells if name.startswith("05") else [new_markdown_cell("m")])
        nbformat.write(node, tmp_path / f"{name}.ipynb")
    nbformat.write(new_notebook(), tmp_path / "05_statistics.failed.ipynb")
    return read_notebooks(tmp_path)


def test_notebooks_come_in_the_stages_order_without_failed_ones(notebooks):
    assert [n.path.name for n in notebooks] == ["04_measurement.ipynb", "05_statistics.ipynb"]


def test_anchor_is_written_as_references_are():
    assert anchor("tbl-measures_by_age") == "tbl-measures-by-age"


@pytest.mark.parametrize("label", ["tbl-measures-by-age", "tbl-measures_by_age"])
def test_link_leads_to_the_labelled_cell(notebooks, label):
    assert source_link(label, notebooks) == "notebooks/05_statistics.html#tbl-measures-by-age"


def test_link_without_such_a_cell_leads_to_the_stages_page(notebooks):
    assert source_link("fig-none", notebooks) == "notebooks/05_statistics.html"


def test_only_code_cells_are_labelled(tmp_path):
    path = tmp_path / "n.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("#| label: fig-a")]), path)
    assert read_notebook(path).anchors == frozenset()


def test_pages_need_no_network_and_lead_back(notebooks, tmp_path):
    style = MANUSCRIPT / "style"
    pages = write_pages(
        notebooks, style / "notebook.html", [style / "page.css"], "Made up", tmp_path / "pages"
    )
    html = pages[1].read_text(encoding="utf-8")
    assert 'id="tbl-measures-by-age"' in html
    assert 'href="../manuscript.html"' in html
    assert 'href="04_measurement.html"' in html
    assert "Made up" in html
    assert "<script" not in html and "http" not in html


def test_missing_notebooks_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no executed notebook"):
        read_notebooks(tmp_path)

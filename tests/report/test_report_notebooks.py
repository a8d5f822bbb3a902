import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from muscle_study.protocol.paths import MANUSCRIPT
from muscle_study.publishing.numbers import Number
from muscle_study.report.errors import ReportError
from muscle_study.report.notebooks import linked, read_notebooks, source_link, write_pages

WARNING = "/home/me/env/x.py: a warning"


@pytest.fixture
def notebooks(tmp_path):
    shown = new_output("display_data", {"text/html": '<span id="result-measures-by-age"></span>'})
    cells = [
        new_markdown_cell("# Story"),
        new_code_cell("publish(measures_by_age(study))", outputs=[shown]),
        new_code_cell("x = 1", outputs=[new_output("stream", name="stderr", text=WARNING)]),
    ]
    for name in ("04_measurement", "05_statistics"):
        node = new_notebook(cells=cells if name.startswith("05") else [new_markdown_cell("m")])
        nbformat.write(node, tmp_path / f"{name}.ipynb")
    nbformat.write(new_notebook(), tmp_path / "05_statistics.failed.ipynb")
    return read_notebooks(tmp_path)


def test_notebooks_come_in_the_stages_order_without_failed_ones(notebooks):
    assert [n.path.name for n in notebooks] == ["04_measurement.ipynb", "05_statistics.ipynb"]


def test_link_leads_to_the_result(notebooks):
    link = source_link("measures_by_age", notebooks)
    assert link == "notebooks/05_statistics.html#result-measures-by-age"


def test_link_of_a_result_of_no_notebook_leads_to_the_statistics(notebooks):
    assert source_link("none", notebooks) == "notebooks/05_statistics.html"


@pytest.mark.parametrize(
    ("name", "text", "cell", "link"),
    [
        ("csa.mean", "37.9 cm²", "measures_by_age", True),
        ("csa.peak", "<30", "measures_by_age", True),
        ("csa.mean", "not estimable", "measures_by_age", False),
        ("study.run", "run2", "measures_by_age", False),
        ("replicates.count", "1,000", "replicates", False),
    ],
)
def test_a_number_links_to_its_result(notebooks, name, text, cell, link):
    to = "notebooks/05_statistics.html#result-measures-by-age"
    expected = f'[{text}]({to} "Computed for measures_by_age"){{.number}}' if link else text
    assert linked(name, Number(text, None, cell), notebooks) == expected


def test_a_result_knows_the_cell_that_published_it(notebooks):
    assert notebooks[0].sources == {}
    assert notebooks[1].sources == {"result-measures-by-age": "publish(measures_by_age(study))"}


@pytest.fixture
def pages(notebooks, tmp_path):
    style = MANUSCRIPT / "style"
    template, styles = style / "notebook.html", [style / "page.css"]
    made = write_pages(notebooks, template, styles, "Made up", ["/home/me"], tmp_path / "pages")
    return [path.read_text(encoding="utf-8") for path in made]


def test_pages_need_no_network_and_lead_back(pages):
    assert 'id="result-measures-by-age"' in pages[1]
    assert 'href="../manuscript.html"' in pages[1]
    assert 'href="04_measurement.html"' in pages[1]
    assert "Made up" in pages[1]
    assert "<script" not in pages[1] and "http" not in pages[1]


def test_pages_name_no_folder_of_the_machine(pages):
    assert "env/x.py: a warning" in pages[1]
    assert "/home/me" not in pages[1]


def test_missing_notebooks_are_named(tmp_path):
    with pytest.raises(ReportError, match="holds no executed notebook"):
        read_notebooks(tmp_path)

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from muscle_study.protocol.files import write_text
from muscle_study.protocol.paths import ROOT
from muscle_study.report.check import check, find_identifiers, find_unresolved, html_text
from muscle_study.report.errors import ReportError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("mean ?var:csa.mean cm²", ["?var:csa.mean"]),
        ("see ?@fig-age", ["?@fig-age"]),
        ("see ?fig-age and ?tbl-x", ["?fig-age", "?tbl-x"]),
        ("Figure ??", ["??"]),
        ("{{< var a >}}", ["{{< var a "]),
        ("cited [kiefer2026?]", ["[kiefer2026?"]),
        ("Is this so? Yes (really?).", []),
    ],
)
def test_unresolved_marks_are_found(text, found):
    assert find_unresolved(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("participant 100129 was", ["100129"]),
        ("100129_30_3D_GRE.nii.gz", ["100129"]),
        ("0.100129 and 1,100129", []),
        ("1100129 and 1001290", []),
        ("subject sub-01a here", ["sub-01a"]),
        ("12 participants", []),
    ],
)
def test_identifiers_are_found_as_words(text, found):
    assert find_identifiers(text, ["100129", "sub-01a", "12"]) == found


def test_text_of_a_page_leaves_out_scripts_and_data():
    html = (
        '<style>a1</style><script>if (a ?? b) x()</script><p title="t">seen</p>'
        '<img alt="words" src="data:image/png;base64,100129"><!-- drawn -->'
    )
    text = html_text(html)
    assert all(word in text for word in ("seen", "t", "words", "drawn"))
    assert not any(word in text for word in ("??", "a1", "100129"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("manuscript.html", "<p>?var:dice.psoas</p>", r"manuscript.html shows .*\?var:dice.psoas"),
        ("manuscript.typ", r"See ?\@fig-age", r"manuscript.typ shows .*\?@fig-age"),
        ("05_statistics.html", "<pre>100129</pre>", r"05_statistics.html .* identifier 100129"),
        ("flow.svg", "<svg><!-- 100131 --></svg>", r"flow.svg .* identifier 100131"),
        ("02_training.html", f"<pre>{ROOT}/x</pre>", r"02_training.html .* folder .*"),
        ("04_measurement.html", "<td>2019-03-07</td>", r"04_measurement.html .* date 2019-03-07"),
        ("age.svg", "<svg><text>born 7.3.1960</text></svg>", r"age.svg .* date 7.3.1960"),
        (
            "manuscript.html",
            '<script type="application/json">{"id": 100129}</script>',
            r"manuscript.html .* identifier 100129",
        ),
        ("flow.html", '<g data-points="[100131]"></g>', r"flow.html .* identifier 100131"),
        ("01_curation.html", "<pre>(0008,0020) DA: 20190307</pre>", r"curation.* date 20190307"),
        ("age.svg", "<svg><!-- PatientBirthDate 19600307 --></svg>", r"age.svg .* date 19600307"),
        (
            "05_statistics.html",
            '<script type="application/vnd.vegalite.v5+json">{"x": "20190307", "y": 1}</script>',
            r"05_statistics.html .* date 20190307",
        ),
    ],
)
def test_check_names_file_and_finding(make_run, tmp_path, name, text, message):
    paths = make_run()
    page = tmp_path / name
    page.write_text(text, encoding="utf-8")
    manuscripts = [page] if page.stem == "manuscript" else []
    with pytest.raises(ReportError, match=message):
        check(manuscripts, [] if manuscripts else [page], paths)


def test_records_are_searched_for_participants_alone(make_run, tmp_path):
    paths = make_run()
    record = tmp_path / "manifest.json"
    record.write_text(f'{{"started": "2026-01-08", "folder": "{ROOT}/x"}}')
    check([], [], paths, [record])
    cell = new_code_cell("show()", outputs=[new_output("stream", text="kept 100129 only")])
    picture = new_output("display_data", data={"image/png": "a/100131/b"})
    notebook = tmp_path / "01_curation.ipynb"
    nbformat.write(new_notebook(cells=[cell, new_code_cell("", outputs=[picture])]), notebook)
    with pytest.raises(ReportError, match=r"01_curation.ipynb .* identifier 100129$"):
        check([], [], paths, [notebook])


def test_a_references_date_is_no_participants(make_run, tmp_path):
    page = tmp_path / "manuscript.html"
    page.write_text("<p>Versions 1.4.2, 10.1038/s41592-020-01008-z, 2019-2020</p>")
    check([page], [], make_run())


def test_marks_in_a_notebooks_code_are_no_fault(make_run, tmp_path):
    page = tmp_path / "05_statistics.html"
    page.write_text("<pre>{{< var >}} ??</pre>", encoding="utf-8")
    check([], [page], make_run())


def test_a_seed_is_no_day(make_run, tmp_path):
    paths = make_run()
    page = tmp_path / "05_statistics.html"
    page.write_text("<pre>seed = 20260108</pre>", encoding="utf-8")
    with pytest.raises(ReportError, match="date 20260108"):
        check([], [page], paths)
    write_text('{"seed": 20260108}', paths.parameters / "statistics.json")
    check([], [page], paths)


def test_a_references_page_is_no_identifier(make_run, tmp_path):
    paths = make_run()
    (paths.curated / "participants.csv").write_text("participant_id\n106236\n")
    page = tmp_path / "manuscript.html"
    page.write_text("<p>Comput Methods Programs Biomed 2021; 208:106236</p>", encoding="utf-8")
    check([page], [], paths)


def test_identifiers_must_be_known(make_run):
    paths = make_run()
    (paths.curated / "participants.csv").unlink()
    with pytest.raises(ReportError, match="run the curation stage first"):
        check([], [], paths)

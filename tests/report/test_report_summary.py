import pytest

from muscle_study.report.summary import summary


def test_summary_fits_a_screen_and_reads_from_files(make_run):
    make_run()
    text = summary("tiny")
    lines = text.splitlines()
    assert len(lines) <= 24 and max(map(len, lines)) <= 80
    assert "Run tiny (synthetic)" in text
    assert "in the source" in text
    assert "curation              12       456" in text


def test_rendered_files_are_named(make_run):
    paths = make_run()
    (paths.reports / "manuscript.pdf").write_bytes(b"%PDF")
    text = summary("tiny")
    assert "PDF" in text and "HTML" not in text


def test_missing_number_is_named(make_run):
    paths = make_run()
    (paths.numbers / "statistics.json").write_text("{}")
    with pytest.raises(KeyError, match=r"study\.kind"):
        summary("tiny")

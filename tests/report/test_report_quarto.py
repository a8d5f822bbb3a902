"""Calls of Quarto, replaced by a script."""

import os

import pytest

from muscle_study.report import quarto
from muscle_study.report.errors import ReportError

SCRIPT = """#!/bin/sh
[ "$1" = --version ] && echo 1.9.38 && exit
echo "$@" >> calls
case "$4" in
  html) echo page > manuscript.html ;;
  typst) echo page > manuscript.pdf; echo source > manuscript.typ ;;
esac
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return a function that puts a script called quarto on the PATH."""

    def put(script):
        path = tmp_path / "bin" / "quarto"
        path.parent.mkdir()
        path.write_text(script)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def test_quarto_is_found_and_named(install):
    install(SCRIPT)
    assert quarto.available()
    assert quarto.description() == "Quarto 1.9.38"


def test_each_format_is_rendered_in_the_project(install, tmp_path):
    install(SCRIPT)
    made = quarto.render(tmp_path, ["html", "pdf"])
    assert [path.name for path in made] == ["manuscript.html", "manuscript.pdf", "manuscript.typ"]
    assert (tmp_path / "calls").read_text().splitlines() == [
        "render manuscript.qmd --to html",
        "render manuscript.qmd --to typst",
    ]


def test_quartos_failure_is_passed_on(install, tmp_path):
    install("#!/bin/sh\necho 'no such thing' >&2\nexit 3\n")
    with pytest.raises(ReportError, match=r"render manuscript\.qmd --to html failed:\nno such"):
        quarto.render(tmp_path, ["html"])


def test_success_without_a_file_is_a_failure(install, tmp_path):
    install("#!/bin/sh\n")
    with pytest.raises(ReportError, match=r"did not write manuscript\.html"):
        quarto.render(tmp_path, ["html"])

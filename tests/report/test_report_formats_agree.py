"""HTML and PDF show the same numbers equally often."""

import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser

import pytest

from muscle_study.report import render as stage

NUMBER = re.compile(r"−?\d+(?:[.,]\d+)*")

#: What only the page has: scripts, drawings, the look-up, the list of numbers.
ONLY_IN_HTML = ("script", "style", "svg", "form", "details")

#: Elements without an end.
VOID = ("img", "br", "input", "col", "hr", "meta", "link")


class _Main(HTMLParser):
    """Collects the text of the main part but for `ONLY_IN_HTML`."""

    def __init__(self):
        super().__init__()
        self.text, self.inside, self.skipped = [], False, 0

    def handle_starttag(self, tag, attributes):
        self.inside |= tag == "main"
        if tag not in VOID and (self.skipped or tag in ONLY_IN_HTML):
            self.skipped += 1
        self.text.append(" ")

    def handle_endtag(self, tag):
        self.inside &= tag != "main"
        self.skipped -= self.skipped > 0 and tag not in VOID

    def handle_data(self, data):
        if self.inside and not self.skipped:
            self.text.append(data)


def numbers_of_html(path) -> Counter:
    reader = _Main()
    reader.feed(path.read_text(encoding="utf-8"))
    return Counter(NUMBER.findall("".join(reader.text)))


def numbers_of_pdf(path) -> Counter:
    command = ["pdftotext", "-layout", str(path), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return Counter(NUMBER.findall(re.sub(r"^\s*\d+ / \d+\s*$", "", text, flags=re.MULTILINE)))


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="no pdftotext (poppler-utils) here")
@pytest.mark.parametrize("kind", ["synthetic", "real"])
def test_html_and_pdf_agree_in_every_number(make_run, parameters, monkeypatch, kind):
    monkeypatch.setattr(stage.quarto, "available", lambda: False)
    make_run(kind)
    html, pdf = stage.render("tiny", parameters)[:2]
    shown = numbers_of_html(html)
    assert shown.total() > 500
    assert shown == numbers_of_pdf(pdf)

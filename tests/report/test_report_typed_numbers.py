"""The text contains no typed results: its numbers come from numbers/."""

import re

import pytest

from muscle_study.protocol.files import read_json, write_json
from muscle_study.protocol.paths import MANUSCRIPT
from muscle_study.report import render as stage

PARTS = MANUSCRIPT / "parts"

#: Parts that tell results.
RESULTS = [
    PARTS / "described" / "results.md",
    PARTS / "described" / "results-abstract.md",
    PARTS / "described" / "population.md",
    *(
        PARTS / f"{name}.md"
        for name in (
            "agreement",
            "agreement-abstract",
            "simulated-abstract",
            "imaged",
            "recovery",
            "measurement-error",
            "replicates",
            "faults",
            "curation-check",
            "scale",
        )
    ),
    *(PARTS / kind / "glance.md" for kind in ("synthetic", "real")),
]

#: Definitions and units that have a digit in them.
DEFINITIONS = ("kg/m²", "25 kg/m² or more", "BMI of 25", "95 % intervals", "5 % level", "R²", "η²")

#: What is no prose: shortcodes, citations and references, identifiers, paths.
NO_PROSE = re.compile(
    r"\{\{<.*?>\}\}|\[?@[\w-]+\]?|\{[#.][^}]*\}|`[^`]*`|!\[\]\([^)]*\)(?:\{[^}]*\})?", re.DOTALL
)


def typed_digits(text: str) -> list[str]:
    """Return the words of the prose that hold a digit and are no definition."""
    prose = NO_PROSE.sub(" ", text)
    for words in DEFINITIONS:
        prose = re.sub(r"\s+".join(map(re.escape, words.split())), " ", prose)
    return re.findall(r"\S*\d\S*", prose)


def results_of_the_manuscript() -> str:
    text = (MANUSCRIPT / "manuscript.qmd").read_text(encoding="utf-8")
    found = re.search(r"\n# Results .*?(?=\n# Discussion)", text, re.DOTALL)[0]
    return found.replace("mean 95 %\nHausdorff", "mean Hausdorff")


@pytest.mark.parametrize("part", RESULTS, ids=lambda path: path.stem)
def test_no_digit_is_typed_in_a_part_that_tells_results(part):
    assert typed_digits(part.read_text(encoding="utf-8")) == []


def test_no_digit_is_typed_in_the_manuscripts_results():
    assert typed_digits(results_of_the_manuscript()) == []


def test_a_typed_result_would_be_found():
    typed = "CSA was {{< var csa.mean_men >}} in men (@tbl-x2) and 24.5 cm² in women {#sec-a1}"
    assert typed_digits(typed) == ["24.5"]


def test_the_page_follows_the_number_file(make_run, parameters, monkeypatch):
    monkeypatch.setattr(stage.quarto, "available", lambda: False)
    paths = make_run()
    path = paths.numbers / "statistics.json"
    numbers = read_json(path)
    numbers["allometry.csa.height_exponent"] |= {"text": "1.98765"}
    write_json(numbers, path)
    html = parameters.model_copy(update={"formats": ["html"]})
    page = stage.render("tiny", html)[0].read_text(encoding="utf-8")
    assert page.count("1.98765") == 2  # in the text, and in the list of numbers

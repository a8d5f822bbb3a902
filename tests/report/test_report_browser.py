"""The report in headless Chromium: no errors, offline, valid links, correct look-up."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from browser import AVAILABLE, chromium
from muscle_study.report import render as stage
from muscle_study.statistics.methods.centiles import Centiles, Curve

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="no chromium and chromium-driver here")

PHONE, DESKTOP = 390, 1280

#: By hand: at any age, men's CSA is 40 ± 6 cm², normally distributed.
FLAT = {
    "measure": "csa",
    "sex": "male",
    "design": "age",
    "limits": {"age_years": [25, 70], "height_cm": [160, 200], "bmi_kg_m2": [19, 38]},
    "l": 1.0,
    "m": {"knots": [], "coefficients": [float(np.log(40)), 0.0]},
    "s": {"knots": [], "coefficients": [float(np.log(0.15)), 0.0]},
}

#: A curved one, whose answers are those of the statistics' own class.
KNOTS = (28.0, 42.0, 52.0, 66.0)
CURVED = Centiles(
    Curve(KNOTS, "body"),
    Curve((), "body"),
    np.array([3.6, 0.002, -0.004, 0.003, 0.9, 0.35, -0.2]),
    np.array([-2.1, 0.001, 0.1, 0.2, 0.0]),
    0.6,
    n=1,
)
BODY = FLAT | {
    "design": "body",
    "l": CURVED.skewness,
    "m": {"knots": list(KNOTS), "coefficients": CURVED.median_coefficients.tolist()},
    "s": {"knots": [], "coefficients": CURVED.spread_coefficients.tolist()},
}
FILE = {
    "synthetic": True,
    "reference": {"height_cm": 170, "bmi_kg_m2": 25},
    "measures": {"csa": {"name": "CSA (cm²)", "unit": "cm²"}},
    "models": [FLAT, BODY],
}

FILL = """
const form = document.getElementById("lookup");
for (const [name, value] of Object.entries(arguments[0])) form.elements[name].value = value;
form.dispatchEvent(new Event("input", { bubbles: true }));
return [form.elements.age_result.value, form.elements.body_result.value];
"""


SORT = """
const table = document.querySelector("#" + arguments[0] + " table");
table.querySelectorAll("th .sort")[arguments[1]].click();
return [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.textContent.trim()));
"""

#: With a cell left empty where it repeats the one above.
TESTS = """| Outcome | Difference (CI) |
|:---|---:|
| CSA | 2 |
|  | 1,010 |
| Volume | −1.50 (−2 to 0) |
"""


@pytest.fixture(scope="module")
def browser():
    """One browser for all tests of the module."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(make_run, publish_file, parameters, monkeypatch):
    """Return the address of a rendered manuscript with a look-up."""
    monkeypatch.setattr(stage.quarto, "available", lambda: False)
    paths = make_run()
    publish_file(paths, "centile_model", "tables/centile_model.json", json.dumps(FILE))
    publish_file(paths, "tests", "tables/tests.md", TESTS)
    made = stage.render("tiny", parameters.model_copy(update={"formats": ["html"]}))
    return made[0]


#: Contrast of text with the page, by WCAG 2.1, of the first element that each selector finds.
CONTRAST = r"""
const light = colour => {
  const channels = colour.match(/[\d.]+/g).slice(0, 3).map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : Math.pow((c + 0.055) / 1.055, 2.4));
  return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2];
};
const page = light(getComputedStyle(document.body).backgroundColor);
return [page, ...arguments[0].map(selector => document.querySelector(selector)).filter(Boolean)
  .map(element => light(getComputedStyle(element).color))
  .map(text => (Math.max(text, page) + 0.05) / (Math.min(text, page) + 0.05))];
"""

#: Where text has a colour of its own.
COLOURED = ["main p", "main a", "figcaption", ".callout-title", "td", ".output_area pre", "h2"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_every_page_is_silent_offline_and_legible(browser, page, width, scheme):
    browser.prefer(scheme)
    for one in (page, page.parent / "notebooks" / "05_statistics.html"):
        browser.console(), browser.requested()  # those of an earlier page
        browser.open(one.as_uri(), width)
        assert browser.console() == []
        requested = [url for url in browser.requested() if not url.startswith("data:")]
        assert {url.split("#")[0] for url in requested} == {one.as_uri()}
        over = "return document.documentElement.scrollWidth - innerWidth"
        assert browser.run(over) <= 0, f"{one.name} is wider than a window of {width}"
        paper, *contrasts = browser.run(CONTRAST, COLOURED)
        assert (paper < 0.2) == (scheme == "dark")
        assert contrasts and min(contrasts) >= 4.5, f"{one.name}: text is hard to read"


def test_the_report_in_a_browser(browser, page):
    browser.open(page.as_uri(), DESKTOP)
    broken = """return [...document.querySelectorAll('a[href^="#"]')]
        .map(a => a.getAttribute("href").slice(1))
        .filter(id => id && !document.getElementById(id))"""
    assert browser.run(broken) == []
    links = browser.run(
        "return [...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))"
    )
    ours = {link.split("#")[0] for link in links if not link.startswith(("#", "http", "mailto"))}
    assert ours
    assert all((page.parent / link).exists() for link in ours)
    cells = {
        tuple(link.split("#")) for link in links if link.startswith("notebooks/") and "#" in link
    }
    assert cells
    for target, anchor in cells:
        assert f'id="{anchor}"' in (page.parent / target).read_text(encoding="utf-8")
    _check_numbers(browser, page)
    nameless = "return [...document.images].filter(i => !i.alt).length"
    assert browser.run(nameless) == 0
    _check_lookup(browser)
    _check_sorting(browser)


def _check_numbers(browser, page):
    """Each number of the text leads to a cell that is there, and looks like the text around it."""
    script = """return [...document.querySelectorAll("a.number")].map(a => [
        a.getAttribute("href"), a.textContent, getComputedStyle(a).textDecorationLine,
        getComputedStyle(a).color === getComputedStyle(a.parentElement).color])"""
    found = browser.run(script)
    assert len(found) > 50
    anchors = {}
    for href, text, line, alike in found:
        file, _, anchor = href.partition("#")
        if file not in anchors:
            html = (page.parent / file).read_text(encoding="utf-8")
            anchors[file] = set(re.findall(r'id="([^"]+)"', html))
        assert anchor in anchors[file], f"{text} links to a cell that is not there: {href}"
        assert (line, alike) == ("none", True)


def _check_sorting(browser):
    def first_column(heading):
        return browser.run(SORT, "tbl-tests", heading)

    # by the first number of each cell: −1.50 < 2 < 1,010; an outcome left out is said again
    assert first_column(1) == [["Volume", "−1.50 (−2 to 0)"], ["CSA", "2"], ["CSA", "1,010"]]
    assert first_column(1) == [["CSA", "1,010"], ["CSA", "2"], ["Volume", "−1.50 (−2 to 0)"]]
    assert [row[0] for row in first_column(0)] == ["CSA", "CSA", "Volume"]


def _check_lookup(browser):
    person = {"measure": "csa", "sex": "male", "age": "50", "height": "182,5", "bmi": "31"}
    # 46 cm² is one SD of 6 above 40: z = 1, centile 84.1
    alike, closer = browser.run(FILL, person | {"value": "46"})
    assert alike == "Of the same sex and age: centile 84.1, z = 1.00."
    one = pd.DataFrame({"age_years": [50.0], "height_cm": [182.5], "bmi_kg_m2": [31.0]})
    z = CURVED.z(one, np.array([46.0]))[0]
    centile = 100 * stats.norm.cdf(z)
    assert closer.replace("−", "-").endswith(f"centile {centile:.1f}, z = {z:.2f}.")
    low, _ = browser.run(FILL, person | {"value": "20"})
    assert low == "Of the same sex and age: centile below 1, z = −3.33."
    young, _ = browser.run(FILL, person | {"value": "46", "age": "18"})
    assert young == "Of the same sex and age: holds for age 25 to 70 years."
    woman, _ = browser.run(FILL, person | {"value": "46", "sex": "female"})
    assert woman == "Of the same sex and age: too few participants."
    nothing, _ = browser.run(FILL, person | {"value": ""})
    assert nothing == "Of the same sex and age: enter age, value."

"""The review page in headless Chromium: opened from disk, without errors, offline, by keyboard."""

import csv
import io
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest

from browser import AVAILABLE, ENTER, LEFT, PAGE_DOWN, PAGE_UP, chromium
from muscle_study.curation.review.gallery import Entry, write_gallery
from muscle_study.curation.review.mosaic import draw
from muscle_study.imaging.volumes import Volume

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="no chromium and chromium-driver here")

PEOPLE = 60  # of which 3 are excluded, 2 corrected
NASTY = '<img src=x onerror="document.title=1">'

CURRENT = 'return document.querySelector(".current .id").textContent;'
SHOWN = 'return [...document.querySelectorAll("#cards .id")].map(each => each.textContent);'
FILTER = """
const field = document.getElementById("tools").elements[arguments[0]];
field.value = arguments[0] === "reason"
  ? [...field.options].find(option => option.text.startsWith(arguments[1])).value : arguments[1];
field.dispatchEvent(new Event(arguments[0] === "search" ? "input" : "change", { bubbles: true }));
"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("qc")
    found = {f"{n:06}": Entry() for n in range(PEOPLE)}
    for name in ("000010", "000011", "000012"):
        found[name] = Entry("excluded", [("water and fat swapped", NASTY)])
    found["000012"].remarks[0] = ("no images", "none of water, fat")
    for name in ("000020", "000021"):
        found[name] = Entry("corrected", [("water and fat exchanged back", "whole")])
    voxels = np.random.default_rng(0).integers(0, 99, (20, 20, 20)).astype(np.int16)
    draw({"image": Volume(voxels, np.diag([5, 5, 5, 1]))}, folder / "one.webp")
    picture = (folder / "one.webp").read_bytes()
    (folder / "pictures").mkdir()
    for name in found:
        if name != "000012":
            (folder / "pictures" / f"{name}.webp").write_bytes(picture)
    review = pd.DataFrame(
        [("000030", "accepted", "accept", "NN", "")],
        columns=["participant_id", "outcome", "verdict", "reviewer", "comment"],
    )
    write_gallery(folder, found, review, ["image"], "Review of tiny: participants")
    return f"file://{quote(str(folder))}/index.html"


@pytest.fixture
def page(browser, site):
    browser.open(site, 1280)
    browser.run("localStorage.clear();")
    browser.requested(), browser.console()  # of the page before
    browser.open(site, 1280)
    return browser


def press(page, *keys):
    """Press keys and return who is selected then."""
    page.press(*keys)
    return page.run(CURRENT)


def verdicts_on(page):
    return list(csv.DictReader(io.StringIO(page.run("return review.csv();"))))


def test_the_worst_come_first_and_nothing_is_fetched(page):
    assert page.run(SHOWN)[:7] == [
        "000010", "000011", "000012", "000020", "000021", "000000", "000001"
    ]  # fmt: skip
    assert page.run("return document.querySelectorAll('#cards img').length;") == 23
    assert "1 of 60 looked at" in page.run("return document.body.textContent;")
    assert NASTY in page.run("return document.querySelector('.current .remarks').textContent;")
    assert page.run("return document.title;") == "Review of tiny: participants"
    assert page.console() == []
    assert all(address.startswith("file://") for address in page.requested())


def test_the_keys_judge_and_go_on(page):
    assert press(page, "a") == "000011"
    assert press(page, "x", *'dark, "very"', ENTER) == "000012"
    assert press(page, ENTER, "a") == "000020"  # in the large picture
    assert press(page, ENTER, LEFT, "u") == "000012"
    assert verdicts_on(page) == [
        {"participant_id": "000010", "verdict": "accept", "reviewer": "", "comment": ""},
        {"participant_id": "000011", "verdict": "exclude", "reviewer": "",
         "comment": 'dark, "very"'},
        {"participant_id": "000030", "verdict": "accept", "reviewer": "NN", "comment": ""},
    ]  # fmt: skip
    assert press(page, PAGE_DOWN) == page.run(SHOWN)[0] == "000024"
    assert press(page, PAGE_UP) == "000010"
    assert page.console() == []


def test_verdicts_outlive_the_page_and_are_downloaded(page, site):
    page.press("x")
    page.open(site, 1280)
    assert [row["participant_id"] for row in verdicts_on(page)] == ["000010", "000030"]
    downloaded = page.run(
        """
        let made = null;
        const click = HTMLAnchorElement.prototype.click;
        HTMLAnchorElement.prototype.click = function () { made = [this.download, this.href]; };
        document.getElementById("download").click();
        HTMLAnchorElement.prototype.click = click;
        return made;
        """
    )
    assert downloaded[0] == "verdicts.csv" and downloaded[1].startswith("blob:")


@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("reason", "water and fat swapped", ["000010", "000011"]),
        ("reason", "excluded", ["000010", "000011", "000012"]),
        ("verdict", "accept", ["000030"]),
        ("search", "0045", ["000045"]),
        ("search", "none", []),
    ],
)
def test_filters(page, field, value, shown):
    page.run(FILTER, field, value)
    assert page.run(SHOWN) == shown
    assert page.run("return document.getElementById('empty').hidden;") == bool(shown)

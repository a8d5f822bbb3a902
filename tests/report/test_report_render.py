import re

import pandas as pd
import pytest
import yaml

from example_parameters import section
from muscle_study.protocol.files import read_json, write_json, write_text
from muscle_study.protocol.paths import ROOT
from muscle_study.publishing.result import Publisher
from muscle_study.report import render as stage
from muscle_study.report.errors import ReportError
from muscle_study.report.parameters import ReportParameters
from muscle_study.statistics.analyses.extensions.replicates import (
    CHECKED_CENTILES,
    INTERVALS,
    KEYS,
    replicates,
)


@pytest.fixture(autouse=True)
def without_quarto(monkeypatch):
    """Let Pandoc and Typst render, also where Quarto is installed."""
    monkeypatch.setattr(stage.quarto, "available", lambda: False)


def only(parameters, name):
    return parameters.model_copy(update={"formats": [name]})


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_synthetic_run_as_html_and_pdf(make_run, parameters):
    paths = make_run()
    made = stage.render("tiny", parameters)
    assert [path.name for path in made[:2]] == ["manuscript.html", "manuscript.pdf"]
    assert all(path.is_file() for path in made)
    assert made[1].read_bytes().startswith(b"%PDF")
    html = made[0].read_text(encoding="utf-8")
    assert "Pandoc" in html and "Typst" in html  # the colophon
    assert html.index("Synthetic data") < html.index("Abstract</h1>")
    assert 'href="notebooks/05_statistics.html#result-age"' in html
    for name in ("fig-agreement", "tbl-agreement", "fig-flow", "tbl-measures-by-bmi"):
        assert len(re.findall(f'<figure[^>]* id="{name}"|<figure id="{name}"', html)) == 1
    loaded = re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)([^"]*)"', html)
    assert loaded == []
    assert not re.search(r"@import|url\((?!['\"]?data:)", html)
    assert {"_quarto.yml", "_variables.yml", "manuscript.qmd"} <= files(paths.reports)
    assert not list(paths.reports.parent.glob("*.rendering"))


def test_a_figure_and_its_table_offer_their_data(make_run, publish_file, parameters):
    paths = make_run()
    publish_file(paths, "regression", "tables/regression.csv", "mean\n1\n")  # the figure's too
    publish_file(paths, "measures_by_age", "tables/measures_by_age.csv", "mean\n1\n")
    publish_file(paths, "age", "figures/age.csv", "median\n1\n")
    write_text("left of an earlier run\n", paths.tables / "measures_by_bmi.csv")
    html = stage.render("tiny", only(parameters, "html"))[0].read_text(encoding="utf-8")
    assert html.count('href="tables/regression.csv"') == 2
    assert html.count('href="tables/measures_by_age.csv"') == 1
    assert html.count('href="figures/age.csv"') == 1
    assert "tables/measures_by_bmi.csv" not in html  # no index lists it


def test_the_replicate_study_is_shown_where_it_was_run(make_run, parameters):
    paths = make_run()
    found = pd.DataFrame(
        [(kind, "csa", "male", "age", held) for kind in (*INTERVALS, "level") for held in (0, 1)]
        + [("centile", "csa", "male", str(one), one / 100) for one in CHECKED_CENTILES] * 2,
        columns=[*KEYS, "found"],
    )
    result = replicates(found, count=2, people=100, people_for_truth=1000)
    Publisher(paths, "replicates", show=False)(result)
    html = stage.render("tiny", only(parameters, "html"))[0].read_text(encoding="utf-8")
    assert 'id="tbl-replicates"' in html
    assert "the population model was drawn" in " ".join(html.split())


def test_real_run_has_no_agreement_and_no_ribbon(make_run, parameters):
    paths = make_run("real")
    paths.reports.joinpath("manuscript.pdf").write_bytes(b"of an earlier render")
    html = stage.render("tiny", only(parameters, "html"))[0].read_text(encoding="utf-8")
    assert "iliopsoas" in html
    assert "fig-agreement" not in html
    assert 'class="ribbon"' not in html
    assert "synthetic" not in html.lower()
    assert not (paths.reports / "manuscript.pdf").exists()


def test_run_without_demographic_data_says_so(make_run, parameters):
    paths = make_run("real")
    path = paths.numbers / "statistics.json"
    numbers = read_json(path)
    for sex in ("men", "women"):
        numbers[f"csa.mean_{sex}"] |= {"text": "suppressed", "value": None}
    write_json(numbers, path)
    html = stage.render("tiny", only(parameters, "html"))[0].read_text(encoding="utf-8")
    assert "too few participants" in html
    assert "fig-age" not in html and 'id="tbl-published"' in html


def test_missing_number_stops_the_render_and_leaves_nothing(make_run, parameters):
    paths = make_run()
    path = paths.numbers / "statistics.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace("dice.psoas_sd", "dice.other"), encoding="utf-8"
    )
    before = files(paths.output)
    with pytest.raises(ReportError, match=r"'dice\.psoas_sd' is in no file of numbers/"):
        stage.render("tiny", parameters)
    assert files(paths.output) == before


def test_missing_table_is_named(make_run, parameters):
    paths = make_run()
    index = read_json(paths.published("statistics"))
    index["regression"]["files"].remove("tables/regression.md")
    write_json(index, paths.published("statistics"))
    with pytest.raises(ReportError, match=r"tables/regression\.md is missing"):
        stage.render("tiny", parameters)


def test_missing_figure_is_named_with_its_line(make_run, parameters):
    paths = make_run()
    (paths.figures / "age.svg").unlink()
    index = read_json(paths.published("statistics"))
    index["age"]["files"].remove("figures/age.svg")
    write_json(index, paths.published("statistics"))
    with pytest.raises(ReportError, match=r"_results\.md, line \d+: the picture figures/age\.svg"):
        stage.render("tiny", parameters)


def test_a_result_that_nobody_tells_of_is_named_with_its_line(make_run, parameters):
    paths = make_run()
    index = read_json(paths.published("statistics"))
    del index["comparison"]
    write_json(index, paths.published("statistics"))
    with pytest.raises(ReportError, match=r"parts/comparison\.md, line 1: .* 'comparison' is nei"):
        stage.render("tiny", parameters)


def test_participant_in_a_table_stops_the_render(make_run, publish_file, parameters):
    paths = make_run()
    publish_file(paths, "tests", "tables/tests.csv", "id\n100129\n")
    with pytest.raises(ReportError, match=r"tests\.csv shows the participant identifier 100129"):
        stage.render("tiny", only(parameters, "html"))
    assert not (paths.reports / "manuscript.html").exists()


def test_run_without_numbers_is_refused(make_run, parameters):
    paths = make_run()
    (paths.numbers / "statistics.json").unlink()
    with pytest.raises(ReportError, match="run the statistics stage first"):
        stage.render("tiny", parameters)


def test_parameters_of_the_demo_are_valid():
    section = yaml.safe_load((ROOT / "params" / "demo.yaml").read_text(encoding="utf-8"))["report"]
    assert ReportParameters.model_validate(section).title


def test_unknown_format_is_refused():
    with pytest.raises(ValueError, match="html"):
        section("report", formats=["docx"])


def test_html_is_always_made():
    with pytest.raises(ValueError, match="html must be among the formats"):
        section("report", formats=["pdf"])
